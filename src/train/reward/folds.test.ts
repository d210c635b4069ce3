import fc from "fast-check";
import { expect, test } from "vitest";
import { groupedFolds } from "./folds.js";

const rows = fc.array(fc.tuple(fc.string({ maxLength: 3 }), fc.constantFrom(0, 0.5, 1)), { maxLength: 60 });

test("no question is in two folds, and folds differ by one question at most", () => {
  fc.assert(
    fc.property(rows, fc.integer({ min: 2, max: 7 }), fc.nat(), (drawn, count, seed) => {
      const groups = drawn.map(([group]) => group);
      const labels = drawn.map(([, label]) => label);
      const folds = groupedFolds(groups, labels, count, seed);
      const members = Array.from({ length: count }, () => new Set<string>());
      for (const [row, group] of groups.entries()) members[folds[row]!]!.add(group);
      expect(members.reduce((sum, { size }) => sum + size, 0)).toBe(new Set(groups).size);
      const sizes = members.map(({ size }) => size);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }),
  );
});

const groups = Array.from({ length: 40 }, (_, index) => `q${index}`);

test("every fold is right as often, whoever is drawn into it", () => {
  const labels = groups.map((_, index) => (index % 4 === 0 ? 1 : 0));
  const folds = groupedFolds(groups, labels, 5, 3);
  for (let fold = 0; fold < 5; fold++) {
    expect(labels.filter((label, row) => label === 1 && folds[row] === fold)).toHaveLength(2);
  }
});

test("a question's fold depends on the seed, and neither on the order nor on the number of its rows", () => {
  const labels = groups.map(() => 0.5);
  const folds = groupedFolds(groups, labels, 5, 1);
  expect(groupedFolds([...groups, ...groups].reverse(), [...labels, ...labels], 5, 1)).toEqual(
    Uint8Array.from([...folds, ...folds]).reverse(),
  );
  expect(groupedFolds(groups, labels, 5, 2)).not.toEqual(folds);
});
