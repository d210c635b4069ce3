import { copyFile, mkdtemp, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ledgerOf } from "../../src/core/ledger.js";
import { greedy } from "../../src/core/model.js";
import { type RunRequest, startRun } from "../../src/core/run.js";
import type { TraceEvent } from "../../src/core/trace-event.js";
import rsd from "../../src/methods/rsd.js";
import targetMethod from "../../src/methods/target.js";
import { Engine, type LlamaModel, openLlama } from "../../src/models/llama/index.js";
import { ScriptedReward } from "../../src/testing/index.js";
import { tinyChatTemplate, writeTinyModel } from "../../src/testing/tiny-model.js";

let folder: string;
let engine: Engine;
let file: string;
let otherFile: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stepwright-rsd-"));
  file = join(folder, "one.gguf");
  otherFile = join(folder, "other.gguf");
  await writeTinyModel(file, { seed: 3, chatTemplate: tinyChatTemplate });
  await writeTinyModel(otherFile, {
    seed: 4,
    chatTemplate: tinyChatTemplate,
    words: ["whole", " other", "42 coins"],
  });
  engine = new Engine();
});

afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const settings = {
  question: "How many coins are in the box?",
  system: null,
  splitter: { kind: "tokens", count: 8 },
  maxTokens: 48,
  sampling: { temperature: 1 },
  seed: 7,
} as const;

async function collect(request: RunRequest) {
  const events: TraceEvent[] = [];
  const run = startRun(request);
  for await (const event of run) if (event.type !== "text-written") events.push(event);
  return { result: await run.result, events };
}

const outline = (steps: readonly { text: string; tokens: number }[]) =>
  steps.map(({ text, tokens }) => [text, tokens]);

describe("rsd on tiny models", () => {
  it("gives plain decoding's text whatever is accepted, when draft and target are one model (case 64)", async () => {
    await using model = await openLlama(file, { engine, exact: true, sequences: 8, context: 512 });
    const plain = await collect({
      ...settings,
      method: targetMethod,
      roles: { target: model },
      sampling: { temperature: 0 },
    });
    const patterns = { none: () => 0, all: () => 1, alternating: (count: number) => count % 2 };
    for (const [name, pattern] of Object.entries(patterns)) {
      let scores = 0;
      const reward = new ScriptedReward({ score: () => pattern(scores++) });
      const roles = { draft: model, target: model, reward };
      const { result } = await collect({ ...settings, method: rsd, roles, sampling: { temperature: 0 } });
      expect([name, outline(result.steps)]).toEqual([name, outline(plain.result.steps)]);
    }
  });

  it("hands steps over as text between models with different vocabularies (case 48)", async () => {
    await using draft = await openLlama(file, { engine, context: 1024 });
    await using target = await openLlama(otherFile, { engine, context: 1024 });
    expect(draft.vocabulary).not.toBe(target.vocabulary);
    let scores = 0;
    const reward = new ScriptedReward({ score: () => scores++ % 2 });
    const { result, events } = await collect({ ...settings, method: rsd, roles: { draft, target, reward } });
    const origins = result.steps.map(({ origin }) => origin);
    expect(new Set(origins)).toEqual(new Set(["draft", "target"]));
    // Each model read what the other wrote, in its own tokens.
    expect(
      events.filter((event) => event.type === "context-read" && event.purpose === "catch-up").length,
    ).toBeGreaterThan(1);
    const last = events.at(-1)!;
    expect(last.type).toBe("run-finished");
    const { draft: written } = ledgerOf(events);
    expect(written).toEqual(result.ledger.draft);
  });

  it("goes on after the engine's death with the same text and the same rewards, from the trace (exact mode)", async () => {
    const own = new Engine();
    const open = (path: string) => openLlama(path, { engine: own, exact: true, sequences: 6, context: 256 });
    let draft: LlamaModel = await open(file);
    let target: LlamaModel = await open(otherFile);
    const reward = () =>
      new ScriptedReward({ score: (_question, steps) => (steps.join("").length % 3 === 0 ? 1 : 0) });
    const request = () => ({ ...settings, method: rsd, roles: { draft, target, reward: reward() } });
    const whole = await collect(request());

    const events: TraceEvent[] = [];
    const run = startRun(request());
    for await (const event of run) {
      if (event.type === "text-written") continue;
      events.push(event);
      if (event.type === "step-committed" && events.filter(({ type }) => type === event.type).length === 3) {
        process.kill(own.processId!, "SIGKILL");
      }
    }
    await expect(run.result).rejects.toMatchObject({ code: "engine-failed" });
    draft = await open(file);
    target = await open(otherFile);
    const resumed = await collect({ ...request(), recording: events });
    expect(outline(resumed.result.steps)).toEqual(outline(whole.result.steps));
    expect(resumed.result.text).toBe(whole.result.text);
    await own[Symbol.asyncDispose]();
  });

  it("survives a model file that is cut while it is mapped: the run fails, the next one works (case 46)", async () => {
    const own = new Engine();
    const mapped = join(folder, "mapped.gguf");
    await copyFile(file, mapped);
    await using model = await openLlama(mapped, { engine: own });
    const branch = await model.open("The answer is");
    await truncate(mapped, 4096);
    const writing = { splitter: { kind: "none" }, maxTokens: 8, sampling: greedy, key: "a" } as const;
    await expect(branch.extend(writing)).rejects.toMatchObject({ code: "engine-failed" });
    await copyFile(file, mapped);
    const again = await model.open("The answer is");
    expect((await again.extend(writing)).tokens.length).toBeGreaterThan(0);
    await own[Symbol.asyncDispose]();
  });
});
