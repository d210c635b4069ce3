import { expect, test } from "vitest";
import { generator } from "../../core/generator.js";
import type { BenchResult } from "../result.js";
import { repeatRows } from "./repeats.js";

const random = generator("repeats");
const questions = Array.from({ length: 40 }, () => {
  const chance = random();
  return Array.from({ length: 6 }, () => {
    const correct = random() < chance;
    return { correct, answer: correct ? "r" : "w" } as BenchResult;
  });
});
const rows = repeatRows(questions);

test("worst, average, majority and oracle are ordered, and equal for one sample", () => {
  expect(rows.map(({ samples }) => samples)).toEqual([1, 2, 4, 6]);
  const [one] = rows;
  for (const share of [one!.majority, one!.oracle, one!.worst]) {
    expect(share.value).toBeCloseTo(one!.average.value, 12);
  }
  for (const { worst, average, majority, oracle } of rows) {
    expect(worst.value).toBeLessThanOrEqual(average.value + 1e-12);
    expect(average.value).toBeLessThanOrEqual(oracle.value + 1e-12);
    expect(majority.value).toBeLessThanOrEqual(oracle.value + 1e-12);
    expect(oracle.ci95[0]).toBeLessThan(oracle.value);
    expect(oracle.ci95[1]).toBeGreaterThan(oracle.value);
  }
  const oracles = rows.map(({ oracle }) => oracle.value);
  expect(oracles).toEqual([...oracles].sort((a, b) => a - b));
  const worsts = rows.map(({ worst }) => worst.value);
  expect(worsts).toEqual([...worsts].sort((a, b) => b - a));
});

test("estimates agree with the mean over all subsets", () => {
  const pairs = questions.map((own) => {
    let [any, all, count] = [0, 0, 0];
    for (let a = 0; a < own.length; a++) {
      for (let b = a + 1; b < own.length; b++) {
        count++;
        if (own[a]!.correct || own[b]!.correct) any++;
        if (own[a]!.correct && own[b]!.correct) all++;
      }
    }
    return { any: any / count, all: all / count };
  });
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const two = rows[1]!;
  expect(two.oracle.value).toBeCloseTo(mean(pairs.map(({ any }) => any)), 12);
  expect(two.worst.value).toBeCloseTo(mean(pairs.map(({ all }) => all)), 12);
});
