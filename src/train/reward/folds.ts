/** Cross-validation whose folds never share a question. */
import { groupBy } from "../../core/group-by.js";
import { keyedUniform } from "../../core/random.js";

/**
 * The fold of each row; a group's rows are in one fold. Groups are dealt out in the order of their mean label, equal ones
 * as the seed draws, so that every fold is right about as often: else a head that knows nothing but how often would look
 * worse than chance, since what a fold lacks the others have.
 */
export function groupedFolds(
  groups: readonly string[],
  labels: ArrayLike<number>,
  count: number,
  seed: number,
): Uint8Array {
  const rows = groupBy([...groups.keys()], (row) => groups[row]!);
  const order = [...rows]
    .map(([group, own]) => ({
      group,
      right: own.reduce((sum, row) => sum + labels[row]!, 0) / own.length,
      drawn: keyedUniform(seed, group, 0, "fold"),
    }))
    .sort(
      (one, other) =>
        one.right - other.right || one.drawn - other.drawn || (one.group < other.group ? -1 : 1),
    );
  const folds = new Map(order.map(({ group }, index) => [group, index % count]));
  return Uint8Array.from(groups, (group) => folds.get(group)!);
}
