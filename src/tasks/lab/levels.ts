/** The five levels of `lab`: which operations a story may hold, and how often. Steps of one story differ. */
import { Draws } from "./draws.js";
import { items, names, type Operation, resultOf, type Sign, type Story, verbs } from "./story.js";

/** Kinds of operation, from easy to hard. */
type Kind = "small" | "large" | "product" | "rest";

interface Level {
  /** Least and most operations of a story. */
  readonly operations: readonly [least: number, most: number];
  readonly kinds: readonly (readonly [kind: Kind, weight: number])[];
}

export const levels: readonly Level[] = [
  { operations: [3, 5], kinds: [["small", 1]] },
  {
    operations: [3, 5],
    kinds: [
      ["small", 1],
      ["large", 1],
    ],
  },
  {
    operations: [3, 5],
    kinds: [
      ["small", 1],
      ["large", 2],
      ["product", 1],
    ],
  },
  {
    operations: [3, 5],
    kinds: [
      ["small", 1],
      ["large", 2],
      ["product", 2],
      ["rest", 1],
    ],
  },
  {
    operations: [3, 5],
    kinds: [
      ["large", 2],
      ["product", 1],
      ["rest", 2],
    ],
  },
];

/** No value of a story is above it. */
const most = 99;

export function makeStory(index: number, level?: number): Story {
  const draws = new Draws("story", index);
  const drawn = draws.integer(1, levels.length);
  const {
    operations: [least, limit],
    kinds,
  } = levels[(level ?? drawn) - 1]!;
  const start = draws.integer(10, most);
  const name = draws.one(names);
  const item = draws.one(items);
  const length = draws.integer(least, limit);
  const operations = [];
  let value = start;
  while (operations.length < length) {
    const operation = makeOperation(draws, draws.weighted(kinds), value);
    if (!operation) continue;
    operations.push({ ...operation, verb: draws.one(verbs[operation.sign]) });
    value = resultOf(value, operation);
  }
  return { name, item, start, operations };
}

/** Undefined where the value allows no operation of this kind. */
function makeOperation(draws: Draws, kind: Kind, value: number): Operation | undefined {
  switch (kind) {
    case "small":
      return sum(draws, value, 1, 9);
    case "large":
      return sum(draws, value, 10, 89);
    case "product": {
      const largest = Math.min(9, Math.floor(most / value));
      return value < 1 || largest < 2 ? undefined : { sign: "*", operand: draws.integer(2, largest) };
    }
    case "rest":
      return value < 20 ? undefined : { sign: "%", operand: draws.integer(6, 19) };
  }
}

function sum(draws: Draws, value: number, least: number, largest: number): Operation | undefined {
  const sign: Sign = draws.one(["+", "-"]);
  const room = Math.min(largest, sign === "+" ? most - value : value - 1);
  return room < least ? undefined : { sign, operand: draws.integer(least, room) };
}
