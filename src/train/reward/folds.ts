/** Cross-validation whose folds never share a question. */
import { keyedUniform } from "../../core/random.js";

/**
 * The fold of each row: groups in an order drawn by the seed, dealt out one by one. A group's rows are in one fold.
 * There may be fewer folds than asked for, where there are fewer groups.
 */
export function groupedFolds(groups: readonly string[], count: number, seed: number): Uint8Array {
  const order = [...new Set(groups)]
    .map((group) => ({ group, at: keyedUniform(seed, group, 0, "fold") }))
    .sort((one, other) => one.at - other.at || (one.group < other.group ? -1 : 1));
  const folds = new Map(order.map(({ group }, index) => [group, index % count]));
  return Uint8Array.from(groups, (group) => folds.get(group)!);
}
