/** What a judge is asked: turns that a chat model answers with one word or digit. No system turn: not every template has one. */
import type { ChatMessage } from "../core/model.js";

export type Scale = "yes-no" | "digit";

const opening =
  "You check solutions to problems, one step at a time. A step is correct if it follows from the problem and " +
  "the steps before it and its arithmetic is right. Style does not matter.";

const asks: Record<Scale, string> = {
  "yes-no": "Is the last step correct? Answer with one word, Yes or No.",
  digit:
    "How likely is the last step correct? " +
    "Answer with one digit, from 0 (certainly wrong) to 9 (certainly correct).",
};

const verdicts: Record<Scale, { right: string; wrong: string }> = {
  "yes-no": { right: "Yes", wrong: "No" },
  digit: { right: "9", wrong: "0" },
};

/** A misread comparison, a right end, a slip of arithmetic, and a right beginning that computes nothing yet. */
const examples = [
  {
    question: "Tom has 8 apples, 3 more than Ann. How many apples does Ann have?",
    steps: ["Tom has 3 more than Ann, so Ann has 8 + 3 = 11 apples."],
    verdict: "wrong",
  },
  {
    question: "Lena reads 15 pages a day. How many days does she need for 90 pages?",
    steps: ["We divide all pages by the pages of one day.", "90 / 15 = 6, so she needs \\boxed{6} days."],
    verdict: "right",
  },
  {
    question: "A train covers 60 km in an hour. How far does it get in 2.5 hours?",
    steps: ["The distance is the speed times the time.", "The distance is 60 * 2.5 = 160 km."],
    verdict: "wrong",
  },
  {
    question: "A box holds 12 pens. Six pens of 3 boxes are given away. How many are left?",
    steps: ["To find how many pens are left, we first need the number of pens in 3 boxes."],
    verdict: "right",
  },
] as const;

export interface JudgePromptOptions {
  readonly scale: Scale;
  /** Four judged examples first. The same for all questions, so they are read once, when the reward is opened. */
  readonly examples: boolean;
}

/** Only what follows the steps changes when a step is added, so the rest stays read. */
export function judgeMessages(
  { scale, examples: shown }: JudgePromptOptions,
  question: string,
  steps: readonly string[],
): ChatMessage[] {
  const turns = shown
    ? examples.flatMap((example): ChatMessage[] => [
        { role: "user", content: ask(scale, example.question, example.steps) },
        { role: "assistant", content: verdicts[scale][example.verdict] },
      ])
    : [];
  turns.push({ role: "user", content: ask(scale, question, steps) });
  const [first, ...others] = turns;
  return [{ role: "user", content: `${opening}\n\n${first!.content}` }, ...others];
}

function ask(scale: Scale, question: string, steps: readonly string[]): string {
  const solution = steps.filter((text) => text !== "").join("\n\n");
  return `Problem:\n${question.trim()}\n\nSolution so far:\n${solution}\n\n---\n${asks[scale]}`;
}
