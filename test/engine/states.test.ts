/** Hidden states that ride along with writing and with likelihoods, on a tiny model: where they stand, and that they change nothing. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { GrowingStates } from "../../src/core/growing-states.js";
import { type ExtendOptions, type Extension, greedy } from "../../src/core/model.js";
import type { StepStates } from "../../src/core/step.js";
import { Engine, type LlamaModel, type OpenLlamaOptions, openLlama } from "../../src/models/llama/index.js";
import { speculate } from "../../src/speculation/index.js";
import { writeTinyModel } from "../../src/testing/tiny-model.js";

let folder: string;
let engine: Engine;
let path: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stepwright-states-"));
  path = join(folder, "tiny.gguf");
  await writeTinyModel(path, { seed: 3 });
  engine = new Engine();
});

afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const prompt = "The answer is 42 and";
const writing = (more: Partial<ExtendOptions> = {}): ExtendOptions => ({
  splitter: { kind: "none" },
  maxTokens: 20,
  sampling: { ...greedy, temperature: 0.9, seed: 6 },
  key: "test",
  ...more,
});

function passage(model: LlamaModel, tokens: readonly number[]) {
  return { text: "", tokens, vocabulary: model.vocabulary };
}

/** The states behind the prompt, each read by itself in a branch of its own. */
async function readOneByOne(model: LlamaModel, { tokens, logprobs }: Extension): Promise<StepStates> {
  const growing = new GrowingStates();
  await using root = await model.open(prompt);
  for (const [index, logprob] of logprobs.entries()) {
    await using branch = root.fork();
    await branch.append(passage(model, tokens.slice(0, index)));
    growing.add((await branch.append("", { hidden: true })).hidden!, logprob);
  }
  return growing.over(tokens.length)!;
}

const settings: [string, OpenLlamaOptions, number][] = [
  // Numbers of a wide pass differ in low bits from those of narrow ones, unless the mode is exact.
  ["one cache", { sequences: 16, context: 512 }, 2e-3],
  ["a cache per branch", { sequences: 8, context: 128, caches: "separate" }, 2e-3],
  ["exact mode", { sequences: 8, context: 128, exact: true }, 0],
  ["the white box", { sequences: 16, context: 512, whiteBox: true }, 2e-3],
];

describe.each(settings)("hidden states with %s", (_, options, tolerance) => {
  const open = (more: OpenLlamaOptions = {}) =>
    openLlama(path, { engine, keptPrompts: 0, ...options, ...more });
  const expectClose = (states: StepStates | undefined, expected: StepStates) => {
    for (const kind of ["least", "mean", "end"] as const) {
      const far = expected[kind].map((value, index) => Math.abs(value - states![kind][index]!));
      expect(states![kind]).toHaveLength(expected[kind].length);
      expect(Math.max(...far)).toBeLessThanOrEqual(tolerance);
    }
  };

  it("of what is written are those of the text before each token, and change no token and no figure", async () => {
    await using model = await open();
    await using root = await model.open(prompt);
    await root.append("");
    const [plain, written] = [
      await root.fork().extend(writing()),
      await root.fork().extend(writing({ states: true })),
    ];
    expect(plain.states).toBeUndefined();
    const { states, usage, ...rest } = written;
    expect({ ...rest, passes: usage.decodeTokens, flops: usage.flops }).toEqual({
      ...{ text: plain.text, tokens: plain.tokens, vocabulary: plain.vocabulary, stop: plain.stop },
      ...{ logprobs: plain.logprobs, entropies: plain.entropies },
      ...{ passes: plain.usage.decodeTokens, flops: plain.usage.flops },
    });
    expect(states!.least).toHaveLength(model.info.width);
    for (const other of [states!.mean, states!.end]) expect(states!.least).not.toEqual(other);
    expectClose(states, await readOneByOne(model, written));

    // Whoever reads the text for its likelihood sees the same.
    const read = await root.fork().append(passage(model, written.tokens), { logprobs: true, states: true });
    expectClose(read.states, states!);
    expect(read.entropies).toHaveLength(written.tokens.length);
    for (const [index, entropy] of written.entropies.entries())
      expect(Math.abs(read.entropies![index]! - entropy)).toBeLessThanOrEqual(tolerance);
    const without = await root.fork().append(passage(model, written.tokens), { logprobs: true });
    expect(without).toMatchObject({ logprobs: read.logprobs });
    expect(without.states).toBeUndefined();
  });

  it("are right beside writers with and without them, readers, and branches that lose their cells", async () => {
    await using model = await open({ sequences: 3, context: options.context === 512 ? 120 : 64 });
    await using root = await model.open(prompt);
    await root.append("");
    const calls = [0, 1, 2, 3, 4, 5].map((index) => writing({ key: `${index}`, states: index % 2 === 0 }));
    const branches = calls.map(() => root.fork());
    const others = [root.fork(), root.fork()];
    const long = passage(
      model,
      [...prompt.repeat(2)].map((letter) => letter.charCodeAt(0)),
    );
    const [written] = await Promise.all([
      Promise.all(calls.map((call, index) => branches[index]!.extend(call))),
      ...others.map((branch) => branch.append(long)),
    ]);
    expect((await model.statistics()).evictions).toBeGreaterThan(0);
    for (const branch of [...branches, ...others]) branch.drop();
    for (const [index, extension] of written.entries()) {
      if (index % 2 === 1) expect(extension.states).toBeUndefined();
      else expectClose(extension.states, await readOneByOne(model, extension));
    }
  });

  it("come with blocks of a speculating model", async () => {
    await using model = await open();
    await using plain = await model.open(prompt);
    await plain.append("");
    const expected = await plain.extend(writing({ states: true, sampling: greedy }));
    const target = await speculate(model, { drafter: "model", draft: model, controller: "fixed?depth=3" });
    await using branch = await target.open(prompt);
    const { states, tokens, speculation } = await branch.extend(writing({ states: true, sampling: greedy }));
    expect(speculation?.accepted).toBeGreaterThan(0);
    expect(tokens).toEqual(expected.tokens);
    expectClose(states, expected.states!);
    await target.releaseDrafter();
  });
});

it("are refused without the log-probabilities that they stand at", async () => {
  await using model = await openLlama(path, { engine });
  await using branch = await model.open(prompt);
  await expect(branch.append("so", { states: true })).rejects.toMatchObject({
    code: "invalid-option",
    subject: "states",
  });
});

it("of a step cut off are those of what it wrote", async () => {
  await using model = await openLlama(path, { engine });
  await using branch = await model.open(prompt);
  const stop = new AbortController();
  const written = await branch.extend(
    writing({ maxTokens: 300, states: true, signal: stop.signal, onText: () => stop.abort() }),
  );
  expect(written.stop).toBe("cut");
  const expected = await readOneByOne(model, written);
  for (const [index, value] of expected.end.entries())
    expect(Math.abs(written.states!.end[index]! - value)).toBeLessThan(2e-3);
});
