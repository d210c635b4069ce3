/** How far a score can be trusted: does a higher one mean right, and does 0.7 mean right in seven of ten cases? */
import { generator } from "./generator.js";
import { groupBy } from "./group-by.js";
import { wilsonInterval } from "./wilson-interval.js";

/** One scored thing with its verdict; `group` is what makes several of them depend on each other: the question. */
export interface Judged {
  readonly reward: number;
  readonly right: boolean;
  /** How right, in [0, 1], where more is known than a verdict: the share of rollouts that came out right. */
  readonly share?: number;
  readonly group: string;
}

export interface ReliabilityBin {
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly meanReward: number;
  /** Share of them. */
  readonly right: number;
  readonly ci95: readonly [low: number, high: number];
}

export interface Reliability {
  readonly count: number;
  /** Share of them. */
  readonly right: number;
  /** Chance that a right one has the higher reward than a wrong one; null where all are right or all wrong. */
  readonly auroc: number | null;
  /** By bootstrap over groups. */
  readonly aurocCi95: readonly [low: number, high: number] | null;
  /** Mean distance of reward and share right, over bins weighted by their size. */
  readonly calibrationError: number;
  readonly bins: readonly ReliabilityBin[];
}

const binCount = 10;
const resamples = 400;

export function reliability(judged: readonly Judged[]): Reliability {
  const bins = binsOf(judged);
  const count = judged.length;
  const value = auroc(judged);
  return {
    count,
    right: shareRight(judged),
    auroc: value,
    aurocCi95: value === null ? null : aurocInterval(judged),
    calibrationError: bins.reduce(
      (sum, bin) => sum + (bin.count / count) * Math.abs(bin.right - bin.meanReward),
      0,
    ),
    bins,
  };
}

function shareRight(judged: readonly Judged[]): number {
  return judged.reduce((sum, { right, share }) => sum + (share ?? Number(right)), 0) / judged.length;
}

/** Ten equal bins over [0, 1]; empty ones are left out. */
function binsOf(judged: readonly Judged[]): ReliabilityBin[] {
  return Array.from({ length: binCount }, (_, index) => {
    const inside = judged.filter(
      ({ reward }) => Math.min(binCount - 1, Math.floor(reward * binCount)) === index,
    );
    const right = shareRight(inside);
    return {
      from: index / binCount,
      to: (index + 1) / binCount,
      count: inside.length,
      meanReward: inside.reduce((sum, { reward }) => sum + reward, 0) / inside.length,
      right,
      ci95: wilsonInterval(right * inside.length, inside.length),
    };
  }).filter(({ count }) => count > 0);
}

/**
 * The area under the ROC curve as the Mann-Whitney statistic: ties count half. Null without both kinds.
 * Source: Hanley and McNeil, "The meaning and use of the area under a ROC curve", 1982.
 */
export function auroc(judged: readonly Pick<Judged, "reward" | "right">[]): number | null {
  const sorted = judged.toSorted((a, b) => a.reward - b.reward);
  const rights = judged.filter(({ right }) => right).length;
  const wrongs = judged.length - rights;
  if (rights === 0 || wrongs === 0) return null;
  let [below, wins] = [0, 0];
  for (let start = 0; start < sorted.length; ) {
    let end = start;
    let [right, wrong] = [0, 0];
    for (; end < sorted.length && sorted[end]!.reward === sorted[start]!.reward; end++) {
      if (sorted[end]!.right) right++;
      else wrong++;
    }
    wins += right * (below + wrong / 2);
    below += wrong;
    start = end;
  }
  return wins / (rights * wrongs);
}

/** Questions are drawn again, not steps: the steps of one answer stand or fall together. */
function aurocInterval(judged: readonly Judged[]): [low: number, high: number] | null {
  const groups = [...groupBy(judged, ({ group }) => group).values()];
  const random = generator("auroc");
  const values: number[] = [];
  for (let round = 0; round < resamples; round++) {
    const value = auroc(groups.flatMap(() => groups[Math.floor(random() * groups.length)]!));
    if (value !== null) values.push(value);
  }
  values.sort((a, b) => a - b);
  const at = (share: number) => values[Math.min(values.length - 1, Math.floor(share * values.length))]!;
  return values.length === 0 ? null : [at(0.025), at(0.975)];
}
