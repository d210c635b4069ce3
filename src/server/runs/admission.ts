/** Who may start when: a bounded queue, fair between owners, and room for so many answers and so many tokens. */
import { ApiError } from "../api-error.js";
import type { ServiceLimits } from "../limits.js";
import { FairQueue } from "./fair-queue.js";

export type AdmissionLimits = Pick<
  ServiceLimits,
  "concurrency" | "queue" | "streamsPerKey" | "requestCost" | "capacityTokens"
>;

/** One answer that waits for its start. */
export interface Candidate {
  readonly owner: string;
  /** Predicted tokens. */
  readonly cost: number;
  /** Called once, when there is room; the room is given back when it settles. */
  start(): Promise<void>;
}

/** What one owner may spend per turn: the default cap of an answer. */
const quantum = 2048;
/** A guess at an answer's seconds before any has been seen. */
const firstGuess = 5;
const longestRetryAfter = 60;

export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #mayStart: () => boolean;
  readonly #queue: FairQueue<Candidate>;
  /** Requests some of whose answers still wait, with how many do. */
  readonly #waiting = new Map<readonly Candidate[], number>();
  readonly #requests = new Map<string, number>();
  #running = 0;
  #runningCost = 0;
  #usualSeconds = firstGuess;

  /** `mayStart`: false holds everything that waits, until `dispatch` is called. */
  constructor(limits: AdmissionLimits, mayStart: () => boolean = () => true) {
    this.#limits = limits;
    this.#mayStart = mayStart;
    this.#queue = new FairQueue(quantum);
  }

  /** Answers that wait, answers that are worked on, and the predicted tokens of the latter. */
  get state(): { readonly waiting: number; readonly running: number; readonly tokens: number } {
    return { waiting: this.#queue.size, running: this.#running, tokens: this.#runningCost };
  }

  /** A request and its answers. Throws an `ApiError` at once: 400 `cost_limit`, 429 `key_limit` or `queue_full`. */
  enter(owner: string, candidates: readonly Candidate[], isLimited: boolean): void {
    const { requestCost, streamsPerKey, queue } = this.#limits;
    const cost = candidates.reduce((sum, candidate) => sum + candidate.cost, 0);
    if (cost > requestCost) throw tooDear(cost, requestCost);
    const held = this.#requests.get(owner) ?? 0;
    if (isLimited && held >= streamsPerKey) throw this.#tooMany("key_limit", `${held} requests of this key`);
    const startsNow = this.#queue.size === 0 && this.#hasRoom(candidates[0]!.cost);
    if (!startsNow && this.#waiting.size >= queue) {
      throw this.#tooMany("queue_full", `${this.#waiting.size} requests wait already, and as many`);
    }
    this.#requests.set(owner, held + 1);
    this.#waiting.set(candidates, candidates.length);
    for (const candidate of candidates) this.#queue.push(owner, candidate.cost, candidate);
    this.dispatch();
  }

  /** The request is over: every answer of it has started, or has been withdrawn. */
  leave(owner: string): void {
    const held = (this.#requests.get(owner) ?? 1) - 1;
    if (held > 0) this.#requests.set(owner, held);
    else this.#requests.delete(owner);
  }

  /** Takes back what has not started yet; false where it has. */
  withdraw(candidate: Candidate): boolean {
    if (!this.#queue.remove(candidate)) return false;
    this.#noLongerWaits(candidate);
    this.dispatch();
    return true;
  }

  /** Starts what there is room for. */
  dispatch(): void {
    while (this.#mayStart() && this.#running < this.#limits.concurrency) {
      const candidate = this.#queue.take(this.#room());
      if (!candidate) return;
      this.#noLongerWaits(candidate);
      void this.#carryOut(candidate);
    }
  }

  async #carryOut(candidate: Candidate): Promise<void> {
    this.#running++;
    this.#runningCost += candidate.cost;
    const started = performance.now();
    try {
      await candidate.start();
    } finally {
      this.#running--;
      this.#runningCost -= candidate.cost;
      const seconds = (performance.now() - started) / 1000;
      this.#usualSeconds += 0.1 * (seconds - this.#usualSeconds);
      this.dispatch();
    }
  }

  #hasRoom(cost: number): boolean {
    return this.#mayStart() && this.#running < this.#limits.concurrency && cost <= this.#room();
  }

  /** Alone, an answer may be dearer than everything together: it could never start else. */
  #room(): number {
    return this.#running === 0 ? Number.POSITIVE_INFINITY : this.#limits.capacityTokens - this.#runningCost;
  }

  #noLongerWaits(candidate: Candidate): void {
    for (const [candidates, count] of this.#waiting) {
      if (!candidates.includes(candidate)) continue;
      if (count > 1) this.#waiting.set(candidates, count - 1);
      else this.#waiting.delete(candidates);
      return;
    }
  }

  #tooMany(code: string, what: string): ApiError {
    const rounds = (this.#queue.size + 1) / this.#limits.concurrency;
    const retryAfter = Math.min(longestRetryAfter, Math.max(1, Math.ceil(rounds * this.#usualSeconds)));
    return new ApiError(429, code, `${what} are allowed at the same time`, {
      remedy: `try again after ${retryAfter} s`,
      retryAfter,
    });
  }
}

function tooDear(cost: number, ceiling: number): ApiError {
  return new ApiError(400, "cost_limit", `the request may take ${cost} tokens, ${ceiling} are allowed`, {
    remedy: "ask for fewer or shorter answers, or a narrower search",
  });
}
