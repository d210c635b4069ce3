/**
 * How accuracy saturates with the number of samples, and from which number on one more is worth less than `epsilon`.
 * Source: card ttspm (TTSPM, arXiv 2505.20522), steps 1 to 4, and its form for problems of unequal difficulty.
 */
import { generator } from "../../core/generator.js";

/** Of one question: samples drawn, and how many were right. */
export interface Outcome {
  readonly samples: number;
  readonly right: number;
}

/** F(N): the share of questions solved within N samples, and what sample N + 1 adds. */
export interface SaturationModel {
  readonly kind: "single" | "beta";
  /** `single`: the reachable share and the chance per sample; `beta`: the law's two parameters. */
  readonly parameters: readonly [number, number];
  solved(samples: number): number;
  gain(samples: number): number;
}

export interface SaturationFit {
  readonly model: SaturationModel;
  /** Mean log-likelihood per question on questions left out of the fit, five folds. */
  readonly heldOut: number;
  readonly saturation: number;
  /** By bootstrap over questions. */
  readonly saturationCi95: readonly [low: number, high: number];
}

/** Beyond so many samples nobody draws; a saturation point there reads "not within". */
export const mostSamples = 100_000;

/** Every solvable question has the same chance p per sample: F(N) = Fmax (1 - (1 - p)^N). */
export function singleModel(reachable: number, chance: number): SaturationModel {
  return {
    kind: "single",
    parameters: [reachable, chance],
    solved: (samples) => reachable * (1 - (1 - chance) ** samples),
    gain: (samples) => reachable * chance * (1 - chance) ** samples,
  };
}

/** Chances differ from question to question, by a Beta(a, b) law: the curve then flattens as a power of N. */
export function betaModel(a: number, b: number): SaturationModel {
  const missed = (samples: number) => Math.exp(logBeta(a, b + samples) - logBeta(a, b));
  return {
    kind: "beta",
    parameters: [a, b],
    solved: (samples) => 1 - missed(samples),
    gain: (samples) => Math.exp(logBeta(a + 1, b + samples) - logBeta(a, b)),
  };
}

/** The least number of samples, at least 1, after which one more gains at most `epsilon`. */
export function saturationPoint(model: SaturationModel, epsilon: number): number {
  let [low, high] = [0, 1];
  while (high < mostSamples && model.gain(high) > epsilon) [low, high] = [high, high * 2];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (model.gain(middle) > epsilon) low = middle;
    else high = middle;
  }
  return Math.min(high, mostSamples);
}

/** Both models, the one first that foretells left-out questions better. */
export function fitSaturation(outcomes: readonly Outcome[], epsilon: number): SaturationFit[] {
  const fits = [fitSingle, fitBeta].map((estimate) => {
    const model = estimate(outcomes);
    return {
      model,
      heldOut: heldOutLikelihood(outcomes, estimate),
      saturation: saturationPoint(model, epsilon),
      saturationCi95: bootstrap(outcomes, (drawn) => saturationPoint(estimate(drawn), epsilon)),
    };
  });
  return fits.sort((a, b) => b.heldOut - a.heldOut);
}

/** Maximum likelihood by expectation-maximisation: a question is solvable with chance Fmax, each sample right with p. */
export function fitSingle(outcomes: readonly Outcome[]): SaturationModel {
  const counts = counted(outcomes);
  const right = sumOf(counts, ({ right }) => right);
  if (right === 0) return singleModel(0, 0);
  const total = sumOf(counts, () => 1);
  let [reachable, chance] = [0.5, 0.5];
  for (let round = 0; round < 3000; round++) {
    let [solvable, tries] = [0, 0];
    for (const { outcome, count } of counts) {
      const missed = reachable * (1 - chance) ** outcome.samples;
      // A question without a right sample may be beyond reach, or unlucky.
      const share = outcome.right > 0 ? 1 : missed / (missed + 1 - reachable || 1);
      solvable += share * count;
      tries += share * outcome.samples * count;
    }
    const next = [solvable / total, Math.min(1 - 1e-12, right / tries)] as const;
    const moved = Math.abs(next[0] - reachable) + Math.abs(next[1] - chance);
    [reachable, chance] = next;
    if (moved < 1e-10) break;
  }
  return singleModel(reachable, chance);
}

/** Maximum likelihood of the beta-binomial law, by a search over the logarithms of a and b. */
export function fitBeta(outcomes: readonly Outcome[]): SaturationModel {
  const counts = counted(outcomes);
  const value = (a: number, b: number) => sumOf(counts, (outcome) => betaLikelihood(outcome, a, b));
  let [logA, logB] = [0, 0];
  let best = value(1, 1);
  for (let step = 2; step > 1e-4; step /= 2) {
    for (let improved = true; improved; ) {
      improved = false;
      for (const [da, db] of [
        [1, 0],
        [-1, 0],
        [0, 1],
        [0, -1],
        [1, 1],
        [-1, -1],
        [1, -1],
        [-1, 1],
      ] as const) {
        const [a, b] = [logA + da * step, logB + db * step];
        if (Math.max(Math.abs(a), Math.abs(b)) > 12) continue;
        const found = value(Math.exp(a), Math.exp(b));
        if (found > best + 1e-12) [logA, logB, best, improved] = [a, b, found, true];
      }
    }
  }
  return betaModel(Math.exp(logA), Math.exp(logB));
}

interface Counted {
  readonly outcome: Outcome;
  readonly count: number;
}

/** Equal outcomes together: the likelihood costs as many terms as there are kinds. */
function counted(outcomes: readonly Outcome[]): Counted[] {
  const kinds = new Map<string, { outcome: Outcome; count: number }>();
  for (const outcome of outcomes) {
    const key = `${outcome.samples} ${outcome.right}`;
    const kind = kinds.get(key);
    if (kind) kind.count++;
    else kinds.set(key, { outcome, count: 1 });
  }
  return [...kinds.values()];
}

function sumOf(counts: readonly Counted[], value: (outcome: Outcome) => number): number {
  return counts.reduce((sum, { outcome, count }) => sum + count * value(outcome), 0);
}

function betaLikelihood({ samples, right }: Outcome, a: number, b: number): number {
  return logChoose(samples, right) + logBeta(a + right, b + samples - right) - logBeta(a, b);
}

function likelihood({ kind, parameters: [first, second] }: SaturationModel, outcome: Outcome): number {
  if (kind === "beta") return betaLikelihood(outcome, first, second);
  const { samples, right } = outcome;
  const hit = Math.exp(
    logChoose(samples, right) + right * Math.log(second || 1e-300) + (samples - right) * Math.log1p(-second),
  );
  return Math.log(Math.max(1e-300, first * hit + (right === 0 ? 1 - first : 0)));
}

function heldOutLikelihood(
  outcomes: readonly Outcome[],
  estimate: (outcomes: readonly Outcome[]) => SaturationModel,
): number {
  const folds = Math.min(5, outcomes.length);
  let sum = 0;
  for (let fold = 0; fold < folds; fold++) {
    const model = estimate(outcomes.filter((_, index) => index % folds !== fold));
    for (let index = fold; index < outcomes.length; index += folds)
      sum += likelihood(model, outcomes[index]!);
  }
  return sum / outcomes.length;
}

function bootstrap(
  outcomes: readonly Outcome[],
  statistic: (outcomes: readonly Outcome[]) => number,
): [low: number, high: number] {
  const random = generator("saturation");
  const values = Array.from({ length: 200 }, () =>
    statistic(outcomes.map(() => outcomes[Math.floor(random() * outcomes.length)]!)),
  ).sort((a, b) => a - b);
  return [values[4]!, values[195]!];
}

function logChoose(n: number, k: number): number {
  return -Math.log(n + 1) - logBeta(n - k + 1, k + 1);
}

function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/** Stirling's series, after moving the argument above 10 where it is exact to twelve digits. */
function logGamma(x: number): number {
  let shift = 0;
  let at = x;
  for (; at < 10; at++) shift += Math.log(at);
  const inverse = 1 / at;
  const square = inverse * inverse;
  const series =
    inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188))));
  return (at - 0.5) * Math.log(at) - at + 0.5 * Math.log(2 * Math.PI) + series - shift;
}
