/** Packs examples into rows of equal length. Examples of a row do not see each other: see `fillMask`. */
import { StepwrightError } from "../core/errors.js";
import type { ModelRecipe, TrainingExample, TrainingSet } from "./model-recipe.js";

/** One batch; the first four arrays have rows x rowLength entries, row after row. */
export interface PackedBatch {
  readonly rowLength: number;
  readonly tokens: Int32Array;
  /** Position within the example, from 0; 0 where nothing is. */
  readonly positions: Int32Array;
  /** Place in the row where the example begins; its own place where nothing is. */
  readonly starts: Int32Array;
  /** Places whose next token is learned, ascending, and that token. */
  readonly lossPlaces: Int32Array;
  readonly targets: Int32Array;
  /** Places that hold a token. */
  readonly tokenCount: number;
  /** Index of the first example that is not in the batch. */
  readonly next: number;
}

/** Rows of a batch, and how many of its places may have a loss: the last layer is computed for those alone. */
export interface BatchRoom {
  readonly rows: number;
  readonly losses: number;
}

/** Examples that are looked at to choose the room for losses. */
const sampledExamples = 256;
/** Above the mean share of places with a loss, so that rows are what fills up. */
const spareLosses = 1.05;

/** The room that fits the examples, a function of recipe and examples alone. */
export function batchRoom(recipe: ModelRecipe, examples: TrainingSet): BatchRoom {
  const { plan } = recipe;
  const rows = plan.rows / (plan.accumulate ?? 1);
  let tokens = 0;
  let losses = 0;
  let mostLosses = 0;
  for (let index = 0; index < sampledExamples; index++) {
    const example = examples(index);
    const count = example.tokens.length - firstTarget(recipe, example);
    tokens += example.tokens.length - 1;
    losses += count;
    mostLosses = Math.max(mostLosses, count);
  }
  const places = rows * plan.rowLength;
  const wanted = Math.max(mostLosses, spareLosses * places * (losses / tokens));
  // Whole blocks of ggml's fast kernels.
  return { rows, losses: Math.min(places, 16 * Math.ceil(wanted / 16)) };
}

/** Fills a batch with the examples from `first` on, each in the first row that has room, until one does not fit. */
export function packBatch(
  recipe: ModelRecipe,
  examples: TrainingSet,
  first: number,
  room: BatchRoom,
): PackedBatch {
  const { rowLength } = recipe.plan;
  const places = room.rows * rowLength;
  const tokens = new Int32Array(places);
  const positions = new Int32Array(places);
  const starts = Int32Array.from({ length: places }, (_, place) => place % rowLength);
  const next = new Int32Array(places).fill(-1);
  const used = new Array<number>(room.rows).fill(0);
  let tokenCount = 0;
  let lossCount = 0;
  let index = first;
  for (; ; index++) {
    const example = examples(index);
    const lossFrom = firstTarget(recipe, example);
    checkExample(example.tokens, index, recipe);
    // The last token is only ever a target.
    const length = example.tokens.length - 1;
    const losses = length + 1 - lossFrom;
    const row = used.findIndex((count) => count + length <= rowLength);
    if (row < 0 || lossCount + losses > room.losses) break;
    const start = used[row]!;
    for (let position = 0; position < length; position++) {
      const place = row * rowLength + start + position;
      tokens[place] = example.tokens[position]!;
      positions[place] = position;
      starts[place] = start;
      if (position + 1 >= lossFrom) next[place] = example.tokens[position + 1]!;
    }
    used[row] = start + length;
    tokenCount += length;
    lossCount += losses;
  }
  if (index === first)
    throw invalidExample(index, `has more tokens with a loss than a batch's ${room.losses}`);
  const lossPlaces = Int32Array.from(next.keys()).filter((place) => next[place]! >= 0);
  const targets = next.filter((token) => token >= 0);
  return { rowLength, tokens, positions, starts, lossPlaces, targets, tokenCount, next: index };
}

/** Index of the first token that is learned. */
function firstTarget(recipe: ModelRecipe, { tokens, lossFrom }: TrainingExample): number {
  return recipe.loss === "all" ? 1 : Math.min(tokens.length, Math.max(1, lossFrom));
}

/**
 * Writes 0 where a token may look and -infinity elsewhere: its own example up to itself. `mask` has one row of
 * `rowLength` columns per place.
 */
export function fillMask(mask: Float32Array, { rowLength, starts }: PackedBatch): void {
  mask.fill(Number.NEGATIVE_INFINITY);
  starts.forEach((start, place) => {
    const line = place * rowLength;
    mask.fill(0, line + start, line + (place % rowLength) + 1);
  });
}

function checkExample(tokens: readonly number[], index: number, { plan, sizes }: ModelRecipe): void {
  const invalid = (problem: string) => invalidExample(index, problem);
  if (tokens.length < 2) throw invalid("has fewer than two tokens");
  if (tokens.length - 1 > plan.rowLength) {
    throw invalid(`has ${tokens.length} tokens, a row holds ${plan.rowLength} and the last target`);
  }
  for (const token of tokens) {
    if (Number.isInteger(token) && token >= 0 && token < sizes.vocabulary) continue;
    throw invalid(`holds token ${token}, the vocabulary has ${sizes.vocabulary}`);
  }
}

function invalidExample(index: number, problem: string): StepwrightError {
  return new StepwrightError("task-invalid", `training example ${index} ${problem}`, {
    subject: `example ${index}`,
  });
}
