/** Everything above the native interface runs on the white box as on libllama. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { greedy } from "../../src/core/model.js";
import { type RunRequest, startRun } from "../../src/core/run.js";
import rsd from "../../src/methods/rsd.js";
import targetMethod from "../../src/methods/target.js";
import { writeGguf } from "../../src/models/gguf/write.js";
import { Engine, openLlama } from "../../src/models/llama/index.js";
import { ScriptedReward } from "../../src/testing/index.js";
import { tinyFamilies, tinyFamilyContent } from "../../src/testing/tiny-families.js";

let folder: string;
let engine: Engine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stepwright-white-box-"));
  engine = new Engine();
  for (const family of tinyFamilies) await writeGguf(fileOf(family), tinyFamilyContent(family));
});

afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

function fileOf(family: string): string {
  return join(folder, `${family}.gguf`);
}

const settings = {
  question: "How many coins are in the box?",
  system: null,
  splitter: { kind: "tokens", count: 6 },
  maxTokens: 36,
  seed: 7,
} as const;

async function stepsOf(request: RunRequest) {
  const run = startRun(request);
  for await (const _ of run);
  const { steps, ledger } = await run.result;
  return { texts: steps.map(({ text }) => text), ledger };
}

describe("the white box in the engine", () => {
  it.each(tinyFamilies)(
    "writes what libllama writes with %s, greedy and sampled, alone and in a batch",
    async (family) => {
      await using white = await openLlama(fileOf(family), {
        engine,
        whiteBox: true,
        context: 256,
        sequences: 8,
      });
      await using black = await openLlama(fileOf(family), { engine, context: 256, sequences: 8 });
      expect(white.capabilities.has("graph")).toBe(true);
      expect(black.capabilities.has("graph")).toBe(false);
      expect(white.vocabulary).toBe(black.vocabulary);
      const results = [];
      for (const model of [white, black]) {
        await using root = await model.open("The step is");
        const branches = [0, 1, 1].map((temperature, index) => ({
          branch: root.fork(),
          call: {
            splitter: { kind: "none" as const },
            maxTokens: 20,
            sampling: { ...greedy, temperature },
            key: `${index}`,
          },
        }));
        const steps = await Promise.all(branches.map(({ branch, call }) => branch.extend(call)));
        results.push(steps.map(({ tokens, logprobs }) => ({ tokens, logprobs })));
      }
      expect(results[0]).toEqual(results[1]);
      expect(results[0]![1]!.tokens).not.toEqual(results[0]![2]!.tokens);
    },
  );

  it("runs rsd with the same text and the same ledger", async () => {
    const outcomes = [];
    for (const whiteBox of [true, false]) {
      const options = { engine, whiteBox, context: 256, sequences: 8 };
      await using draft = await openLlama(fileOf("qwen2"), options);
      await using target = await openLlama(fileOf("qwen3"), options);
      let scores = 0;
      const reward = new ScriptedReward({ score: () => scores++ % 2 });
      const { texts, ledger } = await stepsOf({
        ...settings,
        method: rsd,
        roles: { draft, target, reward },
        sampling: { temperature: 1 },
      });
      const { seconds: _, ...spent } = ledger.target!;
      outcomes.push({ texts, spent });
    }
    expect(outcomes[0]!.texts.length).toBeGreaterThan(3);
    expect(outcomes[0]).toEqual(outcomes[1]);
  });

  it("is batch-invariant in exact mode: rsd with draft = target writes what plain decoding writes", async () => {
    await using model = await openLlama(fileOf("llama"), {
      engine,
      whiteBox: true,
      exact: true,
      sequences: 8,
      context: 256,
    });
    const sampling = { temperature: 0 };
    const plain = await stepsOf({ ...settings, method: targetMethod, roles: { target: model }, sampling });
    let scores = 0;
    const reward = new ScriptedReward({ score: () => scores++ % 2 });
    const roles = { draft: model, target: model, reward };
    const { texts } = await stepsOf({ ...settings, method: rsd, roles, sampling });
    expect(texts).toEqual(plain.texts);
  });

  it("gives hidden states and reads far behind a fork as libllama does", async () => {
    const states: { whiteBox: boolean; hidden: Float32Array | undefined; topK: unknown }[] = [];
    for (const whiteBox of [true, false]) {
      await using model = await openLlama(fileOf("gemma3"), { engine, whiteBox, context: 256, sequences: 2 });
      await using root = await model.open("So the answer is");
      await root.append(" 42 and so on");
      // More branches than sequences: the older ones lose their rows and read again.
      const branches = [" a", " of", " to", " plus"].map((text) => ({ branch: root.fork(), text }));
      for (const { branch, text } of branches) {
        const { hidden, topK } = await branch.append(text, { hidden: true, topK: 3 });
        states.push({ whiteBox, hidden, topK });
      }
    }
    const [white, black] = [true, false].map((side) =>
      states.filter(({ whiteBox }) => whiteBox === side).map(({ hidden, topK }) => ({ hidden, topK })),
    );
    expect(white).toHaveLength(4);
    expect(white).toEqual(black);
  });

  it("refuses a family it does not know before the engine is asked", async () => {
    const { metadata, tensors } = tinyFamilyContent("llama");
    const path = join(folder, "mixture.gguf");
    const experts = (["expert_count", "expert_used_count"] as const).map(
      (key) => ({ key: `llama.${key}`, type: "uint32", value: 2 }) as const,
    );
    await writeGguf(path, { metadata: [...metadata, ...experts], tensors });
    await expect(openLlama(path, { engine, whiteBox: true })).rejects.toMatchObject({
      code: "model-invalid",
      message: expect.stringContaining("mixtures of experts"),
    });
  });
});
