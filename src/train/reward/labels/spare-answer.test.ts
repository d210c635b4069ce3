import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type LabelRules, readAnnotation, stepLabels } from "./spare-answer.js";
import { type Grading, gradingsText } from "./spare-prompt.js";

const rules = (steps: number, more: Partial<LabelRules> = {}): LabelRules => ({
  ...{ steps, referenceSteps: steps, outcome: true, missing: false },
  ...more,
});
const read = (text: string, more: LabelRules) => stepLabels(readAnnotation(text).gradings, more);
const grading = (step: number, label: Grading["label"], more: Partial<Grading> = {}): Grading => ({
  ...{ step, given: "", uses: [], reference: [step], why: "so", errors: [], label },
  ...more,
});

const anyGradings = fc.array(
  fc.record({
    step: fc.integer({ min: -1, max: 9 }),
    given: fc.string(),
    uses: fc.constant([]),
    reference: fc.array(fc.integer({ min: -1, max: 9 })),
    why: fc.string({ unit: "grapheme" }),
    errors: fc.array(fc.string()),
    label: fc.constantFrom("CORRECT" as const, "INCORRECT" as const),
  }),
  { maxLength: 8 },
);

describe("whatever an annotator writes, each step has a defined label", () => {
  const cases = fc.record({
    text: fc.oneof(
      fc.string({ unit: "binary" }),
      // Lists that were cut, and cut lists that something follows.
      fc
        .tuple(anyGradings, fc.nat(400), fc.string())
        .map(([gradings, cut, rest]) => gradingsText("full", gradings).slice(0, cut) + rest),
      fc
        .array(fc.constantFrom("{", "}", "[", "]", '"', "\\", '"step": 1', '"label": "CORRECT"', ", "))
        .map((parts) => parts.join("")),
    ),
    steps: fc.nat(6),
    outcome: fc.boolean(),
    missing: fc.boolean(),
  });

  test("as many as steps, each 0 or 1, the last one the outcome", () => {
    fc.assert(
      fc.property(cases, ({ text, steps, outcome, missing }) => {
        const { values, alignment, errors } = read(text, rules(steps, { outcome, missing }));
        expect([values.length, alignment.length, errors.length]).toEqual([steps, steps, steps]);
        expect(values.every((value) => value === 0 || value === 1)).toBe(true);
        if (steps > 0) expect(values.at(-1)).toBe(Number(outcome));
      }),
    );
  });

  test("a whole list is read back as it was meant", () => {
    fc.assert(
      fc.property(anyGradings, fc.constantFrom("short" as const, "full" as const), (gradings, detail) => {
        const found = readAnnotation(gradingsText(detail, gradings));
        expect(found.valid).toBe(true);
        expect(found.gradings.map(({ step, right }) => [step, right])).toEqual(
          gradings.map(({ step, label }) => [step, label === "CORRECT"]),
        );
      }),
    );
  });
});

test("a step without a grading, with two, or beyond the steps", () => {
  const text = gradingsText("short", [
    grading(1, "CORRECT"),
    grading(3, "CORRECT"),
    grading(3, "CORRECT"),
    grading(7, "CORRECT"),
  ]);
  expect(read(text, rules(4))).toMatchObject({ values: [1, 0, 0, 1], graded: 1 });
  expect(read(text, rules(4, { missing: true })).values).toEqual([1, 1, 1, 1]);
  expect(read(text, rules(4)).alignment).toEqual([[1], null, null, null]);
});

test("a wrong answer whose steps are all graded right is told", () => {
  const text = gradingsText("short", [grading(1, "CORRECT"), grading(2, "CORRECT")]);
  expect(read(text, rules(2, { outcome: false }))).toMatchObject({
    values: [1, 0],
    hidesError: true,
    agreesWithOutcome: false,
  });
  expect(read(text, rules(2))).toMatchObject({ hidesError: false, agreesWithOutcome: true });
});

test("alignment names steps of the reference only, each once", () => {
  const text = gradingsText("short", [grading(1, "CORRECT", { reference: [2, 2, 9, 0, 1] })]);
  expect(read(text, rules(1, { referenceSteps: 2 })).alignment).toEqual([[2, 1]]);
});

describe("what small models get wrong in JSON", () => {
  const wrong = (text: string) => read(text, rules(2, { outcome: true }));

  test.each([
    ["LaTeX", String.raw`[{"step": 1, "why": "\( \frac{1}{2} \)", "label": "CORRECT"}]`],
    ["a line break in a text", '[{"step": 1, "why": "one\ntwo", "label": "CORRECT"}]'],
    ["a comma too many", '[{"step": 1, "reference": [1,], "label": "CORRECT",}]'],
    ["a number as text, a label in small letters", '[{"step": "1", "reference": "1", "label": "correct"}]'],
    ["words around it", 'Here it is:\n```json\n[{"step": 1, "label": "CORRECT"}]\n``` Done {'],
    ["no brackets, and the end is missing", '{"step": 1, "label": "CORRECT"}, {"step": 2, "lab'],
  ])("%s", (_, text) => {
    expect(wrong(text)).toMatchObject({ values: [1, 1], graded: 1 });
  });

  test("a label that is none grades nothing", () => {
    expect(wrong('[{"step": 1, "label": "PARTLY CORRECT"}]')).toMatchObject({ values: [0, 1], graded: 0 });
  });
});

test("where a label's word stands", () => {
  const text = gradingsText("short", [
    grading(1, "CORRECT", { why: 'not "label": "X"' }),
    grading(2, "INCORRECT"),
  ]);
  const words = readAnnotation(text).gradings.map(({ labelAt }) => text.slice(labelAt, labelAt + 3));
  expect(words).toEqual(["COR", "INC"]);
});
