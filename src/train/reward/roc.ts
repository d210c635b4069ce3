/** The curve that shows what each threshold of a score lets through. */
import type { Judged } from "../../core/reliability.js";

/** Shares of the wrong and of the right that score at least some threshold. */
export type RocPoint = readonly [wrong: number, right: number];

/** So many steps of the curve a figure can show. */
const mostPoints = 200;

/** From (0, 0) to (1, 1), never falling; equal scores are one step. Empty without both kinds. */
export function rocCurve(judged: readonly Pick<Judged, "reward" | "right">[]): RocPoint[] {
  const sorted = judged.toSorted((one, other) => other.reward - one.reward);
  const rights = sorted.filter(({ right }) => right).length;
  const wrongs = sorted.length - rights;
  if (rights === 0 || wrongs === 0) return [];
  const points: RocPoint[] = [[0, 0]];
  let [right, wrong] = [0, 0];
  for (const [index, one] of sorted.entries()) {
    if (one.right) right++;
    else wrong++;
    if (sorted[index + 1]?.reward !== one.reward) points.push([wrong / wrongs, right / rights]);
  }
  const every = Math.ceil(points.length / mostPoints);
  return points.filter((_, index) => index % every === 0 || index === points.length - 1);
}
