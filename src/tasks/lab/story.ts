/** An arithmetic story: its text, and the steps that solve it. Text and story can each be made from the other. */

export type Sign = "+" | "-" | "*" | "%";

export interface Operation {
  readonly sign: Sign;
  /** At least 1. */
  readonly operand: number;
}

export interface Story {
  readonly name: string;
  readonly item: string;
  readonly start: number;
  readonly operations: readonly Told[];
}

/** An operation as a story tells it. */
export interface Told extends Operation {
  /** One of its sign's verbs. */
  readonly verb: string;
}

export const names = [
  ...["Mia", "Tom", "Ada", "Ben", "Eva", "Leo", "Zoe", "Max"],
  ...["Ida", "Sam", "Lea", "Jon", "Amy", "Kai", "Nia", "Rob"],
] as const;

export const items = ["coins", "apples", "books", "cards", "shells", "stamps", "pears", "beads"] as const;

/** How stories tell each operation. "Modulo 7" keeps what is left after packing by sevens. */
export const verbs: Readonly<Record<Sign, readonly string[]>> = {
  "+": ["Finds", "Wins", "Gets"],
  "-": ["Loses", "Gives", "Sells"],
  "*": ["Times"],
  "%": ["Modulo"],
};

const signs = new Map(
  Object.entries(verbs).flatMap(([sign, words]) => words.map((verb) => [verb, sign as Sign] as const)),
);

export function tellStory({ name, item, start, operations }: Story): string {
  const told = operations.map(({ verb, operand }) => `${verb} ${operand}.`);
  return [`${name} has ${start} ${item}.`, ...told, "How many?"].join(" ");
}

/** The story that a text tells, or undefined where it tells none. */
export function readStory(text: string): Story | undefined {
  const parts = /^(\w+) has (\d{1,6}) (\w+)\.((?: \w+ \d{1,6}\.)+) How many\?$/.exec(text.trim());
  if (!parts) return undefined;
  const [, name, start, item, told] = parts;
  const operations: Told[] = [];
  for (const [, verb, operand] of told!.matchAll(/(\w+) (\d+)\./g)) {
    const sign = signs.get(verb!);
    if (sign === undefined || Number(operand) < 1) return undefined;
    operations.push({ sign, verb: verb!, operand: Number(operand) });
  }
  return { name: name!, item: item!, start: Number(start), operations };
}

export function resultOf(value: number, { sign, operand }: Operation): number {
  if (sign === "+") return value + operand;
  if (sign === "-") return value - operand;
  return sign === "*" ? value * operand : value % operand;
}

/** The story as a task asks it. */
export function askStory(story: Story) {
  const reference = String(story.operations.reduce(resultOf, story.start));
  return { question: tellStory(story), reference, steps: solveStory(story) };
}

/** One line per operation ("37+25=62"), then the answer in its box. */
export function solveStory(story: Story): string[] {
  let value = story.start;
  const steps = story.operations.map((operation) => {
    const line = lineOf(value, operation);
    value = resultOf(value, operation);
    return line;
  });
  return [...steps, boxOf(value)];
}

/**
 * Whether a step is the next operation of the text's story, on the value that the last step arrived at, with the right
 * result. After all operations the box with that value is the next step.
 */
export function checkStory(text: string, stepsBefore: readonly string[], step: string): boolean {
  const story = readStory(text);
  if (story === undefined) return false;
  const last = stepsBefore.at(-1);
  const value = last === undefined ? story.start : statedResult(last);
  if (value === undefined || stepsBefore.length > story.operations.length) return false;
  const next = story.operations[stepsBefore.length];
  return step.trim() === (next ? lineOf(value, next) : boxOf(value));
}

function lineOf(value: number, operation: Operation): string {
  return `${value}${operation.sign}${operation.operand}=${resultOf(value, operation)}`;
}

function boxOf(value: number): string {
  return `\\boxed{${value}}`;
}

function statedResult(step: string): number | undefined {
  const found = /=(\d{1,9})$/.exec(step.trim());
  return found ? Number(found[1]) : undefined;
}
