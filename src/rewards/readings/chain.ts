/** All readings of one chain of steps, gathered side by side: a step's readings are complete or it is not in the chain. */
import { StepwrightError } from "../../core/errors.js";
import { addUsage, noUsage } from "../../core/model.js";
import type { AppendOptions } from "../../core/reward.js";
import type { Step } from "../../core/step.js";
import type { TokenFigures } from "../certainty.js";
import type { ReadingPart } from "./reading-part.js";
import type { ReadingChain, ReadingCost, StepReadings } from "./readings.js";

/** Parts that have read no step: every chain of one question starts from them, the last one frees them. */
export class QuestionParts {
  readonly #parts: readonly ReadingPart[];
  #users = 0;

  constructor(parts: readonly ReadingPart[]) {
    this.#parts = parts;
  }

  enter(): void {
    this.#users++;
  }

  leave(): void {
    if (--this.#users === 0) for (const part of this.#parts) part.drop();
  }

  fork(): ReadingPart[] {
    return this.#parts.map((part) => part.fork());
  }
}

/** A step at its place: the same step may stand twice in a chain. */
interface Entry {
  readonly step: Step;
}

/** Not what was read for a step that nobody wrote: a chain must tell the same whether its steps were read or skipped. */
function figuresOfDraft({ step: { origin, logprobs, entropies } }: Entry): TokenFigures[] {
  return origin === "draft" ? [{ logprobs, entropies }] : [];
}

export class PartsChain implements ReadingChain {
  readonly #question: QuestionParts;
  #entries: readonly Entry[];
  #parts: readonly ReadingPart[];
  /** How many leading steps the parts were given. */
  #given: number;
  #dropped = false;
  /** Appends are served one after the other, in the order they were made. */
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(question: QuestionParts, entries: readonly Entry[] = [], parts = question.fork(), given = 0) {
    question.enter();
    this.#question = question;
    this.#entries = entries;
    this.#parts = parts;
    this.#given = given;
  }

  append(step: Step, options: AppendOptions = {}): Promise<{ readings: StepReadings; cost: ReadingCost }> {
    this.#refuseDropped();
    const entry = { step };
    this.#entries = [...this.#entries, entry];
    this.#waiting++;
    const gathered = this.#tail.then(() => this.#gather(entry, options)).finally(() => this.#waiting--);
    this.#tail = gathered.catch(() => {});
    return gathered;
  }

  async #gather(
    entry: Entry,
    options: AppendOptions,
  ): Promise<{ readings: StepReadings; cost: ReadingCost }> {
    const { step } = entry;
    try {
      this.#refuseDropped();
      const index = this.#entries.indexOf(entry);
      this.#give(index);
      this.#given = index + 1;
      const told = await Promise.all(
        this.#parts.map(async (part) => ({ name: part.name, ...(await part.append(step, options)) })),
      );
      const figures = told.find((part) => part.figures)?.figures ?? step;
      const { text, tokens, stop } = step;
      return {
        readings: {
          step: { text, tokens, stop, logprobs: figures.logprobs, entropies: figures.entropies },
          index,
          earlier: this.#entries.slice(0, index).flatMap(figuresOfDraft),
          likelihoods: Object.assign({}, ...told.map(({ likelihoods }) => likelihoods)),
          typicals: Object.assign({}, ...told.map(({ typicals }) => typicals)),
          states: Object.assign({}, ...told.map(({ states }) => states)),
          judges: Object.assign({}, ...told.map(({ judges }) => judges)),
        },
        cost: {
          usage: told.reduce((sum, { usage }) => addUsage(sum, usage), noUsage),
          parts: Object.fromEntries(told.map(({ name, usage }) => [name, usage])),
        },
      };
    } catch (error) {
      this.#entries = this.#entries.filter((each) => each !== entry);
      // Some parts have read the step and some have not.
      if (!this.#dropped) this.#restart();
      throw error;
    }
  }

  skip(step: Step): void {
    this.#refuseDropped();
    this.#entries = [...this.#entries, { step }];
    if (this.#waiting === 0) this.#give(this.#entries.length);
  }

  /** Also of the steps that were skipped and are still to be read. */
  flopsBound(step: Step): number {
    return this.#parts.reduce((sum, part) => sum + part.flopsBound(step), 0);
  }

  /** While an append is under way, what the parts hold is not settled: the fork reads for itself. */
  fork(): ReadingChain {
    this.#refuseDropped();
    if (this.#waiting > 0) {
      const fresh = new PartsChain(this.#question, this.#entries);
      fresh.#give(this.#entries.length);
      return fresh;
    }
    const parts = this.#parts.map((part) => part.fork());
    return new PartsChain(this.#question, this.#entries, parts, this.#given);
  }

  drop(): void {
    if (this.#dropped) return;
    this.#dropped = true;
    for (const part of this.#parts) part.drop();
    this.#question.leave();
  }

  /** The parts are told of the first `count` steps; they read them when they must. */
  #give(count: number): void {
    for (const { step } of this.#entries.slice(this.#given, count)) {
      for (const part of this.#parts) part.skip(step);
    }
    this.#given = count;
  }

  #restart(): void {
    for (const part of this.#parts) part.drop();
    this.#parts = this.#question.fork();
    this.#given = 0;
  }

  #refuseDropped(): void {
    if (this.#dropped)
      throw new StepwrightError("internal", "the readings were used after they were dropped");
  }
}
