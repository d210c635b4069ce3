/** Trees of drafted tokens on a tiny model: libllama with one cache, with a cache per branch, exact, and the white box. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Branch,
  type ExtendOptions,
  greedy,
  type Sampling,
  type TreeReading,
  type TreeToken,
} from "../../src/core/model.js";
import { Engine, type LlamaModel, type OpenLlamaOptions, openLlama } from "../../src/models/llama/index.js";
import { speculate } from "../../src/speculation/index.js";
import { tinyChatTemplate, writeTinyModel } from "../../src/testing/tiny-model.js";

let folder: string;
let engine: Engine;
let path: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stepwright-trees-"));
  path = join(folder, "tiny.gguf");
  await writeTinyModel(path, { seed: 3, chatTemplate: tinyChatTemplate });
  engine = new Engine();
});

afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const sampled: Sampling = { ...greedy, temperature: 0.9, topP: 0.95, seed: 4 };
const writing = (maxTokens: number, sampling: Sampling = greedy): ExtendOptions => ({
  splitter: { kind: "none" },
  maxTokens,
  sampling,
  key: "test",
});

const bushy: TreeToken[] = [
  { token: 10, parent: -1 },
  { token: 20, parent: -1 },
  { token: 11, parent: 0 },
  { token: 12, parent: 0 },
  { token: 21, parent: 1 },
  { token: 13, parent: 2 },
  { token: 14, parent: 2 },
  { token: 12, parent: 5 },
];
const chain: TreeToken[] = [50, 9, 9, 130, 2].map((token, index) => ({ token, parent: index - 1 }));

function pathOf(tree: readonly TreeToken[], node: number): number[] {
  return node < 0 ? [] : [...pathOf(tree, tree[node]!.parent), tree[node]!.token];
}

function passage(model: LlamaModel, tokens: readonly number[]) {
  return { text: "", tokens, vocabulary: model.vocabulary };
}

const asked = [3, 77, 130];

function read(
  branch: Branch,
  tree: readonly TreeToken[],
  sampling = greedy,
  more = {},
): Promise<TreeReading> {
  const ask = Array.from({ length: tree.length + 1 }, () => asked);
  return branch.readTree!(tree, { sampling, key: "test", ask, ...more });
}

async function settled(model: LlamaModel) {
  for (;;) {
    const statistics = await model.statistics();
    if (statistics.branches === 0) return statistics;
  }
}

const settings: [string, OpenLlamaOptions, number][] = [
  // Numbers of a wide pass differ in low bits from those of narrow ones, unless the mode is exact.
  ["one cache", { sequences: 16, context: 512 }, 2e-3],
  ["a cache per branch", { sequences: 8, context: 128, caches: "separate" }, 2e-3],
  ["exact mode", { sequences: 8, context: 128, exact: true }, 0],
  ["the white box", { sequences: 16, context: 512, whiteBox: true }, 2e-3],
];

describe.each(settings)("trees with %s", (_, options, tolerance) => {
  const open = () => openLlama(path, { engine, keptPrompts: 0, ...options });
  const expectClose = (value: number, expected: number) =>
    expect(Math.abs(value - expected)).toBeLessThanOrEqual(tolerance);

  it.each([
    ["a chain", chain],
    ["a bushy tree", bushy],
  ])("rows of %s are those of the same paths appended token by token", async (_, tree) => {
    await using model = await open();
    expect(model.capabilities.has("tree")).toBe(true);
    const branch = await model.open("The answer is 42 and");
    const { rows, usage } = await read(branch, tree, sampled, { hidden: true, topK: 4 });
    expect(rows).toHaveLength(tree.length + 1);
    expect(usage.decodeTokens).toBe(0);
    for (const [index, row] of rows.entries()) {
      const alone = await model.open("The answer is 42 and");
      const start = alone.length;
      for (const token of pathOf(tree, index - 1)) await alone.append(passage(model, [token]));
      const one = await alone.append("", { tokens: asked, topK: 4, hidden: true });
      for (const [at, logprob] of one.tokens!.entries()) expectClose(row.logprobs[at]!, logprob);
      for (const [at, value] of one.hidden!.entries()) expectClose(row.hidden![at]!, value);
      expectClose(row.entropy, one.entropy!);
      expect(row.topK!.map(({ token }) => token)).toEqual(one.topK!.map(({ token }) => token));
      // What a plain draw writes at the same place with the same key.
      alone.trim(start);
      await alone.append(passage(model, pathOf(tree, index - 1)));
      const written = await alone.extend(writing(1, sampled));
      expect(row.draw.token).toBe(written.tokens[0]);
      expectClose(row.draw.logprob, written.logprobs[0]!);
      alone.drop();
    }
  });

  it("writes the same with blocks of its own words, right and wrong, as without", async () => {
    await using model = await open();
    for (const sampling of [greedy, sampled]) {
      const plain = await model.open("The answer is 42 and");
      const expected = (await plain.extend(writing(40, sampling))).tokens;
      const branch = await model.open("The answer is 42 and");
      const start = branch.length;
      const written: number[] = [];
      for (let block = 0; written.length < expected.length; block++) {
        // Two guesses go wrong, at once and after some tokens; with luck one is right to the end.
        const right = expected.slice(written.length, written.length + 1 + (block % 5));
        const tree: TreeToken[] = right.map((token, index) => ({ token, parent: index - 1 }));
        tree.push({ token: 200 + block, parent: -1 }, { token: 100, parent: Math.min(1, right.length - 1) });
        const { rows } = await read(branch, tree, sampling);
        let node = -1;
        for (;;) {
          const { token } = rows[node + 1]!.draw;
          written.push(token);
          const next = tree.findIndex((child) => child.parent === node && child.token === token);
          if (next < 0) break;
          node = next;
        }
        branch.keep!(node);
        void branch.append(passage(model, [written.at(-1)!]));
        expect(branch.length).toBe(start + written.length - 1);
      }
      expect(written.slice(0, expected.length)).toEqual(expected);
      const rest = await branch.extend(writing(5, sampling));
      plain.trim(start);
      await plain.append(passage(model, written));
      expect(rest.tokens).toEqual((await plain.extend(writing(5, sampling))).tokens);
    }
  });

  it("reads trees of many branches at once, and frees everything", async () => {
    await using model = await open();
    const prompts = Array.from({ length: 5 }, (_, index) => `${"So ".repeat(index)}the answer is`);
    const alone: TreeReading[] = [];
    for (const prompt of prompts) {
      const branch = await model.open(prompt);
      alone.push(await read(branch, bushy));
      branch.drop();
    }
    const together = await Promise.all(
      prompts.map(async (prompt) => {
        const branch = await model.open(prompt);
        const reading = await read(branch, bushy);
        branch.drop();
        return reading;
      }),
    );
    for (const [index, { rows }] of together.entries()) {
      for (const [at, row] of rows.entries()) {
        expect(row.draw.token).toBe(alone[index]!.rows[at]!.draw.token);
        expectClose(row.entropy, alone[index]!.rows[at]!.entropy);
      }
    }
    const statistics = await settled(model);
    expect(statistics.sequencesInUse).toBe(0);
    expect(statistics.freeCells).toBe(statistics.cells);
  });
});

describe("trees", () => {
  it("frees everything over hundreds of trees, kept, dropped and cut off", async () => {
    await using model = await openLlama(path, { engine, context: 256, sequences: 12 });
    const root = await model.open("The answer is 42");
    await root.append(" and");
    for (let round = 0; round < 100; round++) {
      const branches = Array.from({ length: 4 }, () => root.fork());
      const controller = new AbortController();
      const readings = branches.map((branch, index) =>
        read(
          branch,
          index % 2 === 0 ? bushy : chain,
          greedy,
          index === 3 ? { signal: controller.signal } : {},
        ),
      );
      controller.abort();
      await Promise.allSettled(readings);
      branches[0]!.keep!((round % 9) - 1);
      branches[1]!.keep!((round % 6) - 1);
      for (const branch of branches) branch.drop();
    }
    root.drop();
    const statistics = await settled(model);
    expect(statistics).toMatchObject({ sequencesInUse: 0, freeCells: statistics.cells });
  });

  it("reads a tree that is too big for one pass in several", async () => {
    const long = join(folder, "long.gguf");
    await writeTinyModel(long, { seed: 3, context: 1024 });
    await using model = await openLlama(long, { engine, context: 1024, sequences: 16 });
    const trunk = Array.from({ length: 10 }, (_, index) => ({ token: 5 + index, parent: index - 1 }));
    const tree: TreeToken[] = [...trunk];
    // Eight branches side by side, so that a pass ends in the middle of all of them.
    for (let depth = 0; depth < 70; depth++) {
      for (let each = 0; each < 8; each++) {
        tree.push({ token: (20 * each + depth) % 200, parent: depth === 0 ? 9 : tree.length - 8 });
      }
    }
    const branch = await model.open("The answer is 42 and");
    const { decodes } = await model.statistics();
    const { rows } = await read(branch, tree);
    expect((await model.statistics()).decodes - decodes).toBeGreaterThan(1);
    for (const node of [9, 300, tree.length - 8, tree.length - 1]) {
      const alone = await model.open("The answer is 42 and");
      const { tokens } = await alone.append(passage(model, pathOf(tree, node)), { tokens: asked });
      for (const [at, logprob] of tokens!.entries()) {
        // Wide passes over long paths: 0.003 was seen.
        expect(Math.abs(rows[node + 1]!.logprobs[at]! - logprob)).toBeLessThan(2e-2);
      }
    }
  });

  it("speculates with wide trees to the end of the context", async () => {
    await using exact = await openLlama(path, { engine, context: 256, exact: true });
    await using shared = await openLlama(path, { engine, context: 256, sequences: 8 });
    for (const target of [exact, shared]) {
      const text = await target.tokenize("The answer is 42 and 37 coins are left. ".repeat(40));
      const prompt = passage(target, text.slice(0, target.size.context - 24));
      const plain = await (await target.open(prompt)).extend(writing(200));
      const controller = "fixed?nodes=24&depth=4";
      const speculating = await speculate(target, { drafter: "recycling", controller });
      const drafted = await (await speculating.open(prompt)).extend(writing(200));
      expect(plain.stop).toBe("context");
      expect(drafted.stop).toBe("context");
      expect(drafted.tokens).toEqual(plain.tokens);
      expect(drafted.speculation!.drafted).toBeGreaterThan(0);
    }
  });

  it("refuses what is no tree, a node there is not, and questions beyond the vocabulary", async () => {
    await using model = await openLlama(path, { engine, context: 256 });
    const branch = await model.open("The answer");
    const refused = { code: "invalid-option" };
    await expect(read(branch, [{ token: 1, parent: 0 }])).rejects.toMatchObject(refused);
    await expect(read(branch, [{ token: 99_999, parent: -1 }])).rejects.toMatchObject(refused);
    await expect(branch.readTree!(chain, { sampling: greedy, key: "", ask: [[]] })).rejects.toMatchObject(
      refused,
    );
    expect(() => branch.keep!(0)).toThrow(/read a tree first/);
    await read(branch, chain);
    expect(() => branch.keep!(5)).toThrow(/no node 5/);
    branch.keep!(1);
    expect(() => branch.keep!(1)).toThrow(/read a tree first/);
    expect((await branch.extend(writing(1))).tokens).toHaveLength(1);
    expect(model.treeLimits).toEqual({ nodes: 511, leaves: 32 });
  });

  it("gives the bytes of tokens", async () => {
    await using model = await openLlama(path, { engine });
    const text = "naïve 🙂 answer";
    const tokens = await model.tokenize(text);
    expect(Buffer.concat(await model.tokenBytes(tokens)).toString("utf8")).toBe(text);
    const [end] = [...model.endTokens];
    expect((await model.tokenBytes([end!]))[0]).toHaveLength(0);
  });
});
