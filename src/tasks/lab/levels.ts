/** The five levels of `lab`: which operations a story may hold, and how often. Steps of one story differ. */
import { Draws } from "./draws.js";
import { items, names, type Operation, resultOf, type Sign, type Story, verbs } from "./story.js";

/** Kinds of operation, from easy to hard; `rest` is the remainder by 5, `any-rest` that by 3 to 9. */
type Kind = "small" | "large" | "product" | "rest" | "any-rest";

/** Kinds of operation with their weights. */
export type Level = readonly (readonly [kind: Kind, weight: number])[];

/** Levels differ by their operations, not by their number. */
export const levels: readonly Level[] = [
  [["small", 1]],
  [
    ["small", 1],
    ["large", 1],
  ],
  [["large", 1]],
  [
    ["large", 2],
    ["product", 1],
  ],
  [
    ["large", 2],
    ["product", 1],
    ["rest", 3],
  ],
];

/** What models are shown in place of level 5: remainders that the task does not ask for are practised too. */
export const practice: Level = [
  ["large", 3],
  ["product", 1],
  ["any-rest", 2],
];

/** Least and most operations of a story. */
const lengths = [3, 5] as const;

/** No value of a story is above it. */
const most = 99;

/** Without a level, the index draws one. */
export function makeStory(index: number, level?: Level): Story {
  const draws = new Draws("story", index);
  const drawn = draws.one(levels);
  const kinds = level ?? drawn;
  const start = draws.integer(10, most);
  const name = draws.one(names);
  const item = draws.one(items);
  const length = draws.integer(...lengths);
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
      return value < 10 ? undefined : { sign: "%", operand: 5 };
    case "any-rest":
      return value < 10 ? undefined : { sign: "%", operand: draws.integer(3, 9) };
  }
}

function sum(draws: Draws, value: number, least: number, largest: number): Operation | undefined {
  const sign: Sign = draws.one(["+", "-"]);
  const room = Math.min(largest, sign === "+" ? most - value : value - 1);
  return room < least ? undefined : { sign, operand: draws.integer(least, room) };
}
