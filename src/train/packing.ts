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
  /** Places with a loss, ascending. */
  readonly lossPlaces: Int32Array;
  /** Their next tokens; where examples have labels, the tokens there. */
  readonly targets: Int32Array;
  /** Their labels; empty where examples have none. */
  readonly labels: Float32Array;
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
    const count = lossPositions(recipe, example).length;
    tokens += inputLength(example);
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
  const used = new Array<number>(room.rows).fill(0);
  const losses: { place: number; target: number; label: number | null }[] = [];
  let tokenCount = 0;
  let index = first;
  for (; ; index++) {
    const example = examples(index);
    checkExample(example, index, recipe);
    const length = inputLength(example);
    const learned = lossPositions(recipe, example);
    const row = used.findIndex((count) => count + length <= rowLength);
    if (row < 0 || losses.length + learned.length > room.losses) break;
    const start = row * rowLength + used[row]!;
    for (let position = 0; position < length; position++) {
      tokens[start + position] = example.tokens[position]!;
      positions[start + position] = position;
      starts[start + position] = used[row]!;
    }
    for (const position of learned) {
      const { labels } = example;
      const target = example.tokens[labels ? position : position + 1]!;
      losses.push({ place: start + position, target, label: labels?.[position] ?? null });
    }
    used[row]! += length;
    tokenCount += length;
  }
  if (index === first)
    throw invalidExample(index, `has more places with a loss than a batch's ${room.losses}`);
  losses.sort((left, right) => left.place - right.place);
  return {
    rowLength,
    tokens,
    positions,
    starts,
    lossPlaces: Int32Array.from(losses, ({ place }) => place),
    targets: Int32Array.from(losses, ({ target }) => target),
    labels: Float32Array.from(losses.flatMap(({ label }) => (label === null ? [] : [label]))),
    tokenCount,
    next: index,
  };
}

/** Tokens that are read: all but the last, which is only ever a target; all where there are labels. */
function inputLength({ tokens, labels }: TrainingExample): number {
  return labels ? tokens.length : tokens.length - 1;
}

/** Positions of an example with a loss. */
function lossPositions({ loss }: ModelRecipe, { tokens, lossFrom, labels }: TrainingExample): number[] {
  if (labels) return [...labels.keys()].filter((position) => labels[position] !== null);
  const first = loss === "all" ? 1 : Math.max(1, lossFrom);
  return Array.from({ length: Math.max(0, tokens.length - first) }, (_, index) => first - 1 + index);
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

function checkExample(example: TrainingExample, index: number, { plan, sizes }: ModelRecipe): void {
  const { tokens, labels } = example;
  const invalid = (problem: string) => invalidExample(index, problem);
  if (tokens.length < 2) throw invalid("has fewer than two tokens");
  if (inputLength(example) > plan.rowLength) {
    throw invalid(`reads ${inputLength(example)} tokens, a row holds ${plan.rowLength}`);
  }
  for (const token of tokens) {
    if (Number.isInteger(token) && token >= 0 && token < sizes.vocabulary) continue;
    throw invalid(`holds token ${token}, the vocabulary has ${sizes.vocabulary}`);
  }
  if (labels && labels.length !== tokens.length) throw invalid("does not have one label per token");
  for (const label of labels ?? []) {
    if (label !== null && !(label >= 0 && label <= 1)) throw invalid(`has the label ${label}, not in [0, 1]`);
  }
}

function invalidExample(index: number, problem: string): StepwrightError {
  return new StepwrightError("task-invalid", `training example ${index} ${problem}`, {
    subject: `example ${index}`,
  });
}
