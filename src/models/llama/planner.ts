/** Chooses what the next decode passes, and whose cells give way when they run out. */
import { batchOf, canPlaceTree, type Demand, hiddenModeOf, nextDemand } from "./demand.js";
import type { BranchState } from "./operation.js";
import type { SequencePool } from "./sequence-pool.js";

export interface PlannerOptions {
  /** Greatest number of tokens in one decode. */
  readonly batchTokens: number;
  /** Most outputs of one decode. */
  readonly outputs: number;
  /** Greatest number of tokens in one branch. */
  readonly context: number;
}

/** Reading is cut into chunks of this size while other branches are writing, so that it does not stall them. */
const chunkBesideWriters = 128;

export class Planner {
  readonly #pool: SequencePool;
  readonly #options: PlannerOptions;
  /** What the last plan had to leave out: whether that needs hidden states, or must be without. */
  #leftOut: boolean | null = null;

  constructor(pool: SequencePool, options: PlannerOptions) {
    this.#pool = pool;
    this.#options = options;
  }

  /**
   * As much as fits of the branches with a call to serve, given oldest first. Cells for it are taken. Empty if
   * nothing is left to pass, or if the oldest has all the room there is. Where hidden states are read, every token of
   * the decode is an output: what only reads then goes in another decode, and the two kinds take turns.
   */
  plan(active: readonly BranchState[]): Demand[] {
    const turn = this.#leftOut;
    const demands = turn === null ? [] : this.#planned(active, turn);
    return demands.length > 0 ? demands : this.#planned(active, null);
  }

  /** `mode`: whether hidden states are read; null leaves it to the oldest call that needs it one way. */
  #planned(active: readonly BranchState[], mode: boolean | null): Demand[] {
    this.#leftOut = null;
    const writing = active.some(
      ({ sequence, tokens, cached }) => sequence >= 0 && tokens.length - cached <= 1,
    );
    const demands: Demand[] = [];
    /** Those that are passed, and those that wait for their turn: they came before others, and keep what they hold. */
    const held: BranchState[] = [];
    let room = this.#options.batchTokens;
    let outputs = 0;
    for (const branch of active) {
      if (room === 0 || !this.#admit(branch, held, active)) break;
      const pending = branch.tokens.length - branch.cached;
      const limit = pending > 1 && writing ? Math.min(room, chunkBesideWriters) : room;
      if (!this.#placeTree(branch, limit, held, active)) continue;
      const demand = nextDemand(branch, Math.min(limit, this.#room(branch)));
      if (demand.count === 0) continue;
      const needs = hiddenModeOf(demand);
      if (needs !== null && mode === !needs) {
        this.#leftOut = needs;
        held.push(branch);
        continue;
      }
      if (outputs + demand.outputs.length > this.#options.outputs) continue;
      mode ??= needs;
      this.#pool.grow(batchOf(demand));
      demands.push(demand);
      held.push(branch);
      room -= demand.count;
      outputs += demand.outputs.length;
    }
    return demands;
  }

  /** One branch by itself, at most `limit` tokens of it; null if it cannot be served now. */
  alone(branch: BranchState, limit = this.#options.batchTokens): Demand | null {
    if (!this.#pool.acquire(branch) || !this.#placeTree(branch, limit, [], [])) return null;
    const demand = nextDemand(branch, Math.min(limit, this.#room(branch)));
    if (demand.count === 0) return null;
    this.#pool.grow(batchOf(demand));
    return demand;
  }

  /** Makes sure of a sequence and at least one free cell; pauses those who came later if nothing else helps. */
  #admit(branch: BranchState, held: readonly BranchState[], active: readonly BranchState[]): boolean {
    const wanted = Math.min(this.#pending(branch), this.#options.batchTokens);
    if (branch.sequence >= 0 && this.#pool.freeCells >= wanted) return true;
    const needed = [branch, ...held];
    while (!this.#pool.acquire(branch)) if (!this.#pauseLast(needed, active)) return false;
    while (this.#pool.freeCells < wanted && this.#pool.evictIdle(needed)) {}
    while (this.#pool.freeCells === 0) if (!this.#pauseLast(needed, active)) return false;
    return true;
  }

  /** Gives a tree that is to be read the sequences it needs, once it can be placed; false if it must wait for them. */
  #placeTree(
    branch: BranchState,
    limit: number,
    held: readonly BranchState[],
    active: readonly BranchState[],
  ): boolean {
    const { tree } = branch;
    const [operation] = branch.queue;
    if (!tree || tree.sequences !== null || operation?.kind !== "tree") return true;
    if (!canPlaceTree(branch, tree, operation.hidden, Math.min(limit, this.#options.outputs))) return true;
    const needed = [branch, ...held];
    while (!this.#pool.placeTree(branch, operation.hidden, needed)) {
      if (!this.#pauseLast(needed, active)) return false;
    }
    return true;
  }

  /** Tokens that its call has still to pass. */
  #pending({ tree, tokens, cached }: BranchState): number {
    if (tree?.sequences) return tree.left.length;
    return tokens.length - cached + (tree?.cells(this.#pool.separate) ?? 0);
  }

  #pauseLast(needed: readonly BranchState[], active: readonly BranchState[]): boolean {
    const last = active.findLast((other) => other.sequence >= 0 && !needed.includes(other));
    if (last) this.#pool.evict(last);
    return last !== undefined;
  }

  #room(branch: BranchState): number {
    const { outputs, context } = this.#options;
    // The context was looked at when the tree was asked for.
    if (branch.tree?.sequences) return Math.min(this.#pool.freeCells, outputs);
    return Math.min(this.#pool.freeCells, context - branch.cached);
  }
}
