/** A chain of steps scored by their probabilities under the model that reads them. */
import type { AppendOptions, Score, Scorer } from "../core/reward.js";
import type { Step } from "../core/step.js";
import { type Certainty, certainty } from "./certainty.js";
import type { LikelihoodChain } from "./likelihood-chain.js";

export class LikelihoodScorer implements Scorer {
  readonly #chain: LikelihoodChain;
  readonly #feature: Certainty;

  constructor(chain: LikelihoodChain, feature: Certainty) {
    this.#chain = chain;
    this.#feature = feature;
  }

  async append(step: Step, options?: AppendOptions): Promise<Score> {
    const { logprobs, usage } = await this.#chain.append(step, options);
    return { value: certainty(this.#feature, { logprobs, entropies: [] }), usage };
  }

  skip(step: Step): void {
    this.#chain.skip(step);
  }

  fork(): Scorer {
    return new LikelihoodScorer(this.#chain.fork(), this.#feature);
  }

  flopsBound(step: Step): number {
    return this.#chain.flopsBound(step);
  }

  drop(): void {
    this.#chain.drop();
  }
}
