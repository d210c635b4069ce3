/**
 * A branch whose `extend` speculates. Calls are served in the order they were made; forks, rollbacks and drops made
 * while a call is under way wait for it, as they do in an engine.
 */
import { StepwrightError, throwIfAborted } from "../core/errors.js";
import {
  type Branch,
  type ExtendOptions,
  type Extension,
  handOver,
  type Model,
  type Reading,
  type ReadOptions,
} from "../core/model.js";
import type { Passage, Token } from "../core/step.js";
import type { Host } from "./host.js";
import { type Place, StepLoop } from "./step-loop.js";

export class SpeculatingBranch implements Branch {
  readonly model: Model;
  readonly #host: Host;
  /** Null until the parent has got to the fork that made this branch. */
  #place: Place | null;
  #length: number;
  /** Rollbacks that wait for a call. */
  readonly #rollbacks: number[] = [];
  #waiting = 0;
  #tail: Promise<unknown> = Promise.resolve();
  #dropped = false;

  constructor(model: Model, host: Host, place: Place | null, length: number) {
    this.model = model;
    this.#host = host;
    this.#place = place;
    this.#length = length;
  }

  get length(): number {
    return Math.min(this.#length, ...this.#rollbacks);
  }

  fork(): SpeculatingBranch {
    this.#mustLive();
    const child = new SpeculatingBranch(this.model, this.#host, null, this.length);
    const made = this.#inOrder((place) => {
      child.#place = forked(place);
      child.#length = place.tokens.length;
    });
    if (made) child.#follow(made);
    return child;
  }

  append(passage: Passage | string, options: ReadOptions = {}): Promise<Reading> {
    this.#mustLive();
    return this.#call(async (place) => {
      const tokens = await this.#tokensOf(passage);
      const text = typeof passage === "string" ? passage : passage.text;
      const { vocabulary } = this.model;
      const reading = await place.branch.append({ text, tokens, vocabulary }, options);
      place.tokens = [...place.tokens, ...tokens];
      return reading;
    });
  }

  extend(options: ExtendOptions): Promise<Extension> {
    this.#mustLive();
    return this.#call(async (place) => {
      throwIfAborted(options.signal);
      // Nothing to go on from, or nothing to write: the target says so.
      if (place.tokens.length === 0 || !(options.maxTokens >= 1)) return place.branch.extend(options);
      this.#host.writing++;
      try {
        return await new StepLoop(this.#host, place, options).run();
      } finally {
        this.#host.writing--;
      }
    });
  }

  trim(length: number): void {
    this.#mustLive();
    if (this.#waiting > 0) this.#rollbacks.push(length);
    const isLater = this.#waiting > 0;
    this.#inOrder((place) => {
      if (isLater) this.#rollbacks.shift();
      place.branch.trim(length);
      place.tokens = place.tokens.slice(0, length);
      place.drafted = Math.min(place.drafted, length);
      this.#length = place.tokens.length;
    });
  }

  drop(): void {
    if (this.#dropped) return;
    this.#dropped = true;
    // Where the fork that made it never came about there is nothing to free.
    if (this.#waiting === 0 && !this.#place) return;
    this.#inOrder((place) => {
      place.branch.drop();
      place.session.drop();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drop();
  }

  async #tokensOf(passage: Passage | string): Promise<readonly Token[]> {
    const input = handOver(passage, this.model);
    return typeof input === "string" ? this.#host.target.tokenize(input) : input;
  }

  #call<Answer>(work: (place: Place) => Promise<Answer>): Promise<Answer> {
    const begin = async () => {
      const answer = await work(this.#living());
      this.#length = this.#place!.tokens.length;
      return answer;
    };
    const answer = this.#waiting === 0 ? begin() : this.#tail.then(begin);
    this.#follow(answer);
    return answer;
  }

  /** Does it now, or when the calls before it are through: then the promise of that. */
  #inOrder(work: (place: Place) => void): Promise<void> | undefined {
    if (this.#waiting === 0) {
      work(this.#living());
      return undefined;
    }
    const done = this.#tail.then(() => work(this.#living()));
    this.#follow(done);
    return done;
  }

  #follow(work: Promise<unknown>): void {
    this.#waiting++;
    this.#tail = work.then(
      () => void this.#waiting--,
      () => void this.#waiting--,
    );
  }

  #living(): Place {
    if (this.#place) return this.#place;
    throw new StepwrightError("internal", "the branch that this one was forked from is gone");
  }

  #mustLive(): void {
    if (this.#dropped) throw new StepwrightError("internal", "the branch has been dropped");
  }
}

function forked({ branch, session, ...rest }: Place): Place {
  return { branch: branch.fork(), session: session.fork(), ...rest };
}
