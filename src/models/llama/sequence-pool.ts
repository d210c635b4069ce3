/**
 * Who holds which sequence id and which cells. Branches that idle lose theirs first when others need room; a
 * branch gets them back by sharing the longest prefix that is still in the cache and reading the rest again.
 */
import type { BatchToken, NativeModel } from "../../native/native-model.js";
import { CellTable } from "./cell-table.js";
import { mostCached } from "./demand.js";
import type { BranchState } from "./operation.js";

export interface PoolOptions {
  /** Every sequence has a cache of its own: sharing copies, and one sequence's cells are no use to another. */
  readonly separate: boolean;
  /**
   * Opened prefixes that stay in the cache after their branch is dropped, for the next question with the same start.
   * With 0 nothing is shared but by forks: what is read, and in which batches, does not depend on other runs' branches.
   */
  readonly keptPrompts: number;
}

export class SequencePool {
  readonly branches = new Map<number, BranchState>();
  readonly #native: NativeModel;
  readonly #options: PoolOptions;
  readonly #cells: CellTable;
  readonly #freeSequences: number[];
  /** Dropped branches whose opened prefix is still in the cache, oldest first. */
  readonly #kept: BranchState[] = [];
  evictions = 0;

  constructor(native: NativeModel, options: PoolOptions) {
    this.#native = native;
    this.#options = options;
    const { cells, sequences } = native.info;
    this.#cells = new CellTable(options.separate ? cells * sequences : cells);
    this.#freeSequences = Array.from({ length: sequences }, (_, index) => sequences - 1 - index);
  }

  get freeCells(): number {
    return this.#cells.free;
  }

  /** Free cells, and those that a kept prefix would give up at once. */
  get availableCells(): number {
    return this.#kept.reduce((sum, branch) => sum + this.#cells.owned(branch.sequence), this.#cells.free);
  }

  get cells(): number {
    return this.#cells.capacity;
  }

  get sequencesInUse(): number {
    return this.#native.info.sequences - this.#freeSequences.length - this.#kept.length;
  }

  /** Sequence ids there are. */
  get sequences(): number {
    return this.#native.info.sequences;
  }

  get separate(): boolean {
    return this.#options.separate;
  }

  /** Takes cells for tokens before they are decoded. */
  grow(batch: readonly BatchToken[]): void {
    for (const { sequences } of batch) this.#cells.growShared(sequences);
  }

  /** Puts cache and table back to what they were before these tokens of the branch, whatever a decode left behind. */
  undo(branch: BranchState, batch: readonly BatchToken[]): void {
    if (branch.sequence < 0) return;
    const starts = new Map<number, number>();
    for (const { sequences, position } of batch) {
      for (const sequence of sequences) if (!starts.has(sequence)) starts.set(sequence, position);
    }
    for (const [sequence, start] of starts) {
      if (sequence === branch.sequence) this.rollback(branch, start);
      else this.#cut(sequence, start);
    }
  }

  /** Cuts the branch itself. */
  truncate(branch: BranchState, length: number): void {
    if (length >= branch.tokens.length) return;
    branch.tokens.length = length;
    this.uncache(branch, length);
    branch.everCached = Math.min(branch.everCached, length);
  }

  /** Cuts what is cached of it to at most `length` tokens. */
  uncache(branch: BranchState, length: number): void {
    if (branch.cached > length) this.rollback(branch, length);
  }

  /** Puts cache and table of the branch's own sequence back to the first `length` tokens. */
  rollback(branch: BranchState, length: number): void {
    if (branch.sequence < 0) return;
    if (length <= 0 || !this.#native.removeCells(branch.sequence, length, -1)) {
      this.release(branch);
      return;
    }
    this.#cells.trim(branch.sequence, length);
    branch.cached = Math.min(branch.cached, length);
  }

  /** Gives the branch's sequence and cells back. */
  release(branch: BranchState): void {
    if (branch.sequence < 0) return;
    for (const sequence of branch.tree?.sequences ?? [branch.sequence]) this.#free(sequence);
    branch.tree?.lose();
    branch.sequence = -1;
    branch.cached = 0;
  }

  // ---- trees -----------------------------------------------------------------------------------------------------

  /** Gives every path of the branch's tree a sequence; false if there are no ids for them now. */
  placeTree(branch: BranchState, hidden: boolean, needed: readonly BranchState[]): boolean {
    const tree = branch.tree!;
    const { separate } = this.#options;
    while (this.#freeSequences.length < tree.paths - 1) if (!this.evictIdle(needed)) return false;
    const sequences = [branch.sequence];
    while (sequences.length < tree.paths) {
      const sequence = this.#freeSequences.pop()!;
      this.#shareCells(branch.sequence, sequence, branch.cached);
      sequences.push(sequence);
    }
    tree.place({ sequences, tokens: branch.tokens, cached: branch.cached, separate, hidden });
    return true;
  }

  /**
   * Makes the path to a node of its tree the branch's own, where it lies in the cache: the sequence of a path through
   * the node becomes the branch's. -1 keeps nothing. Without a tree it does nothing.
   */
  keep(branch: BranchState, node: number): void {
    const { tree } = branch;
    if (!tree) return;
    branch.tree = null;
    const path = tree.pathTo(node);
    const kept = tree.sequenceThrough(node);
    if (tree.sequences !== null && kept !== undefined) {
      for (const sequence of tree.sequences) if (sequence !== kept) this.#free(sequence);
      branch.sequence = kept;
      branch.cached += path.length;
      this.#cut(kept, branch.cached);
      branch.everCached = Math.max(branch.everCached, branch.cached);
    }
    for (const token of path) branch.tokens.push(token);
  }

  // ---- who gives way -------------------------------------------------------------------------------------------

  /** Releases a branch that still has calls; it reads its tokens again when their turn comes. */
  evict(branch: BranchState): void {
    this.release(branch);
    this.evictions++;
  }

  /** Forgets the branch. The prefix it was opened with stays in the cache for a while. */
  remove(branch: BranchState): void {
    this.branches.delete(branch.id);
    if (branch.opened > 0 && branch.cached > 0 && this.#options.keptPrompts > 0) {
      this.truncate(branch, branch.opened);
      if (branch.sequence >= 0) this.#kept.push(branch);
      while (this.#kept.length > this.#options.keptPrompts) this.release(this.#kept.shift()!);
    } else {
      this.release(branch);
    }
  }

  /** Lets `child`, which holds the same tokens, hold the parent's cells too; without a free id it reads them when used. */
  share(parent: BranchState, child: BranchState): void {
    if (parent.sequence < 0) return;
    const sequence = this.#takeSequence([parent]);
    if (sequence !== null && !this.#shareInto(parent, child, sequence, parent.cached))
      this.#freeSequences.push(sequence);
  }

  /** Gives the branch a sequence, with the longest prefix that is in the cache; false if no id can be had now. */
  acquire(branch: BranchState): boolean {
    if (branch.sequence >= 0) return true;
    const most = mostCached(branch);
    let donor: BranchState | undefined;
    let longest = 0;
    for (const other of [...this.#kept, ...this.branches.values()]) {
      if (other.sequence < 0 || other.cached <= longest) continue;
      if (!this.#options.keptPrompts && other.family !== branch.family) continue;
      const common = commonLength(branch.tokens, other.tokens, Math.min(other.cached, most));
      if (common > longest) [donor, longest] = [other, common];
    }
    let sequence = this.#takeSequence(donor ? [donor] : []);
    if (sequence === null && donor) {
      // The donor's own tree may have all the others.
      donor = undefined;
      sequence = this.#takeSequence([]);
    }
    if (sequence === null) return false;
    if (!donor || !this.#shareInto(donor, branch, sequence, longest)) {
      branch.sequence = sequence;
      branch.cached = 0;
    }
    return true;
  }

  /** Frees the cells of what has been idle longest, kept prefixes first; false if nothing is idle. */
  evictIdle(needed: readonly BranchState[]): boolean {
    const kept = this.#kept.findIndex((branch) => !needed.includes(branch));
    if (kept >= 0) {
      this.release(this.#kept.splice(kept, 1)[0]!);
      return true;
    }
    let oldest: BranchState | undefined;
    for (const branch of this.branches.values()) {
      if (branch.sequence < 0 || branch.queue.length > 0 || needed.includes(branch)) continue;
      if (!oldest || branch.lastUsed < oldest.lastUsed) oldest = branch;
    }
    if (!oldest) return false;
    this.evict(oldest);
    return true;
  }

  #takeSequence(needed: readonly BranchState[]): number | null {
    if (this.#freeSequences.length === 0) this.evictIdle(needed);
    return this.#freeSequences.pop() ?? null;
  }

  /** Lets `to` hold the first `count` cells of `from` under a free sequence id. */
  #shareInto(from: BranchState, to: BranchState, sequence: number, count: number): boolean {
    if (count <= 0) return false;
    if (!this.#shareCells(from.sequence, sequence, count)) return false;
    to.sequence = sequence;
    to.cached = count;
    to.everCached = Math.max(to.everCached, count);
    return true;
  }

  /** Lets the free sequence `to` hold the first `count` cells of `from`; false if the model cannot cut the rest off. */
  #shareCells(from: number, to: number, count: number): boolean {
    this.#native.shareCells(from, to);
    // A tree's cells lie behind those of the branch.
    if (count < this.#cells.length(from) && !this.#native.removeCells(to, count, -1)) {
      this.#native.removeCells(to, 0, -1);
      return false;
    }
    if (this.#options.separate) this.#cells.grow(to, count);
    else this.#cells.share(from, to, count);
    return true;
  }

  #cut(sequence: number, length: number): void {
    this.#native.removeCells(sequence, length, -1);
    this.#cells.trim(sequence, length);
  }

  #free(sequence: number): void {
    this.#cut(sequence, 0);
    this.#freeSequences.push(sequence);
  }
}

/** Length of the common start of two token lists, at most `limit`. */
function commonLength(a: readonly number[], b: readonly number[], limit: number): number {
  let length = 0;
  while (length < limit && a[length] === b[length]) length++;
  return length;
}
