/**
 * Numbers to be picked until a sum is reached. Every pick looks fine by itself; a wrong early one dooms the answer.
 * One choice of numbers solves a puzzle, in any order.
 */
import { Draws } from "./draws.js";

interface Puzzle {
  readonly picks: number;
  readonly numbers: readonly number[];
  readonly sum: number;
}

/** Numbers to pick, and numbers to pick from, at each level. */
export const searchLevels = [
  [2, 4],
  [2, 6],
  [3, 6],
  [3, 8],
  [4, 9],
] as const;

export interface SearchQuestion {
  readonly text: string;
  readonly steps: readonly string[];
  /** The least of the picked numbers: it cannot be had without solving the puzzle. */
  readonly answer: string;
}

export function makeSearch(index: number, level?: number): SearchQuestion {
  const draws = new Draws("search", index);
  const drawn = draws.integer(1, searchLevels.length);
  const [picks, count] = searchLevels[(level ?? drawn) - 1]!;
  const range = Array.from({ length: Math.floor(99 / picks) - 1 }, (_, place) => place + 2);
  for (;;) {
    const numbers = draws.several(range, count);
    const picked = draws.several(numbers, picks);
    const puzzle: Puzzle = { picks, numbers, sum: picked.reduce((total, number) => total + number, 0) };
    if (choicesOf(puzzle).length !== 1) continue;
    const steps = stepsOf(
      puzzle,
      picked.sort((a, b) => b - a),
    );
    const text = `Pick ${picks} of ${numbers.join(", ")} with sum ${puzzle.sum}. Which is least?`;
    return { text, steps, answer: String(Math.min(...picked)) };
  }
}

export function readPuzzle(text: string): Puzzle | undefined {
  const [, picks, numbers, sum] =
    /^Pick (\d) of ((?:\d+, )+\d+) with sum (\d+)\. Which is least\?$/.exec(text.trim()) ?? [];
  if (numbers === undefined) return undefined;
  const list = numbers.split(", ").map(Number);
  return list.length > 20 ? undefined : { picks: Number(picks), numbers: list, sum: Number(sum) };
}

/** How many sequences of steps solve the puzzle. */
export function countSolutions(text: string): number {
  const puzzle = readPuzzle(text);
  if (!puzzle) return 0;
  const orders = Array.from({ length: puzzle.picks }, (_, place) => place + 1).reduce((a, b) => a * b, 1);
  return choicesOf(puzzle).length * orders;
}

/**
 * Whether the step picks a number that is still there, from the sum that is left, and the rest can still be reached.
 * After the last pick the box with the least picked number is the next step.
 */
export function checkSearchStep(text: string, stepsBefore: readonly string[], step: string): boolean {
  const puzzle = readPuzzle(text);
  if (!puzzle) return false;
  let rest = puzzle;
  const picked: number[] = [];
  for (const before of [...stepsBefore, step].slice(0, puzzle.picks)) {
    const number = Number(/-(\d+)=/.exec(before)?.[1]);
    if (before.trim() !== `${rest.sum}-${number}=${rest.sum - number}`) return false;
    if (!rest.numbers.includes(number)) return false;
    picked.push(number);
    rest = { picks: rest.picks - 1, numbers: without(rest.numbers, number), sum: rest.sum - number };
  }
  if (stepsBefore.length < puzzle.picks) return choicesOf(rest).length > 0;
  return (
    stepsBefore.length === puzzle.picks && rest.sum === 0 && step.trim() === `\\boxed{${Math.min(...picked)}}`
  );
}

function stepsOf({ sum }: Puzzle, picked: readonly number[]): string[] {
  let left = sum;
  const steps = picked.map((number) => {
    const step = `${left}-${number}=${left - number}`;
    left -= number;
    return step;
  });
  return [...steps, `\\boxed{${Math.min(...picked)}}`];
}

/** Every choice of `picks` numbers with this sum. */
function choicesOf({ picks, numbers, sum }: Puzzle): number[][] {
  if (picks === 0) return sum === 0 ? [[]] : [];
  return numbers.flatMap((number, place) =>
    choicesOf({ picks: picks - 1, numbers: numbers.slice(place + 1), sum: sum - number }).map((rest) => [
      number,
      ...rest,
    ]),
  );
}

function without(numbers: readonly number[], number: number): number[] {
  const place = numbers.indexOf(number);
  return numbers.filter((_, index) => index !== place);
}
