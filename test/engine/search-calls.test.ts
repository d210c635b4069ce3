/** What a search may ask beside plain steps, on tiny models in the engine's process. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { ledgerOf } from "../../src/core/ledger.js";
import { defineMethod, type Method } from "../../src/core/method.js";
import { replay, startRun } from "../../src/core/run.js";
import { type Node, pathSteps, type Search } from "../../src/core/search.js";
import type { TraceEvent } from "../../src/core/trace-event.js";
import { Engine, type LlamaModel, openLlama } from "../../src/models/llama/index.js";
import { tinyChatTemplate, writeTinyModel } from "../../src/testing/tiny-model.js";

let folder: string;
let engine: Engine;
let draft: LlamaModel;
let target: LlamaModel;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stepwright-search-"));
  engine = new Engine();
  const open = async (name: string, seed: number) => {
    const path = join(folder, name);
    await writeTinyModel(path, { seed, chatTemplate: tinyChatTemplate });
    return openLlama(path, { engine, exact: true, sequences: 16, context: 512, keptPrompts: 0 });
  };
  draft = await open("draft.gguf", 3);
  target = await open("target.gguf", 4);
});

afterAll(async () => {
  await draft[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function carryOut(run: (search: Search) => Promise<Node>, temperature = 1) {
  const method = defineMethod({
    name: "doing",
    essence: "whatever the test does",
    kind: "step",
    source: "test",
    needs: { draft: ["text", "logits"], target: ["text", "logits"] },
    schema: z.object({}),
    run: async (search) => search.finish(await run(search)),
  }) as Method;
  const started = startRun({
    method,
    question: "How many coins are in the box?",
    splitter: { kind: "tokens", count: 8 },
    maxTokens: 64,
    sampling: { temperature },
    seed: 5,
    roles: { draft, target },
  });
  const events: TraceEvent[] = [];
  for await (const event of started) if (event.type !== "text-written") events.push(event);
  const result = await started.result;
  expect(ledgerOf(events)).toEqual(result.ledger);
  expect(await replay(events, method)).toEqual(result);
  await expect.poll(async () => (await draft.statistics()).branches).toBe(0);
  await expect.poll(async () => (await target.statistics()).branches).toBe(0);
  return { result, events };
}

it("the first candidate is what greedy decoding writes, with its log-probability and entropy", async () => {
  const { result } = await carryOut(async (search) => {
    const { tokens, entropy } = await search.candidates(search.root, "draft", 4);
    const written = await search.extend(search.root, { role: "draft" });
    expect(tokens[0]!.token).toBe(written.step!.tokens[0]);
    expect(tokens[0]!.logprob).toBeCloseTo(written.step!.logprobs[0]!, 6);
    expect(entropy).toBeCloseTo(written.step!.entropies[0]!, 6);
    expect(tokens.map(({ logprob }) => logprob)).toEqual(
      tokens.map(({ logprob }) => logprob).sort((a, b) => b - a),
    );
    search.prune(written);
    // Forced, it leaves the branch as if it had been written.
    const forced = await search.append(search.root, { role: "draft", content: tokens.slice(0, 1) });
    const rest = await search.extend(forced, { role: "draft", maxTokens: 7 });
    expect(rest.step!.tokens).toEqual(written.step!.tokens.slice(1));
    return rest;
  }, 0);
  // A token chosen from an outlook counts as written.
  expect(result.ledger.draft!.decodeTokens).toBe(8 + 1 + 7);
});

it("the likelihood of a step is what its writer said, and the other model's under the other", async () => {
  await carryOut(async (search) => {
    const first = await search.extend(search.root, { role: "draft" });
    const second = await search.extend(first, { role: "draft" });
    const [one, two] = await search.likelihoodAll([first, second], "target");
    expect(one).toHaveLength(8);
    const { tokens } = await search.candidates(search.root, "target", 256);
    const known = tokens.find(({ token }) => token === first.step!.tokens[0]);
    expect(known!.logprob).toBeCloseTo(one![0]!, 4);
    const after = await search.candidates(first, "target", 256);
    expect(after.tokens.find(({ token }) => token === second.step!.tokens[0])!.logprob).toBeCloseTo(
      two![0]!,
      4,
    );
    expect(two!.every((value) => value < 0)).toBe(true);
    expect(await search.likelihood(first, "draft")).toBe(first.step!.logprobs);
    return second;
  });
});

it("pauses before uncertain tokens and goes on as if it had not paused", async () => {
  const whole = await carryOut(async (search) =>
    search.extend(search.root, { role: "draft", maxTokens: 40, splitter: { kind: "none" } }),
  );
  const step = whole.result.steps[0]!;
  const entropies = whole.events.flatMap((event) => (event.type === "step-written" ? event.entropies : []));
  const limit = [...entropies].sort((a, b) => a - b)[Math.floor(entropies.length * 0.7)]!;
  const paused = await carryOut(async (search) => {
    let node = search.root;
    while (!node.finish && node.tokens < step.tokens) {
      const splitter = { kind: "entropy", limit } as const;
      node = search.commit(
        await search.extend(node, { role: "draft", splitter, maxTokens: step.tokens - node.tokens }),
      );
    }
    expect(pathSteps(node).length).toBeGreaterThan(3);
    return node;
  });
  expect(paused.result.text).toBe(whole.result.text);
});

it("a race ends with its first answer; the rest are cut and freed, and what they wrote is charged", async () => {
  const { result, events } = await carryOut(async (search) => {
    const requests = Array.from({ length: 8 }, () => ({
      node: search.root,
      role: "draft" as const,
      splitter: { kind: "none" } as const,
      maxTokens: 60,
    }));
    const nodes = await search.extendFirst(requests);
    const winner = nodes.find(({ finish }) => finish === "stop");
    for (const { step } of nodes) expect(["end", "cut", "cap"]).toContain(step!.stop);
    return winner ?? nodes[0]!;
  });
  const written = events.flatMap((event) => (event.type === "step-written" ? [event.tokens.length] : []));
  expect(result.ledger.draft!.decodeTokens).toBe(written.reduce((sum, count) => sum + count, 0));
});
