/**
 * Who holds which sequence id and which cells. Branches that idle lose theirs first when others need room; a
 * branch gets them back by sharing the longest prefix that is still in the cache and reading the rest again.
 */
import type { NativeModel } from "../../native/native-model.js";
import { CellTable } from "./cell-table.js";
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

  /** Takes cells for the branch's next `count` tokens, before they are decoded. */
  grow(branch: BranchState, count: number): void {
    this.#cells.grow(branch.sequence, count);
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

  /** Puts cache and table back to the first `length` tokens, whatever a decode left behind. */
  rollback(branch: BranchState, length: number): void {
    if (branch.sequence < 0) return;
    if (length <= 0 || !this.#native.removeCells(branch.sequence, length, -1)) {
      this.release(branch);
      return;
    }
    this.#cells.trim(branch.sequence, length);
    branch.cached = length;
  }

  /** Gives the branch's sequence and cells back. */
  release(branch: BranchState): void {
    if (branch.sequence < 0) return;
    this.#native.removeCells(branch.sequence, 0, -1);
    this.#cells.trim(branch.sequence, 0);
    this.#freeSequences.push(branch.sequence);
    branch.sequence = -1;
    branch.cached = 0;
  }

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
    let donor: BranchState | undefined;
    let longest = 0;
    for (const other of [...this.#kept, ...this.branches.values()]) {
      if (other.sequence < 0 || other.cached <= longest) continue;
      if (!this.#options.keptPrompts && other.family !== branch.family) continue;
      const common = commonLength(
        branch.tokens,
        other.tokens,
        Math.min(other.cached, branch.tokens.length - 1),
      );
      if (common > longest) [donor, longest] = [other, common];
    }
    const sequence = this.#takeSequence(donor ? [donor] : []);
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
    this.#native.shareCells(from.sequence, sequence);
    if (count < from.cached && !this.#native.removeCells(sequence, count, -1)) {
      this.#native.removeCells(sequence, 0, -1);
      return false;
    }
    if (this.#options.separate) this.#cells.grow(sequence, count);
    else this.#cells.share(from.sequence, sequence, count);
    to.sequence = sequence;
    to.cached = count;
    to.everCached = Math.max(to.everCached, count);
    return true;
  }
}

/** Length of the common start of two token lists, at most `limit`. */
function commonLength(a: readonly number[], b: readonly number[], limit: number): number {
  let length = 0;
  while (length < limit && a[length] === b[length]) length++;
  return length;
}
