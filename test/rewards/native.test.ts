/** Rewards through the real engine, on tiny models whose laws and states are known. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keyedUniform } from "../../src/core/random.js";
import type { Score } from "../../src/core/reward.js";
import type { Step } from "../../src/core/step.js";
import bestOfN from "../../src/methods/best-of-n.js";
import { Engine, type LlamaModel, openLlama } from "../../src/models/llama/index.js";
import { openReward } from "../../src/rewards/index.js";
import { eventsOf } from "../../src/testing/small-models.js";
import {
  bigramWeights,
  type TinyModelOptions,
  tinyVocabulary,
  writeTinyModel,
} from "../../src/testing/tiny-model.js";
import { headContext } from "./heads.js";
import { contextOf, step, tensor } from "./help.js";

let folder: string;
const engine = new Engine();
const models = new Map<TinyModelOptions, Promise<LlamaModel>>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stepwright-rewards-"));
});

afterAll(async () => {
  for (const model of models.values()) await (await model)[Symbol.asyncDispose]();
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** Each tiny model is made and loaded once. */
function load(options: TinyModelOptions): Promise<LlamaModel> {
  let model = models.get(options);
  if (!model) {
    const path = join(folder, `${models.size}.gguf`);
    model = writeTinyModel(path, options).then(() => openLlama(path, { engine, sequences: 16 }));
    models.set(options, model);
  }
  return model;
}

/** Random weights, so that states and laws depend on every token read. */
const random: TinyModelOptions = {
  words: [" ки"],
  controlTokens: ["<extra_0>"],
  context: 4096,
};
const width = 64;
const noise = (name: string, length: number, scale = 1) =>
  Float32Array.from({ length }, (_, at) => scale * (2 * keyedUniform(7, name, at, "head") - 1));

/** A law by the current token only, but for a trace of what was read before it, so that steps can be told apart. */
function known(logit: (current: string, next: string) => number): TinyModelOptions {
  const base = { words: [" ки"], context: 4096, width: 384, layers: 1, tied: false } as const;
  const texts = tinyVocabulary(base).map(plainText);
  const bigram = bigramWeights(texts.length, base.width, (a, b) => logit(texts[a]!, texts[b]!));
  return {
    ...base,
    weights: (name, shape) =>
      name.endsWith("attn_output.weight")
        ? noise(
            name,
            shape.reduce((product, length) => product * length, 1),
            1e-3,
          )
        : bigram(name, shape),
  };
}

/** The text of a byte-level token, where it is one of those that these laws speak of. */
function plainText(token: string): string {
  return token.replaceAll("Ġ", " ").replaceAll("Ċ", "\n").replace("ÐºÐ¸", "ки");
}

const signs = known((current, next) => {
  if (current === " ки") return next === "+" ? 5 : next === "-" ? 3 : -5;
  if (current === "\n") return next === "+" ? 4 : next === "-" ? 3 : -5;
  return 0;
});
const judge = known((current, next) => {
  if (current !== "\n") return 0;
  const law: Record<string, number> = { Yes: 2, yes: 1, No: 0, "7": 1, "8": 1 };
  return law[next] ?? -9;
});

const steps = ["Two plus two is 4.\n\n", "\n\n", "So 4 coins.\n\n", "The answer is 4."];

async function scores(model: LlamaModel, reference: string, heads = new Map()): Promise<Score[]> {
  await using reward = await openReward(reference, contextOf(model, heads));
  const scorer = await reward.open("How many coins?");
  const found: Score[] = [];
  for (const text of steps) found.push(await scorer.append(step(text)));
  scorer.drop();
  return found;
}

/** Drops are served in their turn, those of earlier tests too. */
async function branchesAtRest(model: LlamaModel): Promise<number> {
  for (let last = -1; ; ) {
    const { branches } = await model.statistics();
    if (branches === last) return branches;
    last = branches;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const valueHead = new Map([
  ["v_head.summary.weight", tensor([1, width], noise("value", width, 0.3))],
  ["v_head.summary.bias", tensor([1], [0.1])],
]);
const twoClass = new Map([
  ["score.0.weight", tensor([width, width], noise("hidden", width * width, 0.3))],
  ["score.0.bias", tensor([width], noise("bias", width))],
  ["score.2.weight", tensor([2, width], noise("output", 2 * width, 0.3))],
  ["score.2.bias", tensor([2], [0.2, -0.2])],
]);

describe("scores by hand", () => {
  test("a value head on the state that the model reports", async () => {
    const model = await load(random);
    const separator = (await model.tokenize("\n\n")).at(-1)!;
    const begin = await model.tokenize("<|endoftext|>", { special: true });
    const tokens = [...begin, ...(await model.tokenize("How many coins?\n"))];
    const found = await scores(model, "value-head:M", valueHead);
    for (const [index, text] of steps.entries()) {
      const bare = text.trim();
      tokens.push(...(bare === "" ? [] : await model.tokenize(bare)), separator);
      await using branch = await model.open("");
      const { hidden } = await branch.append(
        { text: "", tokens, vocabulary: model.vocabulary },
        { hidden: true },
      );
      const weights = valueHead.get("v_head.summary.weight")!.values;
      const sum = hidden!.reduce((total, number, at) => total + number * weights[at]!, 0.1);
      expect(found[index]!.value).toBeCloseTo(1 / (1 + Math.exp(-sum)), 3);
    }
    expect(new Set(found.map(({ value }) => value)).size).toBe(steps.length);
  });

  test("sign tokens whose logits are 5 and 3 at the mark", async () => {
    const model = await load(signs);
    const good = await scores(model, "step-token:M?begin=");
    const swapped = await scores(model, "step-token:M?begin=&good=-&bad=%2B");
    for (const [index, { value }] of good.entries()) {
      expect(value).toBeCloseTo(1 / (1 + Math.exp(-2)), 2);
      expect(swapped[index]!.value).toBeCloseTo(1 - value, 5);
    }
  });

  test("a dialogue reads the sign where it is predicted", async () => {
    for (const { value } of await scores(await load(signs), "step-token:M?preset=rlhflow")) {
      expect(value).toBeCloseTo(1 / (1 + Math.exp(-1)), 2);
    }
  });

  test("a judge whose logits are 2 for Yes, 1 for yes, 0 for No", async () => {
    for (const { value } of await scores(await load(judge), "judge:M")) {
      const yes = Math.exp(2) + Math.exp(1);
      expect(value).toBeCloseTo(yes / (yes + 1), 2);
    }
  });

  test("a digit law of 7 and 8 in equal parts", async () => {
    for (const { value } of await scores(await load(judge), "judge:M?scale=digit")) {
      expect(value).toBeCloseTo(7.5 / 9, 2);
    }
  });
});

const references: [string, Map<string, ReturnType<typeof tensor>>][] = [
  ["value-head:M", valueHead],
  ["step-token:M?preset=qwen2.5-math-prm", twoClass],
  ["judge:M", new Map()],
  ["judge:M?scale=digit", new Map()],
];

describe.each(references)("%s", (reference, heads) => {
  test("incremental scores equal full reads, within 1e-3", async () => {
    const model = await load(random);
    await using reward = await openReward(reference, contextOf(model, heads));
    const incremental = await scores(model, reference, heads);
    for (let count = 1; count <= steps.length; count++) {
      const scorer = await reward.open("How many coins?");
      for (const text of steps.slice(0, count - 1)) scorer.skip(step(text));
      const { value } = await scorer.append(step(steps[count - 1]!));
      expect(Math.abs(value - incremental[count - 1]!.value)).toBeLessThan(1e-3);
      scorer.drop();
    }
  });

  test("forks in one batch, dropped, leave no trace", async () => {
    const model = await load(random);
    await using reward = await openReward(reference, contextOf(model, heads));
    const before = await branchesAtRest(model);
    const scorer = await reward.open("How many coins?");
    await scorer.append(step(steps[0]!));
    const others = ["Or 5.\n\n", "Or 12 coins, so the answer is 12.\n\n", "\n\n"];
    const forks = others.map(() => scorer.fork());
    await Promise.all(forks.map((fork, at) => fork.append(step(others[at]!))));
    for (const fork of forks) fork.drop();
    const { value } = await scorer.append(step(steps[2]!));

    const fresh = await reward.open("How many coins?");
    fresh.skip(step(steps[0]!));
    expect(Math.abs(value - (await fresh.append(step(steps[2]!))).value)).toBeLessThan(1e-3);
    scorer.drop();
    fresh.drop();
    expect(await branchesAtRest(model)).toBe(before);
  });
});

test("a step costs a read of itself and the frame, however long the chain", async () => {
  const model = await load(random);
  const costs: number[] = [];
  await using reward = await openReward("judge:M", contextOf(model));
  const scorer = await reward.open("How many coins?");
  for (let index = 0; index < 6; index++) {
    costs.push((await scorer.append(step("So 12 coins.\n\n"))).usage.prefillTokens);
  }
  expect(costs[0]).toBeGreaterThan(costs[1]!);
  expect(new Set(costs.slice(1)).size).toBe(1);
});

describe("models that are no rewards are refused when opening", () => {
  const refuse = async (options: TinyModelOptions, reference: string, heads = new Map()) => {
    const model = await load(options);
    const before = await branchesAtRest(model);
    await expect(openReward(reference, contextOf(model, heads))).rejects.toMatchObject({
      code: "reward-invalid",
    });
    expect(await branchesAtRest(model)).toBe(before);
  };

  test("a chat model as sign-token reward", () => refuse(random, "step-token:M?begin="));
  test("a vocabulary without the mark", () => refuse({ context: 4096 }, "step-token:M?begin="));
  test("a model without a head", () => refuse(random, "value-head:M"));
  test("a head of another width", () =>
    refuse(random, "value-head:M", new Map([["score.weight", tensor([1, 32], noise("x", 32))]])));
  test("a model that does not read the step", () => refuse({ context: 4096, weights: zeros }, "judge:M"));
});

/** All weights zero: the same law after every text. */
function zeros(_name: string, shape: readonly number[]): Float32Array {
  return new Float32Array(shape.reduce((product, length) => product * length, 1));
}

test("a head's states come with what the draft writes, and are those of a read", async () => {
  const draft = await load(random);
  const inputs = 3 * width + 1;
  const head = {
    features: ["state:draft:least", "state:draft:mean", "state:draft:end", "statistic:mean"] as const,
    weights: [...noise("weights", inputs, 0.3)],
  };
  const reward = await openReward("head:F", headContext(head, { draft }));
  const run = {
    ...{ method: bestOfN, options: { samples: 1, aggregation: "mean" }, question: "What?", system: null },
    ...({ roles: { draft, reward }, splitter: { kind: "tokens", count: 6 }, maxTokens: 24 } as const),
  };
  const written: Step[] = [];
  const scores: number[] = [];
  for (const event of await eventsOf(run)) {
    if (event.type === "step-written") written.push(event);
    if (event.type === "step-scored") {
      scores.push(event.value);
      expect(event.usage.prefillTokens).toBe(0);
    }
  }
  expect(written).toHaveLength(4);
  const scorer = await reward.open("What?");
  for (const [index, { text, tokens, vocabulary, stop, logprobs, entropies }] of written.entries()) {
    const bare = { text, tokens, vocabulary, stop, logprobs, entropies, origin: "elsewhere" };
    const { value, usage } = await scorer.append(bare);
    expect(value).toBeCloseTo(scores[index]!, 4);
    expect(usage.prefillTokens).toBeGreaterThan(0);
  }
  expect(new Set(scores.map((score) => score.toFixed(4))).size).toBe(4);
  scorer.drop();
  await reward[Symbol.asyncDispose]();
});
