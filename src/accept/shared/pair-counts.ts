/** How often a draft's token stood where the target wanted another one. Card csd. */
import { StepwrightError } from "../../core/errors.js";
import type { Token } from "../../core/step.js";

/** Above it the rarest pairs are forgotten. */
const mostPairs = 100_000;

export class PairCounts {
  readonly #counts: Map<string, number>;

  private constructor(counts: Map<string, number>) {
    this.#counts = counts;
  }

  static empty(): PairCounts {
    return new PairCounts(new Map());
  }

  /** Reads what `toText` wrote. Throws `invalid-option`. */
  static fromText(text: string): PairCounts {
    let given: unknown;
    try {
      given = JSON.parse(text);
    } catch (cause) {
      throw invalid("is no JSON", cause);
    }
    if (typeof given !== "object" || given === null || Array.isArray(given)) throw invalid("is no object");
    const entries = Object.entries(given);
    if (entries.length > mostPairs) throw invalid(`holds more than ${mostPairs} pairs`);
    for (const [pair, count] of entries) {
      if (!/^\d+ \d+$/.test(pair) || !Number.isSafeInteger(count) || count < 1) {
        throw invalid(`holds ${JSON.stringify(pair)}, which is no pair of ids with a count`);
      }
    }
    return new PairCounts(new Map(entries));
  }

  count(draft: Token, target: Token): number {
    return this.#counts.get(`${draft} ${target}`) ?? 0;
  }

  add(draft: Token, target: Token): void {
    const pair = `${draft} ${target}`;
    this.#counts.set(pair, (this.#counts.get(pair) ?? 0) + 1);
    if (this.#counts.size > mostPairs) this.#forget();
  }

  get size(): number {
    return this.#counts.size;
  }

  /** Most frequent first; equal ones by their ids, so that equal counts give equal texts. */
  toText(): string {
    return JSON.stringify(Object.fromEntries(this.#ranked()));
  }

  #ranked(): [string, number][] {
    return [...this.#counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  }

  /** Half of them at once, so that this is rare. */
  #forget(): void {
    for (const [pair] of this.#ranked().slice(mostPairs / 2)) this.#counts.delete(pair);
  }
}

function invalid(what: string, cause?: unknown): StepwrightError {
  return new StepwrightError("invalid-option", `the table of calibrated-rescue ${what}`, {
    subject: "table",
    remedy: 'give the text that calibration wrote: {"draft-id target-id": count, ...}',
    cause,
  });
}
