/** The hidden states over a step, boiled down to three while the step is written or read. */
import type { StepStates } from "./step.js";

export class GrowingStates {
  #count = 0;
  #lowest = Number.POSITIVE_INFINITY;
  #least: Float32Array | null = null;
  #end: Float32Array | null = null;
  /** In double precision: a step may have thousands of tokens. */
  #sum: Float64Array | null = null;

  /** The next token's: the state where its law was read, and its log-probability. Keeps the array. */
  add(state: Float32Array, logprob: number): void {
    this.#count++;
    this.#end = state;
    this.#addToSum(state, 1);
    this.#see(state, logprob);
  }

  /** Those of the next tokens, already boiled down: how likely each token was. */
  join({ least, mean, end }: StepStates, logprobs: readonly number[]): void {
    this.#count += logprobs.length;
    this.#end = end;
    this.#addToSum(mean, logprobs.length);
    this.#see(least, Math.min(...logprobs));
  }

  /** Of a step of so many tokens; undefined if any of them came without a state, and of no token. */
  over(tokens: number): StepStates | undefined {
    if (tokens === 0 || tokens !== this.#count || !this.#least || !this.#sum || !this.#end) return undefined;
    return { least: this.#least, mean: Float32Array.from(this.#sum, (sum) => sum / tokens), end: this.#end };
  }

  #addToSum(state: Float32Array, weight: number): void {
    this.#sum ??= new Float64Array(state.length);
    for (let index = 0; index < state.length; index++) this.#sum[index]! += weight * state[index]!;
  }

  #see(state: Float32Array, logprob: number): void {
    // The first of equals.
    if (this.#least && !(logprob < this.#lowest)) return;
    this.#least = state;
    this.#lowest = logprob;
  }
}
