/** From figures to pixels, and where the ticks go. */
import { metric } from "../figures-text.js";

export interface Scale {
  /** Pixels of a value. */
  at(value: number): number;
  readonly ticks: readonly { readonly value: number; readonly label: string }[];
}

type Range = readonly [from: number, to: number];

export function linearScale(
  domain: Range,
  pixels: Range,
  format: (value: number) => string,
  count = 5,
): Scale {
  const step = niceStep((domain[1] - domain[0]) / count);
  const first = Math.ceil(domain[0] / step - 1e-9);
  const last = Math.floor(domain[1] / step + 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
  return {
    at: (value) => pixels[0] + ((value - domain[0]) / (domain[1] - domain[0])) * (pixels[1] - pixels[0]),
    ticks: ticks.map((value) => ({ value, label: format(value) })),
  };
}

/** Values must be above 0. With `ticks`, these instead of round ones. */
export function logScale(
  domain: Range,
  pixels: Range,
  format = (value: number) => metric(value).trim(),
  ticks = roundValues(domain),
): Scale {
  const [low, high] = domain.map(Math.log10) as [number, number];
  return {
    at: (value) => pixels[0] + ((Math.log10(value) - low) / (high - low)) * (pixels[1] - pixels[0]),
    ticks: ticks.map((value) => ({ value, label: format(value) })),
  };
}

function roundValues([from, to]: Range): number[] {
  const decades = Math.log10(to / from);
  const mantissas = decades > 3 ? [1] : decades > 1.2 ? [1, 3] : [1, 2, 5];
  const values: number[] = [];
  for (let power = Math.floor(Math.log10(from)); 10 ** power <= to; power++) {
    for (const mantissa of mantissas) {
      const value = mantissa * 10 ** power;
      if (value >= from * (1 - 1e-9) && value <= to * (1 + 1e-9)) values.push(value);
    }
  }
  return values;
}

/** A little more than the values span, so that no mark sits on the frame. */
export function padded(values: readonly number[], { log = false, share = 0.08 } = {}): [number, number] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  if (log) {
    const margin = Math.max(1.3, (high / low) ** share);
    return [low / margin, high * margin];
  }
  const margin = Math.max(1e-3, (high - low) * share);
  return [low - margin, high + margin];
}

/** 1, 2 or 5 times a power of ten. */
function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((mantissa) => mantissa * power >= rough * 0.999) ?? 10);
}
