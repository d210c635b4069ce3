/** A branch of a model in the engine's process. Only its number lives here; tokens and cells are the engine's. */
import { StepwrightError } from "../../core/errors.js";
import {
  type Branch,
  type ExtendOptions,
  type Extension,
  handOver,
  type Model,
  type Reading,
  type ReadOptions,
  tokenFlops,
  type Usage,
} from "../../core/model.js";
import type { Passage } from "../../core/step.js";
import type { Engine } from "./engine.js";
import type { EngineUsage, Want } from "./protocol.js";

/** What a branch needs of its model: the numbers to address it by, and whether the engine is still the one it was made in. */
export interface Home {
  readonly model: Model;
  readonly number: number;
  readonly engine: Engine;
  readonly generation: number;
  nextBranch(): number;
}

const mostCandidates = 256;

export class LlamaBranch implements Branch {
  readonly #home: Home;
  readonly #number: number;
  #length: number;
  /** Calls and rollbacks made so far; an answer must not undo a rollback made after its call. */
  #made = 0;
  readonly #rollbacks: { readonly at: number; readonly length: number }[] = [];
  #dropped = false;

  constructor(home: Home, number: number, length: number) {
    this.#home = home;
    this.#number = number;
    this.#length = length;
  }

  get model(): Model {
    return this.#home.model;
  }

  get length(): number {
    return this.#length;
  }

  fork(): LlamaBranch {
    this.#check();
    const child = this.#home.nextBranch();
    this.#home.engine.order({ type: "fork", model: this.#home.number, branch: this.#number, child });
    return new LlamaBranch(this.#home, child, this.#length);
  }

  async append(passage: Passage | string, options: ReadOptions = {}): Promise<Reading> {
    this.#check();
    const made = ++this.#made;
    const answer = await this.#home.engine.call<"append">(
      {
        type: "append",
        model: this.#home.number,
        branch: this.#number,
        input: handOver(passage, this.model),
        want: toWant(options),
      },
      { signal: options.signal },
    );
    const { usage, end, ...reading } = answer;
    this.#setLength(made, end);
    return { ...reading, usage: this.#usage(usage) };
  }

  async extend(options: ExtendOptions): Promise<Extension> {
    this.#check();
    const { splitter, maxTokens, sampling, key, onText, signal } = options;
    if (!Number.isInteger(maxTokens) || maxTokens < 1) {
      throw new StepwrightError("invalid-option", `cannot write ${maxTokens} tokens`, {
        subject: "maxTokens",
      });
    }
    const made = ++this.#made;
    const { usage, end, ...written } = await this.#home.engine.call<"extend">(
      {
        type: "extend",
        model: this.#home.number,
        branch: this.#number,
        splitter,
        maxTokens,
        sampling,
        key,
        stream: onText !== undefined,
      },
      { signal, onText },
    );
    this.#setLength(made, end);
    return { ...written, vocabulary: this.model.vocabulary, usage: this.#usage(usage) };
  }

  trim(length: number): void {
    this.#check();
    if (!Number.isInteger(length) || length < 0) {
      throw new StepwrightError("invalid-option", `cannot roll back to ${length} tokens`, {
        subject: "length",
      });
    }
    this.#rollbacks.push({ at: ++this.#made, length });
    this.#length = Math.min(this.#length, length);
    this.#home.engine.order({ type: "trim", model: this.#home.number, branch: this.#number, length });
  }

  drop(): void {
    if (this.#dropped) return;
    this.#dropped = true;
    if (this.#home.engine.generation !== this.#home.generation) return;
    this.#home.engine.order({ type: "drop", model: this.#home.number, branch: this.#number });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drop();
  }

  #setLength(made: number, end: number): void {
    const later = this.#rollbacks.filter(({ at }) => at > made);
    this.#rollbacks.splice(0, this.#rollbacks.length, ...later);
    this.#length = Math.min(end, ...later.map(({ length }) => length));
  }

  #check(): void {
    if (this.#dropped) throw new StepwrightError("internal", "the branch has been dropped");
    if (this.#home.engine.generation !== this.#home.generation) {
      throw new StepwrightError("engine-failed", "the branch was lost when the engine's process ended", {
        remedy: "run it again: a trace resumes at the step where it was cut",
      });
    }
  }

  #usage({ passes, positions, ...usage }: EngineUsage): Usage {
    const { size } = this.model;
    // Linear in the position, so the sum of positions is enough.
    const flops = passes * tokenFlops(size, 0) + positions * (tokenFlops(size, 1) - tokenFlops(size, 0));
    return { ...usage, flops };
  }
}

function toWant(options: ReadOptions): Want | null {
  const { topK = 0, tokens = [], logprobs = false, hidden = false, row = false } = options;
  if (!Number.isInteger(topK) || topK < 0 || topK > mostCandidates) {
    throw new StepwrightError("invalid-option", `topK is ${topK}, not 0 to ${mostCandidates}`, {
      subject: "topK",
    });
  }
  if (topK === 0 && tokens.length === 0 && !logprobs && !hidden && !row) return null;
  return { topK, tokens, logprobs, hidden, row };
}
