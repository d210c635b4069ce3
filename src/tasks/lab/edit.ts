/** A text to be written again with one word changed: almost all of the answer stands in the prompt already. */
import { Draws } from "./draws.js";

/** Words of the texts; one token each in the lab's vocabulary. */
export const editWords = [
  ...["red", "blue", "old", "new", "cat", "dog"],
  ...["bird", "tree", "sees", "likes", "and", "the"],
] as const;

/** Lines at each level. */
export const editLevels = [1, 2, 4, 6, 8] as const;

const wordsPerLine = 6;

export interface EditQuestion {
  readonly text: string;
  readonly steps: readonly string[];
  /** How many words were changed. */
  readonly answer: string;
}

export function makeEdit(index: number, level?: number): EditQuestion {
  const draws = new Draws("edit", index);
  const drawn = draws.integer(1, editLevels.length);
  const count = editLevels[(level ?? drawn) - 1]!;
  const lines = Array.from({ length: count }, () =>
    Array.from({ length: wordsPerLine }, () => draws.one(editWords)).join(" "),
  );
  const before = draws.one(lines.join(" ").split(" "));
  const after = draws.one(editWords.filter((word) => word !== before));
  const text = `Copy with ${after} for ${before}: ${lines.join("; ")}.`;
  const steps = solveEdit(text)!;
  return { text, steps, answer: /\d+/.exec(steps.at(-1)!)![0] };
}

/** The edited lines and the count of changes, or undefined where the text is no such question. */
export function solveEdit(text: string): string[] | undefined {
  const [, after, before, body] = /^Copy with (\w+) for (\w+): ([\w ;]+)\.$/.exec(text.trim()) ?? [];
  if (body === undefined) return undefined;
  const lines = body.split("; ").map((line) => line.split(" "));
  const changes = lines.flat().filter((word) => word === before).length;
  const edited = lines.map((line) => line.map((word) => (word === before ? after : word)).join(" "));
  return [...edited, `\\boxed{${changes}}`];
}
