/** One kind of reading along a chain of steps: what a model's own figures, a read, or a judge tell of each. */
import { noUsage, type Usage } from "../../core/model.js";
import type { AppendOptions, Scorer, StepLikelihood } from "../../core/reward.js";
import type { Step } from "../../core/step.js";
import { leastTypical, type TokenFigures } from "../certainty.js";
import type { LikelihoodChain } from "../likelihood-chain.js";
import { missingReading } from "./features.js";
import type { ReaderRole, StepReadings } from "./readings.js";

export type PartReading = Partial<Pick<StepReadings, "likelihoods" | "typicals" | "states" | "judges">> & {
  /** Stand in for those of a step that nobody wrote. */
  readonly figures?: Pick<Step, "logprobs" | "entropies">;
  readonly usage: Usage;
};

export interface ReadingPart {
  /** What it reads for, as its cost is told. */
  readonly name: string;
  append(step: Step, options: AppendOptions): Promise<PartReading>;
  skip(step: Step): void;
  flopsBound(step: Step): number;
  fork(): ReadingPart;
  drop(): void;
}

export interface ReadFor {
  readonly role: ReaderRole;
  readonly likelihood: boolean;
  readonly typical: boolean;
  readonly states: boolean;
  /** Whether it reads what nobody wrote, so that such a step has figures too. */
  readonly figures: boolean;
}

/** What one model makes of each step: its own words cost nothing, those of others one read. */
export class LikelihoodPart implements ReadingPart {
  readonly name: string;
  readonly #chain: LikelihoodChain;
  readonly #for: ReadFor;

  constructor(chain: LikelihoodChain, reads: ReadFor) {
    const { role, likelihood, typical, states } = reads;
    this.#chain = chain;
    this.#for = reads;
    this.name = `${likelihood ? "likelihood" : typical ? "typical" : states ? "state" : "figures"}:${role}`;
  }

  async append(step: Step, options: AppendOptions): Promise<PartReading> {
    const { role, likelihood, typical, states, figures } = this.#for;
    const unwritten = figures && step.logprobs.length === 0;
    if (!likelihood && !typical && !states && !unwritten) {
      this.#chain.skip(step);
      return { usage: noUsage };
    }
    const read = await this.#readingOf(step, options);
    return {
      likelihoods: { [role]: read.logprobs },
      typicals: typical ? { [role]: leastTypical(withEntropies(read)) } : {},
      states: read.states ? { [role]: read.states } : {},
      ...(unwritten && { figures: { logprobs: read.logprobs, entropies: read.entropies ?? [] } }),
      usage: read.usage,
    };
  }

  async #readingOf(step: Step, options: AppendOptions): Promise<StepLikelihood> {
    // In a run the run itself knows who wrote the step.
    if (options.likelihood || !this.#wrote(step)) {
      return this.#chain.append(step, { ...options, states: this.#for.states });
    }
    this.#chain.skip(step);
    const { logprobs, entropies, states } = step;
    return { logprobs, entropies, ...(states && { states }), usage: noUsage };
  }

  /** True where the step carries all that reading it could tell. */
  #wrote(step: Step): boolean {
    const { role, states } = this.#for;
    return step.origin === role && step.logprobs.length > 0 && (!states || step.states !== undefined);
  }

  skip(step: Step): void {
    this.#chain.skip(step);
  }

  flopsBound(step: Step): number {
    const { likelihood, typical, states } = this.#for;
    const nothing = !likelihood && !typical && !states && step.logprobs.length > 0;
    return nothing || this.#wrote(step) ? 0 : this.#chain.flopsBound(step);
  }

  fork(): ReadingPart {
    return new LikelihoodPart(this.#chain.fork(), this.#for);
  }

  drop(): void {
    this.#chain.drop();
  }
}

function withEntropies({ logprobs, entropies }: StepLikelihood): TokenFigures {
  if (entropies?.length === logprobs.length) return { logprobs, entropies };
  throw missingReading("a reader's entropies");
}

/** A judge's opinion of each step, read in a context of its own. */
export class JudgePart implements ReadingPart {
  readonly name: string;
  readonly #role: ReaderRole;
  readonly #scorer: Scorer;

  constructor(role: ReaderRole, scorer: Scorer) {
    this.#role = role;
    this.#scorer = scorer;
    this.name = `judge:${role}`;
  }

  async append(step: Step, { signal }: AppendOptions): Promise<PartReading> {
    const { value, usage } = await this.#scorer.append(step, { signal });
    return { judges: { [this.#role]: value }, usage };
  }

  skip(step: Step): void {
    this.#scorer.skip(step);
  }

  flopsBound(step: Step): number {
    return this.#scorer.flopsBound?.(step) ?? 0;
  }

  fork(): ReadingPart {
    return new JudgePart(this.#role, this.#scorer.fork());
  }

  drop(): void {
    this.#scorer.drop();
  }
}
