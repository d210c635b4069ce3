/** Complex numbers as pairs: the values at which expressions are probed. */

export interface Complex {
  readonly re: number;
  readonly im: number;
}

export const real = (re: number): Complex => ({ re, im: 0 });
export const zero = real(0);
export const one = real(1);
export const imaginaryUnit: Complex = { re: 0, im: 1 };

export const add = (a: Complex, b: Complex): Complex => ({ re: a.re + b.re, im: a.im + b.im });
export const subtract = (a: Complex, b: Complex): Complex => ({ re: a.re - b.re, im: a.im - b.im });
/** Never minus zero, which would turn the root of -1 into -i. */
export const negate = (a: Complex): Complex => ({ re: 0 - a.re, im: 0 - a.im });
export const conjugate = (a: Complex): Complex => ({ re: a.re, im: -a.im });
export const magnitude = (a: Complex): number => Math.hypot(a.re, a.im);

export function multiply(a: Complex, b: Complex): Complex {
  // Keeps products of reals real: infinity times zero would put NaN into the imaginary part.
  if (a.im === 0 && b.im === 0) return real(a.re * b.re);
  return { re: a.re * b.re - a.im * b.im, im: a.re * b.im + a.im * b.re };
}

export function divide(a: Complex, b: Complex): Complex {
  if (a.im === 0 && b.im === 0) return real(a.re / b.re);
  const size = b.re * b.re + b.im * b.im;
  return { re: (a.re * b.re + a.im * b.im) / size, im: (a.im * b.re - a.re * b.im) / size };
}

export function exponential(a: Complex): Complex {
  const size = Math.exp(a.re);
  return a.im === 0 ? real(size) : { re: size * Math.cos(a.im), im: size * Math.sin(a.im) };
}

/** The principal branch. */
export function logarithm(a: Complex): Complex {
  return { re: Math.log(magnitude(a)), im: Math.atan2(a.im, a.re) };
}

export function power(base: Complex, exponent: Complex): Complex {
  if (base.im === 0 && exponent.im === 0) {
    if (base.re >= 0 || Number.isInteger(exponent.re)) return real(base.re ** exponent.re);
  }
  if (exponent.im === 0 && Number.isInteger(exponent.re) && Math.abs(exponent.re) <= 64)
    return integerPower(base, exponent.re);
  if (base.re === 0 && base.im === 0) return zero;
  return exponential(multiply(exponent, logarithm(base)));
}

function integerPower(base: Complex, exponent: number): Complex {
  let result = one;
  for (let count = Math.abs(exponent); count > 0; count--) result = multiply(result, base);
  return exponent < 0 ? divide(one, result) : result;
}

export function sine(a: Complex): Complex {
  if (a.im === 0) return real(Math.sin(a.re));
  return { re: Math.sin(a.re) * Math.cosh(a.im), im: Math.cos(a.re) * Math.sinh(a.im) };
}

export function cosine(a: Complex): Complex {
  if (a.im === 0) return real(Math.cos(a.re));
  return { re: Math.cos(a.re) * Math.cosh(a.im), im: -Math.sin(a.re) * Math.sinh(a.im) };
}

const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** The gamma function by Lanczos' approximation (g = 7, nine terms), about 15 digits. */
export function gamma(a: Complex): Complex {
  if (a.re < 0.5) {
    const reflected = multiply(sine(multiply(real(Math.PI), a)), gamma(subtract(one, a)));
    return divide(real(Math.PI), reflected);
  }
  const shifted = subtract(a, one);
  let sum = real(lanczos[0]!);
  for (let index = 1; index < lanczos.length; index++)
    sum = add(sum, divide(real(lanczos[index]!), add(shifted, real(index))));
  const base = add(shifted, real(7.5));
  const raised = multiply(power(base, add(shifted, real(0.5))), exponential(negate(base)));
  return multiply(multiply(real(Math.sqrt(2 * Math.PI)), raised), sum);
}
