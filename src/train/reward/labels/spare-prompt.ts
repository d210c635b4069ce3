/** What an annotator is asked: to compare each step of a solution with a worked solution, all in one answer. */
import type { ChatMessage } from "../../../core/model.js";

/** `full` also asks for the question's parts and the earlier steps that a step rests on; it costs about half again. */
export type Detail = "short" | "full";

/** The annotator's word on one step. */
export interface Grading {
  /** Counted from 1. */
  readonly step: number;
  /** What of the question the step uses. */
  readonly given: string;
  /** Earlier steps that it goes on from. */
  readonly uses: readonly number[];
  /** Steps of the reference that say the same or lead to the same; none where it takes a way of its own. */
  readonly reference: readonly number[];
  readonly why: string;
  readonly errors: readonly string[];
  readonly label: "CORRECT" | "INCORRECT";
}

export interface SpareCase {
  readonly question: string;
  /** Steps of a right solution. */
  readonly reference: readonly string[];
  readonly steps: readonly string[];
}

const opening = (detail: Detail) =>
  "You grade a student's solution, step by step, beside a reference solution that is right.\n\n" +
  "Write one JSON list with exactly one object for each step of the student, in order, with these fields:\n" +
  '- "step": the number of the student\'s step.\n' +
  (detail === "full"
    ? '- "given": the words of the question that the step uses.\n' +
      '- "uses": numbers of the student\'s earlier steps that it goes on from.\n'
    : "") +
  '- "reference": numbers of the reference steps that it matches; empty if it matches none.\n' +
  '- "why": the comparison, in at most fifteen words.\n' +
  '- "errors": names from arithmetic, misread, logic, invented, incomplete; empty if there are none.\n' +
  '- "label": "CORRECT" or "INCORRECT".\n\n' +
  "A step may be worded otherwise, plan, repeat the question, or take another valid way: that is CORRECT. A step with a " +
  "wrong calculation, a wrong reading of the question or a wrong conclusion is INCORRECT. Judge a step by itself: one that " +
  "follows rightly from the steps before it is CORRECT even if one of these is wrong.";

interface Example extends SpareCase {
  readonly gradings: readonly Grading[];
}

/** Another way to the same end with a step that only plans; then a misreading, followed by a right sum on a wrong value. */
const examples: readonly Example[] = [
  {
    question: "A shop sells 3 boxes of 12 pens and 3 boxes of 8 pencils. How many things does it sell?",
    reference: [
      "The pens are 3 * 12 = 36.",
      "The pencils are 3 * 8 = 24.",
      "Together they are 36 + 24 = 60.",
    ],
    steps: [
      "To find how many things are sold, we first see what goes with each pair of boxes.",
      "One box of each kind holds 12 + 8 = 20 things.",
      "Three of each hold 20 * 3 = 60 things. The answer is \\(\\boxed{60}\\).",
    ],
    gradings: [
      { ...graded(1, [], "It only plans, and the plan can work."), given: "3 boxes of 12, 3 boxes of 8" },
      { ...graded(2, [], "Another valid way: adds before it multiplies; 12 + 8 is 20."), given: "12, 8" },
      { ...graded(3, [3], "20 * 3 is 60, the same total."), given: "3 boxes", uses: [2] },
    ],
  },
  {
    question: "Tom has 8 apples, 3 more than Ann. They give away 4. How many do they have left?",
    reference: ["Ann has 8 - 3 = 5 apples.", "Together they have 8 + 5 = 13.", "13 - 4 = 9 are left."],
    steps: [
      "Ann has 8 + 3 = 11 apples.",
      "Together they have 8 + 11 = 19 apples.",
      "After giving away 4 they have 19 - 4 = 14 apples left.",
    ],
    gradings: [
      { ...wrong(1, [1], "Tom has 3 more than Ann, so it is 8 - 3.", "misread"), given: "3 more than Ann" },
      { ...graded(2, [2], "Right sum of the value before; 8 + 11 is 19."), given: "8 apples", uses: [1] },
      { ...wrong(3, [3], "19 - 4 is 15, not 14.", "arithmetic"), given: "give away 4", uses: [2] },
    ],
  },
];

function graded(step: number, reference: number[], why: string): Grading {
  return { step, given: "", uses: [], reference, why, errors: [], label: "CORRECT" };
}

function wrong(step: number, reference: number[], why: string, ...errors: string[]): Grading {
  return { ...graded(step, reference, why), errors, label: "INCORRECT" };
}

/** The annotator's list begins so; it is read, not written, which keeps small models to the form. */
export const lead = '[{"step": 1, ';

/** The annotator is done where one of these is complete. */
export const ends = ['"}]', '"}\n]', '" }]', '"} ]'] as const;

/** Turns that end open for the list. Only the last differs from case to case, so the others are read once. */
export function spareMessages(detail: Detail, asked: SpareCase): ChatMessage[] {
  const turns = examples.flatMap((example): ChatMessage[] => [
    { role: "user", content: ask(example) },
    { role: "assistant", content: gradingsText(detail, example.gradings) },
  ]);
  turns.push({ role: "user", content: ask(asked) });
  const [first, ...others] = turns;
  return [{ role: "user", content: `${opening(detail)}\n\n${first!.content}` }, ...others];
}

function ask({ question, reference, steps }: SpareCase): string {
  const count = steps.length === 1 ? "1 object" : `${steps.length} objects`;
  return (
    `Question:\n${question.trim()}\n\nReference solution:\n${numbered(reference)}\n\n` +
    `Student's solution:\n${numbered(steps)}\n\nWrite the JSON list of ${count}.`
  );
}

function numbered(texts: readonly string[]): string {
  return texts.map((text, place) => `[${place + 1}] ${text.trim()}`).join("\n");
}

/** As the examples show it and the annotator is to write it: a line for each step, the label last. */
export function gradingsText(detail: Detail, gradings: readonly Grading[]): string {
  const lines = gradings.map(({ step, given, uses, reference, why, errors, label }) => {
    const fields = { step, ...(detail === "full" && { given, uses }), reference, why, errors, label };
    const parts = Object.entries(fields).map(([name, value]) => `"${name}": ${JSON.stringify(value)}`);
    return `{${parts.join(", ")}}`;
  });
  return `[${lines.join(",\n")}]`;
}
