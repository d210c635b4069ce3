/** Programs that draw at random, and the exact law of what they answer: no sampling, no noise. */
import type { SparseLaw } from "../core/sparse-law.js";
import type { Token } from "../core/step.js";

export interface Weighted<Answer> {
  readonly answer: Answer;
  readonly probability: number;
}

/** Draws a token from a law. `purpose` names the random number: every draw of a program needs its own. */
export type Draw = (law: SparseLaw, purpose: string) => Token;

/** Every answer of a program that draws tokens, with its probability: one run per sequence of draws. */
export function* everyDraw<Answer>(program: (draw: Draw) => Answer): Generator<Weighted<Answer>> {
  /** Which token of its law each draw of the next run takes. */
  const choices: number[] = [];
  do {
    let drawn = 0;
    let probability = 1;
    const widths: number[] = [];
    const answer = program((law) => {
      choices[drawn] ??= 0;
      widths.push(law.tokens.length);
      const choice = choices[drawn++]!;
      probability *= law.probabilities[choice]!;
      return law.tokens[choice]!;
    });
    if (probability > 0) yield { answer, probability };
    choices.length = drawn;
    while (choices.length > 0 && choices.at(-1)! + 1 >= widths[choices.length - 1]!) choices.pop();
    if (choices.length > 0) choices[choices.length - 1]!++;
  } while (choices.length > 0);
}

/** Uniform in [0, 1), the same for the same purpose. */
export type Uniform = (purpose: string) => number;

const gridPoints = 24;
const resolution = 1e-13;

/** Thrown by a coin whose side is not chosen yet. */
class Undecided {
  readonly purpose: string;

  constructor(purpose: string) {
    this.purpose = purpose;
  }
}

/**
 * The law of a program's answer over its coins, by finding where in [0, 1) each coin changes what happens next. Exact
 * to 1e-12 where what happens is constant between a few borders, as it is where coins are compared with probabilities
 * or pick from a law. What a coin does must show in the answer or in which coin is asked next: a program that keeps its
 * value to use it after another coin has to ask for it again there. A region narrower than 1/24 between two alike ones
 * is missed.
 */
export function everyCoin(program: (uniform: Uniform) => string): Map<string, number> {
  const law = new Map<string, number>();
  integrate(program, new Map(), 1, law);
  return law;
}

type Program = (uniform: Uniform) => string;
type Coins = ReadonlyMap<string, number>;

function integrate(program: Program, coins: Coins, weight: number, law: Map<string, number>): void {
  const next = play(program, coins);
  if ("answer" in next) {
    law.set(next.answer, (law.get(next.answer) ?? 0) + weight);
    return;
  }
  const { undecided } = next;
  const at = (value: number) => new Map([...coins, [undecided, value]]);
  const sign = (value: number) => JSON.stringify(play(program, at(value)));
  for (const { from, to } of pieces(sign)) integrate(program, at((from + to) / 2), weight * (to - from), law);
}

function play(program: Program, coins: Coins): { answer: string } | { undecided: string } {
  try {
    const answer = program((purpose) => {
      const value = coins.get(purpose);
      if (value === undefined) throw new Undecided(purpose);
      return value;
    });
    return { answer };
  } catch (error) {
    if (error instanceof Undecided) return { undecided: error.purpose };
    throw error;
  }
}

/** The intervals of [0, 1) on which the sign stays the same. */
function pieces(sign: (value: number) => string): { from: number; to: number }[] {
  const borders = [0];
  const last = 1 - 2 ** -53;
  for (let point = 0; point < gridPoints; point++) {
    const end = point + 1 === gridPoints ? last : (point + 1) / gridPoints;
    bisect(sign, point / gridPoints, end, borders);
  }
  return borders.map((from, index) => ({ from, to: borders[index + 1] ?? 1 }));
}

function bisect(sign: (value: number) => string, low: number, high: number, borders: number[]): void {
  if (sign(low) === sign(high)) return;
  if (high - low < resolution) {
    borders.push(high);
    return;
  }
  const middle = (low + high) / 2;
  bisect(sign, low, middle, borders);
  bisect(sign, middle, high, borders);
}
