/** The value of an expression when its symbols have given values. */
import {
  add,
  type Complex,
  conjugate,
  cosine,
  divide,
  exponential,
  gamma,
  imaginaryUnit,
  logarithm,
  magnitude,
  multiply,
  negate,
  one,
  power,
  real,
  sine,
  subtract,
  zero,
} from "./complex.js";
import type { Expression } from "./expression.js";
import { seedOf, sequence } from "./probe-points.js";

/** Thrown for what has no single value: relations, collections, operations that are not known. */
export class NoValue extends Error {}

export type Values = (name: string) => Complex;

export function evaluate(expression: Expression, values: Values): Complex {
  switch (expression.kind) {
    case "number":
      return real(expression.value);
    case "symbol":
      return values(expression.name);
    case "function":
      return unknownFunction(
        expression.name,
        expression.operands.map((operand) => evaluate(operand, values)),
      );
    case "operation": {
      if (expression.name === "sum" || expression.name === "product") return series(expression, values);
      const apply = operations[expression.name];
      if (apply === undefined) throw new NoValue(expression.name);
      return apply(...expression.operands.map((operand) => evaluate(operand, values)));
    }
    default:
      throw new NoValue(expression.kind);
  }
}

type Operation = (...operands: Complex[]) => Complex;

const unary = (apply: (a: Complex) => Complex): Operation => apply as Operation;
const parts = (apply: (part: number) => number) => unary((a) => ({ re: apply(a.re), im: apply(a.im) }));
const inverse = (apply: (a: Complex) => Complex) => unary((a) => apply(divide(one, a)));
const reciprocal = (apply: (a: Complex) => Complex) => unary((a) => divide(one, apply(a)));

const squareRoot = (a: Complex) => power(a, real(0.5));
const tangent = (a: Complex) => divide(sine(a), cosine(a));
const hyperbolicSine = (a: Complex) => divide(subtract(exponential(a), exponential(negate(a))), real(2));
const hyperbolicCosine = (a: Complex) => divide(add(exponential(a), exponential(negate(a))), real(2));

function arcSine(a: Complex): Complex {
  if (a.im === 0 && Math.abs(a.re) <= 1) return real(Math.asin(a.re));
  const root = squareRoot(subtract(one, multiply(a, a)));
  return multiply(negate(imaginaryUnit), logarithm(add(multiply(imaginaryUnit, a), root)));
}

const arcCosine = (a: Complex) => subtract(real(Math.PI / 2), arcSine(a));

function arcTangent(a: Complex): Complex {
  if (a.im === 0) return real(Math.atan(a.re));
  const turned = multiply(imaginaryUnit, a);
  const ratio = divide(add(one, turned), subtract(one, turned));
  return divide(logarithm(ratio), { re: 0, im: 2 });
}

function factorial(a: Complex): Complex {
  if (a.im === 0 && Number.isInteger(a.re) && a.re >= 0) {
    let product = 1;
    for (let factor = 2; factor <= Math.min(a.re, 171); factor++) product *= factor;
    return real(product);
  }
  return gamma(add(a, one));
}

function binomial(n: Complex, k: Complex): Complex {
  if (k.im === 0 && Number.isInteger(k.re) && k.re >= 0 && k.re <= 1000) {
    let product = one;
    for (let index = 0; index < k.re; index++)
      product = divide(multiply(product, subtract(n, real(index))), real(index + 1));
    return product;
  }
  return divide(factorial(n), multiply(factorial(k), factorial(subtract(n, k))));
}

const operations: Readonly<Record<string, Operation>> = {
  add: (...operands) => operands.reduce(add, zero),
  multiply: (...operands) => operands.reduce(multiply, one),
  negate: unary(negate),
  divide: (a, b) => divide(a!, b!),
  power: (a, b) => power(a!, b!),
  root: (a, degree) => root(a!, degree!),
  "square-root": unary(squareRoot),
  absolute: unary((a) => real(magnitude(a))),
  conjugate: unary(conjugate),
  floor: parts(Math.floor),
  ceiling: parts(Math.ceil),
  factorial: unary(factorial),
  binomial: (n, k) => binomial(n!, k!),
  exponential: unary(exponential),
  logarithm: (a, base) => (base === undefined ? logarithm(a!) : divide(logarithm(a!), logarithm(base))),
  sine: unary(sine),
  cosine: unary(cosine),
  tangent: unary(tangent),
  secant: reciprocal(cosine),
  cosecant: reciprocal(sine),
  cotangent: reciprocal(tangent),
  "arc-sine": unary(arcSine),
  "arc-cosine": unary(arcCosine),
  "arc-tangent": unary(arcTangent),
  "arc-secant": inverse(arcCosine),
  "arc-cosecant": inverse(arcSine),
  "arc-cotangent": inverse(arcTangent),
  "hyperbolic-sine": unary(hyperbolicSine),
  "hyperbolic-cosine": unary(hyperbolicCosine),
  "hyperbolic-tangent": unary((a) => divide(hyperbolicSine(a), hyperbolicCosine(a))),
};

/** Odd roots of negative numbers are real here, as schools have it. */
function root(a: Complex, degree: Complex): Complex {
  if (a.im === 0 && a.re < 0 && degree.im === 0 && Math.abs(degree.re % 2) === 1)
    return real(-((-a.re) ** (1 / degree.re)));
  return power(a, divide(one, degree));
}

const longestSeries = 2000;

/** Operands: the term, the index as a symbol, first, last. */
function series(expression: Extract<Expression, { kind: "operation" }>, values: Values): Complex {
  const [term, index, first, last] = expression.operands;
  const from = evaluate(first!, values);
  const to = evaluate(last!, values);
  const whole = [from, to].every((end) => end.im === 0 && Number.isInteger(end.re));
  if (index?.kind !== "symbol" || !whole || to.re - from.re > longestSeries)
    throw new NoValue(expression.name);
  let total = expression.name === "sum" ? zero : one;
  for (let at = from.re; at <= to.re; at++) {
    const value = evaluate(term!, (name) => (name === index.name ? real(at) : values(name)));
    total = expression.name === "sum" ? add(total, value) : multiply(total, value);
  }
  return total;
}

/** A smooth function fixed by its name: equal arguments, nearly equal values, and nothing else in common. */
function unknownFunction(name: string, operands: readonly Complex[]): Complex {
  const next = sequence(seedOf(`${name}/${operands.length}`));
  let total: Complex = { re: next(), im: next() };
  for (let wave = 0; wave < 3; wave++) {
    let phase = real(next());
    for (const operand of operands) phase = add(phase, multiply(real(0.5 + next()), operand));
    total = add(total, multiply(real(0.5 + next()), cosine(phase)));
  }
  return total;
}
