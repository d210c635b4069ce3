/** Whether two expressions are the same, by their values at points that know nothing of them. */
import { type Complex, magnitude, subtract } from "./complex.js";
import { evaluate, type Values } from "./evaluate.js";
import { type Expression, formOf, symbolsOf } from "./expression.js";
import { complexPoint, positivePoint } from "./probe-points.js";

export interface Probing {
  /** What symbols such as `pi` stand for; a symbol without a value here is free. */
  readonly constants?: ReadonlyMap<string, Complex> | undefined;
  /** Positive reals instead of complex points: then the square root of a square is the thing itself. */
  readonly positive?: boolean;
}

const probes = 6;
const needed = 3;

/**
 * True if both have the same value wherever they were probed. Distinct analytic expressions agree at random points
 * with probability zero, so the only doubt is rounding: a relative difference of 1e-9 passes, of 1e-12 without letters. False if neither form nor values say that they are the same.
 */
export function sameValue(left: Expression, right: Expression, probing: Probing = {}): boolean {
  if (formOf(left) === formOf(right)) return true;
  const free = [...symbolsOf(left), ...symbolsOf(right)].some((name) => !probing.constants?.has(name));
  const tolerance = free ? 1e-9 : 1e-12;
  let agreed = 0;
  for (let probe = 0; probe < probes; probe++) {
    const values = valuesAt(probe, probing);
    const [a, b] = [finiteValue(left, values), finiteValue(right, values)];
    if (a === undefined || b === undefined) continue;
    if (magnitude(subtract(a, b)) > tolerance * Math.max(magnitude(a), magnitude(b), 1e-12)) return false;
    agreed++;
    if (!free) return true;
  }
  return agreed >= needed;
}

/** The value of an expression without free symbols; undefined if it has some, or no finite value. */
export function constantValue(expression: Expression, probing: Probing = {}): Complex | undefined {
  const free = [...symbolsOf(expression)].some((name) => !probing.constants?.has(name));
  return free ? undefined : finiteValue(expression, valuesAt(0, probing));
}

function valuesAt(probe: number, { constants, positive }: Probing): Values {
  const point = positive ? positivePoint : complexPoint;
  return (name) => constants?.get(name) ?? point(name, probe);
}

function finiteValue(expression: Expression, values: Values): Complex | undefined {
  try {
    const value = evaluate(expression, values);
    return Number.isFinite(value.re) && Number.isFinite(value.im) ? value : undefined;
  } catch {
    // No value here: a relation, a list, or nested too deeply.
    return undefined;
  }
}
