import { expect, test } from "vitest";
import { keyedBits, keyedUniform } from "./random.js";

/** Chi-square of counts against equal shares, over its degrees of freedom. */
function unevenness(counts: readonly number[]): number {
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0) / (counts.length - 1);
}

const draws: [string, (index: number) => number][] = [
  ["positions", (index) => keyedUniform(1, "a", index, "sample")],
  ["seeds", (index) => keyedUniform(index, "a", 5, "sample")],
  ["large seeds", (index) => keyedUniform(index * 2 ** 33, "a", 5, "sample")],
  ["branches", (index) => keyedUniform(1, `/${index >> 5}.${index & 31}`, 5, "sample")],
  ["purposes", (index) => keyedUniform(1, "a", 5, `purpose ${index}`)],
];

test.each(draws)("over %s the numbers fill [0, 1) evenly, alone and in pairs", (_, draw) => {
  const single = new Array<number>(64).fill(0);
  const pairs = new Array<number>(64).fill(0);
  for (let index = 0; index < 64_000; index++) {
    const [one, next] = [draw(index), draw(index + 1)];
    expect(one >= 0 && one < 1).toBe(true);
    single[Math.floor(one * 64)]!++;
    pairs[Math.floor(one * 8) * 8 + Math.floor(next * 8)]!++;
  }
  // Chi-square over 63 degrees of freedom, divided by them: 1 +- 0.18; 1.7 is past four deviations.
  expect(unevenness(single)).toBeLessThan(1.7);
  expect(unevenness(pairs)).toBeLessThan(1.7);
});

test("every part of the key counts, and nothing else does", () => {
  const base = keyedBits(1, "a", 2, "p");
  expect(keyedBits(1, "a", 2, "p")).toBe(base);
  const others = [
    keyedBits(2, "a", 2, "p"),
    keyedBits(1 + 2 ** 32, "a", 2, "p"),
    keyedBits(1, "b", 2, "p"),
    keyedBits(1, "a", 3, "p"),
    keyedBits(1, "a", 2, "q"),
  ];
  expect(new Set([base, ...others]).size).toBe(6);
});

test("streams of purposes are independent of each other", () => {
  let product = 0;
  const count = 20_000;
  for (let index = 0; index < count; index++) {
    product += (keyedUniform(3, "k", index, "draft") - 0.5) * (keyedUniform(3, "k", index, "accept") - 0.5);
  }
  // Correlation, in units of its deviation 1 / sqrt(n).
  expect(Math.abs((12 * product) / count) * Math.sqrt(count)).toBeLessThan(4);
});
