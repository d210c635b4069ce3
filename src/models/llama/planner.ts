/** Chooses what the next decode passes, and whose cells give way when they run out. */
import { type Demand, nextDemand, outputsPerDecode } from "./demand.js";
import type { BranchState } from "./operation.js";
import type { SequencePool } from "./sequence-pool.js";

export interface PlannerOptions {
  /** Greatest number of tokens in one decode. */
  readonly batchTokens: number;
  readonly sequences: number;
  /** Greatest number of tokens in one branch. */
  readonly context: number;
}

/** Reading is cut into chunks of this size while other branches are writing, so that it does not stall them. */
const chunkBesideWriters = 128;

export class Planner {
  readonly #pool: SequencePool;
  readonly #options: PlannerOptions;

  constructor(pool: SequencePool, options: PlannerOptions) {
    this.#pool = pool;
    this.#options = options;
  }

  /**
   * As much as fits of the branches with a call to serve, given oldest first. Cells for it are taken. Empty if
   * nothing is left to pass, or if the oldest has all the room there is.
   */
  plan(active: readonly BranchState[]): Demand[] {
    const writing = active.some(
      ({ sequence, tokens, cached }) => sequence >= 0 && tokens.length - cached <= 1,
    );
    const demands: Demand[] = [];
    let room = this.#options.batchTokens;
    let outputs = 0;
    for (const branch of active) {
      if (room === 0 || !this.#admit(branch, demands, active)) break;
      const pending = branch.tokens.length - branch.cached;
      const limit = pending > 1 && writing ? Math.min(room, chunkBesideWriters) : room;
      const demand = nextDemand(branch, Math.min(limit, this.#room(branch)));
      if (demand.count === 0) continue;
      // Where hidden states are asked for, every token of the batch is an output: such calls go by themselves.
      if (demands[0] && demands[0].hidden !== demand.hidden) continue;
      if (outputs + demand.outputs.length > Math.max(outputsPerDecode, this.#options.sequences)) continue;
      this.#pool.grow(branch, demand.count);
      demands.push(demand);
      room -= demand.count;
      outputs += demand.outputs.length;
    }
    return demands;
  }

  /** One branch by itself, at most `limit` tokens of it; null if it cannot be served now. */
  alone(branch: BranchState, limit = this.#options.batchTokens): Demand | null {
    if (!this.#pool.acquire(branch)) return null;
    const demand = nextDemand(branch, Math.min(limit, this.#room(branch)));
    if (demand.count === 0) return null;
    this.#pool.grow(branch, demand.count);
    return demand;
  }

  /** Makes sure of a sequence and at least one free cell; pauses those who came later if nothing else helps. */
  #admit(branch: BranchState, demands: readonly Demand[], active: readonly BranchState[]): boolean {
    const wanted = Math.min(branch.tokens.length - branch.cached, this.#options.batchTokens);
    if (branch.sequence >= 0 && this.#pool.freeCells >= wanted) return true;
    const needed = [branch, ...demands.map((demand) => demand.branch)];
    const pauseLast = () => {
      const last = active.findLast((other) => other.sequence >= 0 && !needed.includes(other));
      if (last) this.#pool.evict(last);
      return last !== undefined;
    };
    while (!this.#pool.acquire(branch)) if (!pauseLast()) return false;
    while (this.#pool.freeCells < wanted && this.#pool.evictIdle(needed)) {}
    while (this.#pool.freeCells === 0) if (!pauseLast()) return false;
    return true;
  }

  #room(branch: BranchState): number {
    return Math.min(this.#pool.freeCells, this.#options.context - branch.cached);
  }
}
