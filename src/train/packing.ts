/** Packs examples into rows of equal length. Examples of a row do not see each other: see `fillMask`. */
import { StepwrightError } from "../core/errors.js";
import type { ModelRecipe, TrainingSet } from "./model-recipe.js";

/** One batch; every array has rows x rowLength entries, row after row. */
export interface PackedBatch {
  readonly rows: number;
  readonly rowLength: number;
  readonly tokens: Int32Array;
  /** Position within the example, from 0; 0 where nothing is. */
  readonly positions: Int32Array;
  /** Place in the row where the example begins; its own place where nothing is. */
  readonly starts: Int32Array;
  /** The token that should come next; -1 where there is no loss. */
  readonly targets: Int32Array;
  /** Places that hold a token. */
  readonly tokenCount: number;
  /** Places with a target. */
  readonly lossCount: number;
  /** Index of the first example that is not in the batch. */
  readonly next: number;
}

/** Fills a batch with the examples from `first` on, each in the first row that has room, until one fits nowhere. */
export function packBatch(
  recipe: ModelRecipe,
  examples: TrainingSet,
  first: number,
  rows: number,
): PackedBatch {
  const { rowLength } = recipe.plan;
  const places = rows * rowLength;
  const tokens = new Int32Array(places);
  const positions = new Int32Array(places);
  const starts = Int32Array.from({ length: places }, (_, place) => place % rowLength);
  const targets = new Int32Array(places).fill(-1);
  const used = new Array<number>(rows).fill(0);
  let tokenCount = 0;
  let lossCount = 0;
  let index = first;
  for (; ; index++) {
    const example = examples(index);
    checkExample(example.tokens, index, recipe);
    // The last token is only ever a target.
    const length = example.tokens.length - 1;
    const row = used.findIndex((count) => count + length <= rowLength);
    if (row < 0) break;
    const start = used[row]!;
    const lossFrom = recipe.loss === "all" ? 1 : Math.max(1, example.lossFrom);
    for (let position = 0; position < length; position++) {
      const place = row * rowLength + start + position;
      tokens[place] = example.tokens[position]!;
      positions[place] = position;
      starts[place] = start;
      if (position + 1 < lossFrom) continue;
      targets[place] = example.tokens[position + 1]!;
      lossCount++;
    }
    used[row] = start + length;
    tokenCount += length;
  }
  return { rows, rowLength, tokens, positions, starts, targets, tokenCount, lossCount, next: index };
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
  const invalid = (problem: string) =>
    new StepwrightError("task-invalid", `training example ${index} ${problem}`, {
      subject: `example ${index}`,
    });
  if (tokens.length < 2) throw invalid("has fewer than two tokens");
  if (tokens.length - 1 > plan.rowLength) {
    throw invalid(`has ${tokens.length} tokens, a row holds ${plan.rowLength} and the last target`);
  }
  for (const token of tokens) {
    if (Number.isInteger(token) && token >= 0 && token < sizes.vocabulary) continue;
    throw invalid(`holds token ${token}, the vocabulary has ${sizes.vocabulary}`);
  }
}
