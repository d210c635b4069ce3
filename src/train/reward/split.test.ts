import fc from "fast-check";
import { expect, test } from "vitest";
import { normalised, splitQuestions } from "./split.js";

const ask = (question: string, id = question) => ({ id, question, reference: "1" });
const texts = Array.from({ length: 40 }, (_, index) => `What is ${index} + 1?`);

test("a question is on one side, whatever its case, spaces and punctuation", () => {
  const variants = [
    ...texts.map((text) => ask(text)),
    ...texts.map((text) => ask(`  ${text.toUpperCase().replace("?", " ?!")}`, `${text} again`)),
  ];
  const sizes = fc.record({
    heldOut: fc.double({ min: 0.01, max: 0.9, noNaN: true }),
    seed: fc.nat(1000),
    order: fc.shuffledSubarray(variants, { minLength: 30 }),
  });
  fc.assert(
    fc.property(sizes, ({ heldOut, seed, order }) => {
      const split = splitQuestions(order, { heldOut, seed });
      const sides = [split.training, split.heldOut].map(
        (side) => new Set(side.map(({ question }) => normalised(question))),
      );
      expect([...sides[0]!].filter((text) => sides[1]!.has(text))).toEqual([]);
      expect(sides[0]!.size + sides[1]!.size + split.repeated).toBe(order.length);
      expect(sides.every(({ size }) => size > 0)).toBe(true);
      expect(splitQuestions(order, { heldOut, seed })).toEqual(split);
    }),
  );
});

test("digits and signs make another question", () => {
  expect(normalised("What is 3.5 + 1?")).not.toBe(normalised("What is 35 + 1?"));
  expect(normalised("What is 3 + 1?")).not.toBe(normalised("What is 3 - 1?"));
  expect(normalised("Tom's 3 apples, sold.")).toBe(normalised("tom s 3 apples sold"));
});

test("the share is held out, in the task's order, and another seed draws others", () => {
  const questions = texts.map((text) => ask(text));
  const { training, heldOut } = splitQuestions(questions, { heldOut: 0.25, seed: 0 });
  expect([training.length, heldOut.length]).toEqual([30, 10]);
  expect(training).toEqual(questions.filter((question) => training.includes(question)));
  expect(splitQuestions(questions, { heldOut: 0.25, seed: 1 }).heldOut).not.toEqual(heldOut);
});

test("a question that is added moves at most one other", () => {
  const questions = texts.map((text) => ask(text));
  const before = new Set(splitQuestions(questions, { heldOut: 0.25, seed: 0 }).heldOut);
  const after = splitQuestions([...questions, ask("another")], { heldOut: 0.25, seed: 0 }).heldOut;
  expect(after.filter((question) => !before.has(question)).length).toBeLessThanOrEqual(1);
});

test("what is held out by name is not trained on", () => {
  const questions = texts.map((text) => ask(text));
  const named = texts.slice(30).map((text) => ask(text.toUpperCase(), `held out ${text}`));
  const { training, heldOut, repeated } = splitQuestions(questions, { heldOut: named, seed: 0 });
  expect(training).toEqual(questions.slice(0, 30));
  expect(heldOut).toEqual(named);
  expect(repeated).toBe(10);
});

test("too few questions are refused, repeated ones counted once", () => {
  const few = [...texts.slice(0, 7), ...texts.slice(0, 7).map((text) => text.toLowerCase())];
  expect(() =>
    splitQuestions(
      few.map((text) => ask(text)),
      { heldOut: 0.25, seed: 0 },
    ),
  ).toThrow("7 different questions are too few");
});
