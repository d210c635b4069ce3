/** Scores steps by what a chain reads of them. */
import type { AppendOptions, Score, Scorer } from "../core/reward.js";
import type { Step } from "../core/step.js";

/** What `Scorer` does, with a reading in place of the score. */
interface Chain<Read> {
  append(step: Step, options?: AppendOptions): Promise<Read>;
  skip(step: Step): void;
  fork(): Chain<Read>;
  flopsBound(step: Step): number;
  drop(): void;
}

export class ReadingScorer<Read> implements Scorer {
  readonly #chain: Chain<Read>;
  readonly #scoreOf: (read: Read) => Score | Promise<Score>;

  /** Owns the chain. */
  constructor(chain: Chain<Read>, scoreOf: (read: Read) => Score | Promise<Score>) {
    this.#chain = chain;
    this.#scoreOf = scoreOf;
  }

  async append(step: Step, options?: AppendOptions): Promise<Score> {
    return this.#scoreOf(await this.#chain.append(step, options));
  }

  skip(step: Step): void {
    this.#chain.skip(step);
  }

  fork(): Scorer {
    return new ReadingScorer(this.#chain.fork(), this.#scoreOf);
  }

  flopsBound(step: Step): number {
    return this.#chain.flopsBound(step);
  }

  drop(): void {
    this.#chain.drop();
  }
}
