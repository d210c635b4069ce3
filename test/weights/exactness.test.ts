/** What the issue promises on real weights, greedy: the pair Qwen2.5-Coder 0.5B and 1.5B, one thread. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ledgerOf } from "../../src/core/ledger.js";
import { greedy } from "../../src/core/model.js";
import { type RunRequest, startRun } from "../../src/core/run.js";
import { blankLine } from "../../src/core/step.js";
import type { TraceEvent } from "../../src/core/trace-event.js";
import draftMethod from "../../src/methods/draft.js";
import rsd from "../../src/methods/rsd.js";
import targetMethod from "../../src/methods/target.js";
import { Engine, type LlamaModel, openLlama } from "../../src/models/llama/index.js";
import { openReward } from "../../src/rewards/index.js";
import { ScriptedReward } from "../../src/testing/index.js";
import { draftFile, haveWeights, targetFile } from "./models.js";

const question = "Tom has 3 boxes with 12 pens each and gives away 7 pens. How many pens are left?";
const settings = { question, maxTokens: 90, maxStepTokens: 60 };

async function run(request: RunRequest) {
  const events: TraceEvent[] = [];
  const started = startRun(request);
  for await (const event of started) if (event.type !== "text-written") events.push(event);
  const result = await started.result;
  const tokens = new Map(
    events.flatMap((event) => (event.type === "step-written" ? [[event.node, event.tokens]] : [])),
  );
  const last = events.find((event) => event.type === "run-finished")!;
  const path: number[] = [];
  const parts = last.type === "run-finished" ? last.node.split(".") : [];
  for (let depth = 1; depth <= parts.length; depth++)
    path.push(...tokens.get(parts.slice(0, depth).join("."))!);
  return { result, events, tokens: path };
}

describe.skipIf(!haveWeights)("exactness on real weights", () => {
  let engine: Engine;
  let draft: LlamaModel;
  let target: LlamaModel;
  const half = new ScriptedReward({ score: () => 0.5 });

  beforeAll(async () => {
    engine = new Engine();
    draft = await openLlama(draftFile, { engine, context: 1024 });
    target = await openLlama(targetFile, { engine, context: 1024 });
  });

  afterAll(async () => {
    await engine?.[Symbol.asyncDispose]();
  });

  it("threshold 0 gives the draft's own tokens and no target call; the ledger is the sum over the trace", async () => {
    const roles = { draft, target, reward: half };
    const alone = await run({ ...settings, method: draftMethod, roles: { draft } });
    const guided = await run({ ...settings, method: rsd, options: { threshold: 0 }, roles });
    expect(guided.tokens).toEqual(alone.tokens);
    expect(guided.tokens.length).toBeGreaterThan(20);
    expect(guided.result.ledger.target?.calls ?? 0).toBe(0);
    expect(guided.result.ledger.target?.flops ?? 0).toBe(0);
    const sum = ledgerOf(guided.events);
    expect(sum.draft).toEqual(guided.result.ledger.draft);
    expect(sum.total.flops).toBe(guided.result.ledger.total.flops);
  });

  it("a threshold above 1 gives the target's own tokens, every draft step discarded", async () => {
    const roles = { draft, target, reward: half };
    const alone = await run({ ...settings, method: targetMethod, roles: { target } });
    const guided = await run({ ...settings, method: rsd, options: { threshold: 1.01 }, roles });
    expect(guided.tokens).toEqual(alone.tokens);
    const { ledger } = guided.result;
    expect(ledger.draft!.discardedTokens).toBe(ledger.draft!.decodeTokens);
    expect(ledger.target!.decodeTokens).toBe(alone.tokens.length);
  });

  it("a rollback and rewrite leaves what a fresh run on the same prefix has", async () => {
    const prompt = await draft.renderChat([{ role: "user", content: question }]);
    const branch = await draft.open(prompt);
    const step = await branch.extend({ splitter: blankLine, maxTokens: 24, sampling: greedy, key: "a" });
    branch.trim(prompt.tokens.length);
    const rewrite = "There are 36 pens in the boxes.\n\n";
    await branch.append(rewrite);
    const after = await branch.extend({
      splitter: { kind: "none" },
      maxTokens: 24,
      sampling: greedy,
      key: "b",
    });
    const fresh = await draft.open(prompt);
    await fresh.append(rewrite);
    const expected = await fresh.extend({
      splitter: { kind: "none" },
      maxTokens: 24,
      sampling: greedy,
      key: "b",
    });
    expect(step.tokens.length).toBeGreaterThan(3);
    expect(after.tokens).toEqual(expected.tokens);
    branch.drop();
    fresh.drop();
  });

  it("judges a right step above a wrong one, reading only what is new", async () => {
    const reward = await openReward("judge:target", {
      openModel: async () => target,
      loadHead: () => Promise.reject(new Error("a judge has no head")),
      loadHeadFacts: () => Promise.reject(new Error("a judge has no head")),
    });
    const scorer = await reward.open("What is 3 times 12?");
    const step = (text: string) => ({
      ...{ text, tokens: [], vocabulary: "", origin: "draft", stop: "delimiter" as const },
      ...{ logprobs: [], entropies: [] },
    });
    const wrongBranch = scorer.fork();
    const right = await scorer.append(step("3 times 12 is 36.\n\n"));
    const wrong = await wrongBranch.append(step("3 times 12 is 47.\n\n"));
    expect(right.value).toBeGreaterThan(wrong.value);
    const next = await scorer.append(step("So the answer is 36.\n\n"));
    expect(next.usage.prefillTokens).toBeLessThan(right.usage.prefillTokens);
    scorer.drop();
    wrongBranch.drop();
    await reward[Symbol.asyncDispose]();
  });
});

describe.skipIf(!haveWeights)("exact mode on real weights", () => {
  it("gives a question the same tokens and log-probabilities alone and among 16 others", async () => {
    const engine = new Engine();
    await using model = await openLlama(draftFile, { engine, exact: true, sequences: 18, context: 256 });
    const prompt = await model.renderChat([{ role: "user", content: "What is 7 times 8?" }]);
    const write = async () => {
      const branch = await model.open(prompt);
      const step = await branch.extend({
        splitter: { kind: "none" },
        maxTokens: 16,
        sampling: greedy,
        key: "a",
      });
      branch.drop();
      return step;
    };
    const alone = await write();
    const others = Array.from({ length: 16 }, async (_, index) => {
      const branch = await model.open(`Number ${index} is`);
      await branch.extend({ splitter: { kind: "none" }, maxTokens: 4, sampling: greedy, key: `${index}` });
      branch.drop();
    });
    const [among] = await Promise.all([write(), ...others]);
    expect(among.tokens).toEqual(alone.tokens);
    expect(among.logprobs).toEqual(alone.logprobs);
    await engine[Symbol.asyncDispose]();
  });
});
