/** Facts in a long context, asked for after it: what every policy that drops or compresses a cache must keep. */
import { Draws } from "./draws.js";
import { items, names } from "./story.js";

interface Fact {
  readonly name: string;
  readonly item: string;
  readonly number: number;
}

/** Facts at each level. */
export const recallLevels = [4, 8, 16, 32, 64] as const;

/** Facts that a question asks for, one per step. */
const asked = 3;

export interface RecallQuestion {
  readonly text: string;
  readonly steps: readonly string[];
  readonly answer: string;
}

export function makeRecall(index: number, level?: number): RecallQuestion {
  const draws = new Draws("recall", index);
  const drawn = draws.integer(1, recallLevels.length);
  const subjects = names.flatMap((name) => items.map((item) => ({ name, item })));
  const facts: Fact[] = draws
    .several(subjects, recallLevels[(level ?? drawn) - 1]!)
    .map((subject) => ({ ...subject, number: draws.integer(10, 99) }));
  const wanted = draws.several(facts, asked);
  const told = facts.map(({ name, item, number }) => `${name} has ${number} ${item}.`);
  const question = wanted.map(({ name, item }) => `${name} ${item}`).join(", ");
  const steps = wanted.map(({ name, item, number }) => `${name} ${item}=${number}`);
  // The last fact alone, so that the answer is one number; the checker sees to the others.
  const answer = String(wanted.at(-1)!.number);
  return { text: `${told.join(" ")} Recall ${question}.`, steps: [...steps, `\\boxed{${answer}}`], answer };
}

/** The steps that a question's text asks for, or undefined where it is no such question. */
export function solveRecall(text: string): string[] | undefined {
  const numbers = new Map<string, string>();
  for (const [, name, number, item] of text.matchAll(/(\w+) has (\d+) (\w+)\./g)) {
    numbers.set(`${name} ${item}`, number!);
  }
  const question = / Recall (.+)\.$/.exec(text.trim())?.[1];
  if (question === undefined) return undefined;
  const wanted = question.split(", ");
  if (!wanted.every((subject) => numbers.has(subject))) return undefined;
  const steps = wanted.map((subject) => `${subject}=${numbers.get(subject)}`);
  return [...steps, `\\boxed{${numbers.get(wanted.at(-1)!)}}`];
}
