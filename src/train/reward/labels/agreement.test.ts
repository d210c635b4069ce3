import { expect, test } from "vitest";
import { agreement } from "./agreement.js";
import type { LabelRecord } from "./label-file.js";
import { noLabelUsage } from "./label-source.js";

const records = (...values: (number | null)[][]): LabelRecord[] =>
  values.map((own, sample) => ({ question: "q", sample, values: own, usage: noLabelUsage }));

test("steps are counted one by one, first errors answer by answer", () => {
  const truth = records([1, 0, 1], [1, 1], [0, 1], [1]);
  const labels = records([1, 0, 0], [1, 1], [1, 0], [0]);
  const found = agreement(truth, labels);
  // Claimed wrong: four steps, one of them is; two steps are wrong.
  expect(found).toMatchObject({ steps: 8, accuracy: 0.5, precision: 0.25, recall: 0.5 });
  // First errors found 1 of 2; nothing claimed in 1 of 2 clean answers.
  expect(found.firstErrorF1).toBe(0.5);
});

test("labels that are the truth agree with it in full", () => {
  const truth = records([1, 0, 0], [1, 1]);
  expect(agreement(truth, truth)).toEqual({
    ...{ steps: 5, accuracy: 1, precision: 1, recall: 1, firstErrorF1: 1 },
  });
});

test("what has no label, or no truth, does not count; a border of one's own decides soft labels", () => {
  const truth = records([1, 0, 1], [1, 0]);
  const labels = [...records([0.4, 0.1, null]), { ...records([1])[0]!, question: "other" }];
  expect(agreement(truth, labels)).toMatchObject({ steps: 2, accuracy: 0.5 });
  expect(agreement(truth, labels, 0.3)).toMatchObject({ steps: 2, accuracy: 1 });
});

test("where nothing is wrong and nothing claimed there is no share to tell", () => {
  expect(agreement(records([1]), records([1]))).toMatchObject({
    ...{ precision: null, recall: null, firstErrorF1: null },
  });
});
