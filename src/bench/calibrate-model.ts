/** Measures what passes of a model cost on this machine: the cost curve that plans are made from. */
import { greedy, type Model } from "../core/model.js";

export const curveWidths = [1, 2, 4, 8, 16, 32, 64] as const;

export interface PassCosts {
  /** Seconds per token: written one after another, and read in one long stretch. */
  readonly writeSeconds: number;
  readonly readSeconds: number;
  /** Seconds of a pass over so many tokens that looks at every row of logits, as verifying drafts does. */
  readonly curve: readonly { readonly tokens: number; readonly seconds: number }[];
}

export interface MeasureOptions {
  /** Each figure is the median of so many measurements, which take turns. */
  readonly rounds: number;
  readonly signal?: AbortSignal | undefined;
}

/** Tokens before the measured ones: about a short question. */
const prefixTokens = 96;
const writtenTokens = 24;
const readTokens = 256;

/** Busy seconds of the engine, as ledgers count them. The model must be free otherwise. */
export async function measurePasses(model: Model, { rounds, signal }: MeasureOptions): Promise<PassCosts> {
  const room = model.size.context;
  const tokens = await someTokens(model, Math.min(prefixTokens + readTokens, room - 1));
  const prefixLength = Math.min(prefixTokens, Math.floor(room / 4));
  const passage = (count: number) => {
    const own = tokens.slice(prefixLength, prefixLength + count);
    return { text: "", tokens: own, vocabulary: model.vocabulary };
  };
  const widths = curveWidths.filter((width) => prefixLength + width < room);
  const readLength = Math.min(readTokens, room - prefixLength - 1);
  const writeLength = Math.min(writtenTokens, room - prefixLength - 1);
  await using prefix = await model.open({
    text: "",
    tokens: tokens.slice(0, prefixLength),
    vocabulary: model.vocabulary,
  });
  // Read once, so that every measurement starts from the same cache.
  await prefix.append(passage(1), { signal });
  prefix.trim(prefixLength);
  const needsLogits = model.capabilities.has("logits");
  const writes: number[] = [];
  const reads: number[] = [];
  const passes = new Map<number, number[]>(widths.map((width) => [width, []]));
  // One round more: the first touches weights that are not in memory yet.
  for (let round = 0; round <= rounds; round++) {
    const keep = (list: number[], seconds: number) => void (round > 0 && list.push(seconds));
    {
      await using branch = prefix.fork();
      const { usage } = await branch.append(passage(readLength), { signal });
      keep(reads, usage.seconds / Math.max(1, usage.prefillTokens));
    }
    {
      await using branch = prefix.fork();
      await branch.append(passage(1), { signal });
      const { usage } = await branch.extend({
        splitter: { kind: "tokens", count: writeLength },
        maxTokens: writeLength,
        sampling: greedy,
        key: "calibrate",
        signal,
      });
      keep(writes, usage.seconds / Math.max(1, usage.decodeTokens + usage.prefillTokens));
    }
    for (const width of widths) {
      await using branch = prefix.fork();
      const { usage } = await branch.append(passage(width), {
        signal,
        ...(needsLogits && { logprobs: true }),
      });
      keep(passes.get(width)!, usage.seconds);
    }
  }
  return {
    writeSeconds: median(writes),
    readSeconds: median(reads),
    curve: widths.map((width) => ({ tokens: width, seconds: median(passes.get(width)!) })),
  };
}

/** Ordinary words, again and again: what they are does not change what a pass costs. */
async function someTokens(model: Model, count: number): Promise<number[]> {
  const words = await model.tokenize(
    "The baker counts 12 rolls, sells 5 of them, and bakes 30 more before noon. ",
  );
  return Array.from({ length: count }, (_, index) => words[index % words.length]!);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
