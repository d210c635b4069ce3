/**
 * What is left of the target's law while drafts are tested and refused, on the asked tokens and one mass for all others.
 * No residual of rejection sampling ever tells tokens outside the drafts' laws apart: there it stays proportional to the
 * target's law, so one token drawn from that law outside the asked ones stands for all of them.
 * Card speculative-sampling, A and D.
 */
import type { Candidate, TreeRow } from "./model.js";
import { probabilityOf, type SparseLaw } from "./sparse-law.js";
import type { Token } from "./step.js";

export class ResidualLaw {
  readonly #asked: readonly Token[];
  /** Add up to 1 together with `outside`. */
  readonly #masses: readonly number[];
  /** Probability of all tokens that were not asked for. */
  readonly outside: number;

  private constructor(asked: readonly Token[], masses: readonly number[], outside: number) {
    this.#asked = asked;
    this.#masses = masses;
    this.outside = outside;
  }

  /** The target's processed law as a row tells it. */
  static ofRow(row: TreeRow, asked: readonly Token[]): ResidualLaw {
    const inside = row.probabilities.reduce((sum, p) => sum + p, 0);
    // Sums of a million-token law miss 1 by rounding: a row without a token outside has no mass there.
    const outside = row.outside === null ? 0 : Math.max(0, 1 - inside);
    return new ResidualLaw(asked, row.probabilities, outside).#normalised() ?? refuse();
  }

  /** Of an asked token. */
  probability(token: Token): number {
    const index = this.#asked.indexOf(token);
    if (index < 0) throw new RangeError(`token ${token} was not asked for`);
    return this.#masses[index]!;
  }

  /** norm((this - law)+): what is left after a draft from the law was refused. */
  minus(law: SparseLaw): ResidualLaw {
    return this.map((token, mass) => mass - probabilityOf(token, law));
  }

  /** Zero at the token, renormalised: what is left after a draft that was no draw was refused. */
  without(token: Token): ResidualLaw {
    return this.map((other, mass) => (other === token ? 0 : mass));
  }

  /**
   * Other masses for the asked tokens, clipped at 0, and all renormalised. Where nothing is left, a refusal had
   * probability 0 and came from rounding: the law stays as it was.
   */
  map(change: (token: Token, mass: number) => number): ResidualLaw {
    const masses = this.#asked.map((token, index) => Math.max(0, change(token, this.#masses[index]!)));
    return new ResidualLaw(this.#asked, masses, this.outside).#normalised() ?? this;
  }

  /** The asked token at this point of the cumulative law, or null for one outside; `uniform` in [0, 1). */
  pick(uniform: number): Token | null {
    let left = uniform;
    let last: Token | null = null;
    for (const [index, mass] of this.#masses.entries()) {
      if (mass === 0) continue;
      if (left < mass) return this.#asked[index]!;
      left -= mass;
      last = this.#asked[index]!;
    }
    return this.outside > 0 ? null : last;
  }

  /** A token of this law with the target's log-probability. `row` and the law must be of the same place. */
  write(row: TreeRow, uniform: number): Candidate {
    const token = this.pick(uniform);
    if (token === null) return row.outside!;
    return { token, logprob: row.logprobs[this.#asked.indexOf(token)]! };
  }

  #normalised(): ResidualLaw | null {
    const total = this.#masses.reduce((sum, mass) => sum + mass, this.outside);
    if (!(total > 0)) return null;
    if (total === 1) return this;
    return new ResidualLaw(
      this.#asked,
      this.#masses.map((mass) => mass / total),
      this.outside / total,
    );
  }
}

function refuse(): never {
  throw new RangeError("a law without any mass");
}
