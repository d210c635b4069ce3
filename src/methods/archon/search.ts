/**
 * Finds an architecture for a benchmark under a budget of calls: Bayesian optimisation over the integers that
 * describe one, with a Gaussian process. Source: Saad-Falcon et al., arXiv 2409.15254, section 3.3; card archon.
 */
import { StepwrightError } from "../../core/errors.js";
import { keyedUniform } from "../../core/random.js";
import { mostCalls, parseArchitecture } from "./architecture.js";

/** What may be varied: the values of each axis, ascending. */
export interface ArchitectureSpace {
  /** Answers that the draft writes; and those that the target writes beside them. */
  readonly samples: readonly number[];
  readonly targetSamples: readonly number[];
  readonly fusionLayers: readonly number[];
  /** Texts of each fusion layer but the last, which writes one. */
  readonly fusers: readonly number[];
  /** Whether a critique and a ranking stand before the fusion: 0 or 1. */
  readonly ranked: readonly number[];
  /** What stands before the end: 0 nothing, 1 verify, 2 test. */
  readonly checked: readonly number[];
}

export const defaultSpace: ArchitectureSpace = {
  samples: [1, 2, 3, 4, 5, 6, 8, 10],
  targetSamples: [0, 1, 2, 3, 4],
  fusionLayers: [0, 1, 2, 3],
  fusers: [1, 2, 3, 4, 6],
  ranked: [0, 1],
  checked: [0, 1, 2],
};

const axes = ["samples", "targetSamples", "fusionLayers", "fusers", "ranked", "checked"] as const;
type Point = readonly number[];

export interface SearchOptions {
  readonly space?: ArchitectureSpace;
  /** Architectures that may make more calls score -1 without being tried. */
  readonly callLimit: number;
  /** Tries drawn at random before the process has anything to go by; default 10. */
  readonly first?: number;
  /** Tries in all; default 40. */
  readonly tries?: number;
  readonly seed?: number;
  /** `random` draws all tries: the baseline. */
  readonly strategy?: "bayesian" | "random";
}

export interface Trial {
  readonly architecture: string;
  readonly score: number;
}

/** Tries architectures, none twice; best first. Throws `invalid-option` where none is within the limit of calls. */
export async function searchArchitecture(
  evaluate: (architecture: string) => Promise<number>,
  { space = defaultSpace, callLimit, first = 10, tries = 40, seed = 0, strategy = "bayesian" }: SearchOptions,
): Promise<Trial[]> {
  const candidates = new Map<string, Point>();
  for (const point of pointsOf(space)) {
    const architecture = describeArchitecture(space, point);
    const affordable = mostCalls(parseArchitecture(architecture)) <= callLimit;
    // Points that describe the same architecture are one.
    if (affordable && !candidates.has(architecture)) candidates.set(architecture, scaled(space, point));
  }
  if (candidates.size === 0) {
    throw new StepwrightError("invalid-option", `no architecture makes ${callLimit} calls or fewer`, {
      subject: "callLimit",
    });
  }
  const names = [...candidates.keys()];
  const order = names.map((_, index) => keyedUniform(seed, "architecture", index, "order"));
  const shuffled = [...names.keys()].sort((a, b) => order[a]! - order[b]!).map((index) => names[index]!);
  const trials: Trial[] = [];
  const tried = new Set<string>();
  while (trials.length < Math.min(tries, names.length)) {
    const open = shuffled.filter((name) => !tried.has(name));
    const isBlind = strategy === "random" || trials.length < first;
    const architecture = isBlind ? open[0]! : mostPromising(open, trials, candidates);
    tried.add(architecture);
    trials.push({ architecture, score: await evaluate(architecture) });
  }
  return trials.sort((a, b) => b.score - a.score);
}

/** Every combination; those that differ only in what does not matter describe the same architecture. */
function pointsOf(space: ArchitectureSpace): Point[] {
  let points: number[][] = [[]];
  for (const axis of axes) {
    points = points.flatMap((point) => space[axis].map((_, index) => [...point, index]));
  }
  return points;
}

/** The architecture at these indices of the axes. */
export function describeArchitecture(space: ArchitectureSpace, point: Point): string {
  const [samples, targetSamples, fusionLayers, fusers, ranked, checked] = axes.map(
    (axis, index) => space[axis][point[index]!]!,
  ) as [number, number, number, number, number, number];
  const generators = [
    samples > 0 && `generate*${samples}`,
    targetSamples > 0 && `target.generate*${targetSamples}`,
  ];
  const layers = [generators.filter(Boolean).join("+") || "generate*1"];
  const single = samples + targetSamples <= 1;
  if (ranked && !single) layers.push("critique", `rank*${fusionLayers > 0 ? 5 : 1}`);
  for (let layer = 1; layer <= fusionLayers; layer++) {
    layers.push(`fuse*${layer === fusionLayers && checked === 0 ? 1 : fusers}`);
  }
  const leavesOne = layers.length === 1 ? single : /\*1$/.test(layers.at(-1)!);
  if (checked && !leavesOne) layers.push(checked === 1 ? "verify*1" : "test*1");
  return layers.join(">");
}

function scaled(space: ArchitectureSpace, point: Point): Point {
  return point.map((index, axis) => index / Math.max(1, space[axes[axis]!].length - 1));
}

/** Where the expected improvement over the best score so far is greatest, the earlier of equals. */
function mostPromising(
  open: readonly string[],
  trials: readonly Trial[],
  candidates: ReadonlyMap<string, Point>,
): string {
  const process = new GaussianProcess(
    trials.map(({ architecture }) => candidates.get(architecture)!),
    trials.map(({ score }) => score),
  );
  const best = Math.max(...trials.map(({ score }) => score));
  let [choice, greatest] = [open[0]!, -1];
  for (const architecture of open) {
    const { mean, deviation } = process.predict(candidates.get(architecture)!);
    const z = (mean - best) / deviation;
    const improvement = (mean - best) * normalShare(z) + deviation * normalDensity(z);
    if (improvement > greatest) [choice, greatest] = [architecture, improvement];
  }
  return choice;
}

/** Kernel: squared exponential over axes scaled to [0, 1]; scores are centred and scaled. */
class GaussianProcess {
  readonly #points: readonly Point[];
  readonly #factor: number[][];
  readonly #weights: number[];
  readonly #mean: number;
  readonly #scale: number;

  constructor(points: readonly Point[], scores: readonly number[]) {
    this.#points = points;
    this.#mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
    const variance = scores.reduce((sum, score) => sum + (score - this.#mean) ** 2, 0) / scores.length;
    this.#scale = Math.sqrt(variance) || 1;
    // Scores on a sample of questions are noisy.
    const noise = 0.05;
    this.#factor = cholesky(points.map((a, i) => points.map((b, j) => kernel(a, b) + (i === j ? noise : 0))));
    const centred = scores.map((score) => (score - this.#mean) / this.#scale);
    this.#weights = backward(this.#factor, forward(this.#factor, centred));
  }

  predict(point: Point): { mean: number; deviation: number } {
    const near = this.#points.map((other) => kernel(point, other));
    const mean = near.reduce((sum, value, index) => sum + value * this.#weights[index]!, 0);
    const explained = forward(this.#factor, near).reduce((sum, value) => sum + value * value, 0);
    const deviation = Math.sqrt(Math.max(1e-12, 1 - explained));
    return { mean: this.#mean + this.#scale * mean, deviation: this.#scale * deviation };
  }
}

/** Scores change over about a third of an axis. */
const lengthScale = 0.35;

function kernel(a: Point, b: Point): number {
  const distance = a.reduce((sum, value, axis) => sum + (value - b[axis]!) ** 2, 0);
  return Math.exp(-distance / (2 * lengthScale ** 2));
}

/** The lower triangular factor of a positive definite matrix. */
function cholesky(matrix: readonly (readonly number[])[]): number[][] {
  const factor = matrix.map(() => new Array<number>(matrix.length).fill(0));
  for (let row = 0; row < matrix.length; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = matrix[row]![column]!;
      for (let k = 0; k < column; k++) sum -= factor[row]![k]! * factor[column]![k]!;
      factor[row]![column] =
        row === column ? Math.sqrt(Math.max(sum, 1e-12)) : sum / factor[column]![column]!;
    }
  }
  return factor;
}

function forward(factor: readonly (readonly number[])[], right: readonly number[]): number[] {
  const solution: number[] = [];
  for (const [row, value] of right.entries()) {
    const sum = solution.reduce((total, one, column) => total + factor[row]![column]! * one, 0);
    solution.push((value - sum) / factor[row]![row]!);
  }
  return solution;
}

function backward(factor: readonly (readonly number[])[], right: readonly number[]): number[] {
  const solution = new Array<number>(right.length).fill(0);
  for (let row = right.length - 1; row >= 0; row--) {
    let sum = right[row]!;
    for (let below = row + 1; below < right.length; below++) sum -= factor[below]![row]! * solution[below]!;
    solution[row] = sum / factor[row]![row]!;
  }
  return solution;
}

function normalDensity(z: number): number {
  return Math.exp(-(z * z) / 2) / Math.sqrt(2 * Math.PI);
}

/** Distribution function of the normal law, by the logistic approximation of Bowling et al. (2009), within 2e-4. */
function normalShare(z: number): number {
  return 1 / (1 + Math.exp(-(0.07056 * z ** 3 + 1.5976 * z)));
}
