import { afterAll, describe, expect, it } from "vitest";
import { keyedBits } from "../core/random.js";
import { loadNative } from "./load.js";
import { NativeMemory } from "./native-memory.js";
import type { Row, RowRequest } from "./native-model.js";
import { RowReader } from "./row-reader.js";

const native = loadNative();
const opened: { free(): void }[] = [];
afterAll(() => {
  for (const each of opened) each.free();
});

/** A reader over a row in our own memory, where any logits can be put. */
function rowIn(logits: Float32Array): (request?: Partial<RowRequest>) => Row {
  const memory = new NativeMemory(4 * logits.length);
  const reader = new RowReader(native, logits.length);
  opened.push(reader, memory);
  const row = new Float32Array(memory.bytes);
  row.set(logits);
  const before = new Uint8Array(memory.bytes.slice(0));
  return (request = {}) => {
    const answer = reader.read(memory.address, row, {
      output: 0,
      draw: null,
      topK: 0,
      tokens: [],
      row: false,
      ...request,
    });
    // Bytes, because the logits of a test may be NaN.
    expect(Buffer.compare(new Uint8Array(memory.bytes), before)).toBe(0);
    return answer;
  };
}

const plain = { temperature: 1, topK: 0, topP: 1, minP: 0, bits: 0 };
const greedy = { ...plain, temperature: 0 };

function randomLogits(length: number, spread: number): Float32Array {
  return Float32Array.from(
    { length },
    (_, id) => (keyedBits(7, "logits", id, "test") / 2 ** 32 - 0.5) * spread,
  );
}

/** Log-probabilities in double precision. */
function reference(logits: Float32Array): Float64Array {
  const largest = logits.reduce((left, right) => Math.max(left, right));
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return Float64Array.from(logits, (logit) => logit - largest - Math.log(sum));
}

function entropyOf(logprobs: Float64Array): number {
  let entropy = 0;
  for (const logprob of logprobs) if (logprob > -700) entropy -= Math.exp(logprob) * logprob;
  return entropy;
}

/** Upper point of the chi-square law: Wilson and Hilferty's approximation, at `deviations` standard deviations. */
function chiSquareBound(freedom: number, deviations: number): number {
  const part = 2 / (9 * freedom);
  return freedom * (1 - part + deviations * Math.sqrt(part)) ** 3;
}

function chiSquare(counts: readonly number[], law: readonly number[]): number {
  const draws = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce((sum, count, id) => sum + (count - draws * law[id]!) ** 2 / (draws * law[id]!), 0);
}

describe.each([
  [30, 8],
  [128, 8],
  [129, 20],
  [5000, 3],
  [151_936, 25],
])("a row of %i logits, spread %i", (length, spread) => {
  const logits = randomLogits(length, spread);
  const logprobs = reference(logits);
  const read = rowIn(logits);

  it("gives the arg-max, its log-probability and the entropy", () => {
    const best = logprobs.indexOf(logprobs.reduce((left, right) => Math.max(left, right)));
    const row = read({ draw: greedy });
    expect(row.finite).toBe(true);
    expect(row.token).toBe(best);
    expect(row.logprob).toBeCloseTo(logprobs[best]!, 4);
    expect(row.entropy).toBeCloseTo(entropyOf(logprobs), 3);
  });

  it("gives the top k, asked tokens and the whole row", () => {
    const sorted = Array.from(logprobs.keys()).sort(
      (left, right) => logprobs[right]! - logprobs[left]! || left - right,
    );
    const row = read({ topK: 20, tokens: [0, length - 1], row: true });
    expect(row.token).toBe(-1);
    expect(row.topK.map(({ token }) => token)).toEqual(sorted.slice(0, 20));
    for (const { token, logprob } of row.topK) expect(logprob).toBeCloseTo(logprobs[token]!, 4);
    expect(row.tokens[0]).toBeCloseTo(logprobs[0]!, 4);
    expect(row.tokens[1]).toBeCloseTo(logprobs[length - 1]!, 4);
    expect(row.row).toHaveLength(length);
    for (const id of [0, 7, length - 1]) expect(row.row![id]).toBeCloseTo(logprobs[id]!, 4);
  });

  it("gives one token for the same bits, and top-k 1 the arg-max", () => {
    for (const bits of [0, 1, 2 ** 31, 2 ** 32 - 1]) {
      const draw = { ...plain, temperature: 0.8, bits };
      const { token } = read({ draw });
      expect(read({ draw }).token).toBe(token);
      expect(read({ draw: { ...draw, topK: 1 } }).token).toBe(read({ draw: greedy }).token);
    }
  });
});

describe("drawn tokens follow the law", () => {
  const logits = randomLogits(30, 6);
  const read = rowIn(logits);
  const tempered = (temperature: number) => {
    const logprobs = reference(logits.map((logit) => logit / temperature));
    return Array.from(logprobs, Math.exp);
  };
  const truncated = (law: number[], keeps: (rank: number, sorted: number[]) => boolean) => {
    const sorted = law.toSorted((left, right) => right - left);
    const kept = law.map((probability) => (keeps(sorted.indexOf(probability), sorted) ? probability : 0));
    const sum = kept.reduce((total, probability) => total + probability, 0);
    return kept.map((probability) => probability / sum);
  };
  const mass = (sorted: number[], count: number) =>
    sorted.slice(0, count).reduce((sum, each) => sum + each, 0);

  it.each([
    ["temperature 1", plain, tempered(1)],
    ["temperature 0.6", { ...plain, temperature: 0.6 }, tempered(0.6)],
    ["temperature 2", { ...plain, temperature: 2 }, tempered(2)],
    ["top-k 5", { ...plain, topK: 5 }, truncated(tempered(1), (rank) => rank < 5)],
    [
      "top-p 0.8 at temperature 1.5",
      { ...plain, temperature: 1.5, topP: 0.8 },
      truncated(tempered(1.5), (rank, sorted) => mass(sorted, rank) < 0.8),
    ],
    [
      "min-p 0.2",
      { ...plain, minP: 0.2 },
      truncated(tempered(1), (rank, sorted) => sorted[rank]! >= 0.2 * sorted[0]!),
    ],
  ])("%s", (_, draw, law) => {
    const counts = Array<number>(30).fill(0);
    for (let index = 0; index < 20_000; index++) {
      const { token } = read({ draw: { ...draw, bits: keyedBits(11, "draws", index, "sample") } });
      counts[token] = counts[token]! + 1;
    }
    const possible = law.map((probability, id) => ({ probability, count: counts[id]! }));
    expect(possible.filter(({ probability, count }) => probability === 0 && count > 0)).toEqual([]);
    const kept = possible.filter(({ probability }) => probability > 0);
    const value = chiSquare(
      kept.map(({ count }) => count),
      kept.map(({ probability }) => probability),
    );
    // The draws are keyed, so this holds always or never; 3.1 deviations are one wrong alarm in a thousand keys.
    expect(value).toBeLessThan(chiSquareBound(Math.max(1, kept.length - 1), 3.1));
  });

  it("over many blocks: each block gets its share", () => {
    const wide = randomLogits(4096, 5);
    const readWide = rowIn(wide);
    const law = Array.from(reference(wide), Math.exp);
    const groups = 32;
    const counts = Array<number>(groups).fill(0);
    const shares = Array<number>(groups).fill(0);
    for (const [id, probability] of law.entries()) shares[id % groups]! += probability;
    for (let index = 0; index < 20_000; index++) {
      const { token } = readWide({ draw: { ...plain, bits: keyedBits(13, "wide", index, "sample") } });
      counts[token % groups]! += 1;
    }
    expect(chiSquare(counts, shares)).toBeLessThan(chiSquareBound(groups - 1, 3.1));
  });
});

describe("the processed law", () => {
  const length = 300;
  const logits = randomLogits(length, 9);
  const read = rowIn(logits);
  const best = logits.indexOf(logits.reduce((left, right) => Math.max(left, right)));
  /** By brute force: tempered, then top-k, top-p and min-p as vLLM does, in double precision. */
  const lawOf = ({ temperature, topK, topP, minP }: typeof plain) => {
    if (temperature === 0) return Float64Array.from(logits, (_, id) => (id === best ? 1 : 0));
    const law = reference(logits.map((logit) => logit / temperature)).map(Math.exp);
    const order = Array.from(law.keys()).sort((left, right) => law[right]! - law[left]!);
    let kept = topK > 0 ? order.slice(0, topK) : order;
    const mass = kept.reduce((sum, id) => sum + law[id]!, 0);
    let before = 0;
    kept = kept.filter((id) => {
      const keeps = topP === 1 || before < topP * mass;
      before += law[id]!;
      return keeps && (id === order[0] || law[id]! >= minP * law[order[0]!]!);
    });
    const sum = kept.reduce((total, id) => total + law[id]!, 0);
    return law.map((probability, id) => (kept.includes(id) ? probability / sum : 0));
  };
  const settings: [string, typeof plain][] = [
    ["untouched", plain],
    ["temperature 0", { ...plain, temperature: 0 }],
    ["temperature 0.5", { ...plain, temperature: 0.5 }],
    ["temperature 1.7, top-k 20", { ...plain, temperature: 1.7, topK: 20 }],
    ["top-p 0.9", { ...plain, topP: 0.9 }],
    [
      "top-p 0.97 of top-k 200, min-p 0.05, temperature 2",
      { temperature: 2, topK: 200, topP: 0.97, minP: 0.05, bits: 0 },
    ],
  ];

  it.each(settings)("%s: probabilities of the asked tokens, and a token outside them", (_, draw) => {
    const law = lawOf(draw);
    const random = (index: number, n: number) => keyedBits(3, "ask", index, "test") % n;
    for (let index = 0; index < 40; index++) {
      // Half of them among the likely ones.
      const tokens = [
        ...new Set(
          Array.from({ length: 1 + (index % 9) }, (_, each) => {
            const id = random(100 * index + each, length);
            return each % 2 === 0 ? id : read({ topK: 12 }).topK[id % 12]!.token;
          }),
        ),
      ];
      const row = read({ draw, tokens, law: { ...draw, tokens, bits: random(index, 2 ** 32) } });
      const { probabilities, outside, outsideLogprob } = row.law!;
      for (const [at, token] of tokens.entries()) expect(probabilities[at]).toBeCloseTo(law[token]!, 5);
      const left = 1 - tokens.reduce((sum, token) => sum + law[token]!, 0);
      if (left < 1e-12) expect(outside).toBe(-1);
      else {
        expect(tokens).not.toContain(outside);
        expect(law[outside]!).toBeGreaterThan(0);
        expect(outsideLogprob).toBeCloseTo(reference(logits)[outside]!, 4);
      }
      // What a plain draw gives is the same with and without the question beside it.
      expect(row.token).toBe(read({ draw }).token);
    }
  });

  it.each(settings.filter(([, { temperature }]) => temperature > 0))(
    "%s: the token outside follows the rest of the law",
    (_, draw) => {
      const law = lawOf(draw);
      const tokens = [
        best,
        ...read({ topK: 6 })
          .topK.slice(3)
          .map(({ token }) => token),
        0,
        length - 1,
      ];
      const counts = new Map<number, number>();
      for (let index = 0; index < 10_000; index++) {
        const bits = keyedBits(17, "outside", index, "outside");
        const { outside } = read({ law: { ...draw, tokens, bits } }).law!;
        counts.set(outside, (counts.get(outside) ?? 0) + 1);
      }
      const rest = law.map((probability, id) => (tokens.includes(id) ? 0 : probability));
      const mass = rest.reduce((sum, probability) => sum + probability, 0);
      // Tokens that are hardly ever drawn share one cell.
      const [cells, shares] = [[0], [0]];
      for (const [id, probability] of rest.entries()) {
        const count = counts.get(id) ?? 0;
        if (probability === 0) expect(count).toBe(0);
        const share = probability / mass;
        if (share > 1e-3) {
          cells.push(count);
          shares.push(share);
        } else {
          cells[0]! += count;
          shares[0]! += share;
        }
      }
      const from = shares[0]! > 1e-3 ? 0 : 1;
      expect(chiSquare(cells.slice(from), shares.slice(from))).toBeLessThan(
        chiSquareBound(Math.max(1, cells.length - from - 1), 3.1),
      );
    },
  );

  it("has nothing outside where the asked tokens have all of it", () => {
    const three = rowIn(Float32Array.from([1, Number.NEGATIVE_INFINITY, 0, 2]));
    const law = { ...plain, tokens: [0, 2, 3] };
    expect(three({ law }).law).toMatchObject({ outside: -1, outsideLogprob: 0 });
    expect(three({ law: { ...law, topK: 2, tokens: [3, 0] } }).law).toMatchObject({ outside: -1 });
    expect(three({ law: { ...law, tokens: [] } }).law!.outside).not.toBe(1);
  });
});

describe("truncation that the first 256 candidates do not decide", () => {
  it("goes on to more of them", () => {
    // Nearly flat: half of the mass needs half of the tokens.
    const logits = randomLogits(20_000, 0.01);
    const read = rowIn(logits);
    const { token } = read({ draw: { ...plain, topP: 0.5, bits: 2 ** 32 - 1 } });
    const sorted = Array.from(logits.keys()).sort((left, right) => logits[right]! - logits[left]!);
    const rank = sorted.indexOf(token);
    expect(rank).toBeGreaterThan(9000);
    expect(rank).toBeLessThan(10_100);
  });
});

describe("rows that are not finite", () => {
  const logits = randomLogits(1000, 8);
  const changed = (change: (row: Float32Array) => void) => {
    const row = logits.slice();
    change(row);
    return rowIn(row);
  };

  it.each([
    ["a NaN first", 0, Number.NaN],
    ["a NaN in the middle", 500, Number.NaN],
    ["a NaN last", 999, Number.NaN],
    ["+infinity", 3, Number.POSITIVE_INFINITY],
  ])("%s is detected", (_, id, value) => {
    const read = changed((row) => {
      row[id] = value;
    });
    expect(read({ draw: greedy }).finite).toBe(false);
    expect(read({ draw: plain, topK: 3 }).finite).toBe(false);
  });

  it.each([Number.NaN, Number.NEGATIVE_INFINITY])("all %d is detected", (value) => {
    expect(changed((row) => row.fill(value))({ draw: greedy }).finite).toBe(false);
  });

  it("-infinity is a law without that token", () => {
    const read = changed((row) => row.fill(Number.NEGATIVE_INFINITY, 10));
    const rest = reference(logits.subarray(0, 10));
    const row = read({ draw: { ...plain, bits: 2 ** 32 - 1 }, tokens: [4, 500], topK: 20 });
    expect(row.finite).toBe(true);
    expect(row.token).toBeLessThan(10);
    expect(row.entropy).toBeCloseTo(entropyOf(rest), 4);
    expect(row.tokens[0]).toBeCloseTo(rest[4]!, 4);
    expect(row.tokens[1]).toBe(Number.NEGATIVE_INFINITY);
    expect(row.topK.slice(10).every(({ logprob }) => logprob === Number.NEGATIVE_INFINITY)).toBe(true);
  });

  it("one possible token has entropy 0 and log-probability 0", () => {
    const read = changed((row) => row.fill(Number.NEGATIVE_INFINITY).fill(3, 77, 78));
    expect(read({ draw: plain })).toMatchObject({ finite: true, token: 77, logprob: 0 });
    expect(read({ draw: plain }).entropy).toBeCloseTo(0, 6);
  });

  it("the next row is read as if nothing had been", () => {
    const memory = new NativeMemory(4000);
    const reader = new RowReader(native, 1000);
    opened.push(reader, memory);
    const row = new Float32Array(memory.bytes);
    const request = { output: 0, draw: greedy, topK: 0, tokens: [], row: false };
    row.fill(Number.NaN);
    expect(reader.read(memory.address, row, request).finite).toBe(false);
    row.set(logits);
    expect(reader.read(memory.address, row, request)).toMatchObject({ finite: true });
  });

  it("the coldest temperatures draw the arg-max", () => {
    const read = rowIn(logits);
    for (const temperature of [1e-3, 1e-5, 1e-12, 0]) {
      expect(read({ draw: { ...plain, temperature, bits: 2 ** 31 } }).token).toBe(
        read({ draw: greedy }).token,
      );
    }
  });
});
