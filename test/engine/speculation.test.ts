/** Speculation on the lab's models: with exact arithmetic the same tokens as plain decoding, whatever drafts. */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Extension, greedy, type Model, type Sampling } from "../../src/core/model.js";
import { startRun } from "../../src/core/run.js";
import { extractAnswer } from "../../src/grade/extract.js";
import rsd from "../../src/methods/rsd.js";
import { Engine, type LlamaModel, openLlama } from "../../src/models/llama/index.js";
import { type SpeculateOptions, speculate } from "../../src/speculation/speculate.js";
import { ScriptedReward } from "../../src/testing/index.js";

const questions = ["12+30-5", "7*8+4", "(3+4)*5-6", "45-17+2*3"];
const samplings: Sampling[] = [greedy, { ...greedy, temperature: 0.8, topP: 0.95, seed: 3 }];

let engine: Engine;
let draft: LlamaModel;
let target: LlamaModel;
let exactTarget: LlamaModel;

const file = (name: string) => fileURLToPath(new URL(`../../lab/models/${name}.gguf`, import.meta.url));

beforeAll(async () => {
  engine = new Engine();
  const options = { engine, context: 512, sequences: 24 };
  draft = await openLlama(file("draft"), options);
  target = await openLlama(file("target"), options);
  exactTarget = await openLlama(file("target"), { ...options, exact: true });
});

afterAll(() => engine[Symbol.asyncDispose]());

async function write(model: Model, question: string, sampling: Sampling): Promise<Extension> {
  const prompt = await model.renderChat([{ role: "user", content: question }]);
  await using branch = await model.open(prompt, { special: true });
  return branch.extend({ splitter: { kind: "none" }, maxTokens: 40, sampling, key: question });
}

const setups: SpeculateOptions[] = [
  { drafter: "model", controller: "fixed?depth=3" },
  { drafter: "model-tree", controller: "fixed?depth=3&nodes=8" },
  { drafter: "suffix", controller: "fixed?depth=4" },
  { drafter: "recycling", controller: "fixed?depth=4&nodes=12" },
  { drafter: "model", controller: "pearl?block=3" },
  { drafter: "model", controller: "auto" },
];

describe("speculation on the lab's models", () => {
  it.each(setups)("writes what plain decoding writes, exactly: $drafter, $controller", async (setup) => {
    const model = await speculate(exactTarget, { ...setup, draft });
    for (const sampling of samplings) {
      for (const question of questions) {
        const [plain, written] = [
          await write(exactTarget, question, sampling),
          await write(model, question, sampling),
        ];
        const { tokens, text, stop, logprobs, entropies } = plain;
        expect(written).toMatchObject({ tokens, text, stop, logprobs, entropies });
        expect(written.usage.decodeTokens).toBe(tokens.length);
      }
    }
    await model.releaseDrafter();
  });

  it("writes side by side what it writes alone, and leaves no branch behind", async () => {
    const model = await speculate(target, { drafter: "model", controller: "fixed?depth=3", draft });
    const before = (await target.statistics()).branches;
    const alone: string[] = [];
    for (const question of questions) alone.push((await write(model, question, greedy)).text);
    const together = await Promise.all(questions.map((question) => write(model, question, greedy)));
    // Shapes of batches may flip a near tie; the answers of the lab's questions have none.
    expect(together.map(({ text }) => extractAnswer(text))).toEqual(alone.map(extractAnswer));
    await expect.poll(async () => (await target.statistics()).branches).toBe(before);
  });

  it("drafts rewrites from the rejected step in a run, and the run counts it", async () => {
    const reward = new ScriptedReward({ score: () => 0 });
    const request = (model: Model) => ({
      method: rsd,
      question: questions[3]!,
      system: null,
      roles: { draft, target: model, reward },
      maxTokens: 40,
    });
    const plain = await startRun(request(exactTarget)).result;
    const model = await speculate(exactTarget, { drafter: "hint", controller: "fixed?depth=8", draft });
    const { text, steps, ledger } = await startRun(request(model)).result;
    expect(text).toBe(plain.text);
    expect(steps).toEqual(plain.steps);
    const { drafted, accepted } = ledger.target!.speculation!;
    expect(accepted).toBeGreaterThan(0);
    expect(drafted).toBeGreaterThanOrEqual(accepted);
    expect(ledger.target!.decodeTokens).toBe(plain.ledger.target!.decodeTokens);
  });
});
