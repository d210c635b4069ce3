import { expect, test } from "vitest";
import { keyedBits } from "../../core/random.js";
import { SuffixAutomaton } from "./suffix-automaton.js";

/** Texts of few letters, so that everything repeats. */
function randomText(seed: number, length: number): number[] {
  return Array.from({ length }, (_, index) => keyedBits(seed, "text", index, "letter") % 3);
}

function occurrences(texts: readonly number[][], run: readonly number[]): number {
  let count = 0;
  for (const text of texts) {
    for (let at = 0; at + run.length <= text.length; at++) {
      if (run.every((token, index) => text[at + index] === token)) count++;
    }
  }
  return count;
}

test("finds the longest end that stands in the texts, and counts what follows it", () => {
  for (let seed = 0; seed < 40; seed++) {
    const texts = [randomText(3 * seed, 30), randomText(3 * seed + 1, 17)];
    const automaton = new SuffixAutomaton();
    for (const text of texts) automaton.add(text);
    const end = randomText(3 * seed + 2, 12);
    const { state, length } = automaton.match(end);
    const found = end.slice(end.length - length);
    if (length > 0) expect(occurrences(texts, found)).toBeGreaterThan(0);
    if (length < end.length) expect(occurrences(texts, end.slice(end.length - length - 1))).toBe(0);
    for (const token of [0, 1, 2]) {
      const told = automaton.continuations(state).find((next) => next.token === token)?.count ?? 0;
      expect(told).toBe(occurrences(texts, [...found, token]));
    }
  }
});

test("the end of a long run of one token costs no more than its piece", () => {
  const automaton = new SuffixAutomaton();
  automaton.add(new Array(2000).fill(7));
  expect(automaton.match(new Array(16).fill(7)).length).toBe(16);
  expect(automaton.size).toBe(2000);
});
