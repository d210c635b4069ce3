import fc from "fast-check";
import { expect, test } from "vitest";
import { groupedFolds } from "./folds.js";

const questions = fc.array(fc.string({ maxLength: 3 }), { maxLength: 60 });

test("no question is in two folds, and folds differ by one question at most", () => {
  fc.assert(
    fc.property(questions, fc.integer({ min: 2, max: 7 }), fc.nat(), (groups, count, seed) => {
      const folds = groupedFolds(groups, count, seed);
      const members = Array.from({ length: count }, () => new Set<string>());
      for (const [row, group] of groups.entries()) members[folds[row]!]!.add(group);
      expect(members.reduce((sum, { size }) => sum + size, 0)).toBe(new Set(groups).size);
      const sizes = members.map(({ size }) => size);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }),
  );
});

test("a question's fold depends on the seed, and neither on the order nor on the number of its rows", () => {
  const groups = Array.from({ length: 30 }, (_, index) => `q${index}`);
  const folds = groupedFolds(groups, 5, 1);
  expect(groupedFolds([...groups, ...groups].reverse(), 5, 1)).toEqual(
    Uint8Array.from([...folds, ...folds]).reverse(),
  );
  expect(groupedFolds(groups, 5, 2)).not.toEqual(folds);
});
