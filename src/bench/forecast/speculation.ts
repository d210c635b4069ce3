/**
 * Whether a draft that guesses single tokens would pay: expected speed-up from the measured cost curve.
 * Source: Leviathan et al., arXiv 2211.17192, section 3; with v(k) measured instead of taken as 1.
 */
import type { ModelCalibration } from "../calibration.js";

export interface Speculation {
  /** Drafted tokens per round, 1 or more, and the speed-up over plain decoding with it. */
  readonly length: number;
  readonly speedUp: number;
}

export const longestDraft = 16;

/** Cost of a pass over k tokens against one, between the measured widths by straight lines. */
export function costCurve(curve: ModelCalibration["curve"], k: number): number {
  const first = curve[0]!;
  const above = curve.findIndex(({ tokens }) => tokens >= k);
  const high = curve[above < 0 ? curve.length - 1 : above]!;
  const low = curve[Math.max(0, (above < 0 ? curve.length : above) - 1)]!;
  if (high.tokens === low.tokens) return high.seconds / first.seconds;
  const share = (k - low.tokens) / (high.tokens - low.tokens);
  return (low.seconds + share * (high.seconds - low.seconds)) / first.seconds;
}

/**
 * `acceptance` per token, independent; `draftCost` is the time of a draft token against a target token. Each round
 * yields (1 - a^(g+1)) / (1 - a) tokens for g drafts and one pass over g + 1.
 */
export function speedUp(
  acceptance: number,
  length: number,
  draftCost: number,
  curve: ModelCalibration["curve"],
): number {
  const tokens = acceptance === 1 ? length + 1 : (1 - acceptance ** (length + 1)) / (1 - acceptance);
  return tokens / (length * draftCost + costCurve(curve, length + 1));
}

export function bestSpeculation(
  acceptance: number,
  draftCost: number,
  curve: ModelCalibration["curve"],
): Speculation {
  let best: Speculation = { length: 1, speedUp: speedUp(acceptance, 1, draftCost, curve) };
  for (let length = 2; length <= longestDraft; length++) {
    const found = speedUp(acceptance, length, draftCost, curve);
    if (found > best.speedUp) best = { length, speedUp: found };
  }
  return best;
}

/** The least acceptance, to a thousandth, with which some length pays; null where none does. */
export function breakEven(draftCost: number, curve: ModelCalibration["curve"]): number | null {
  for (let thousandths = 0; thousandths <= 1000; thousandths++) {
    if (bestSpeculation(thousandths / 1000, draftCost, curve).speedUp > 1) return thousandths / 1000;
  }
  return null;
}
