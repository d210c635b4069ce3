/** Rewards whose model is behind a server: heads through vLLM's pooling route, labels and judges through laws of tokens. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Model } from "../../src/core/model.js";
import type { Step } from "../../src/core/step.js";
import { parseModelReference, type RemoteReference } from "../../src/models/reference.js";
import { Clients, openRemote, usualRemoteSettings } from "../../src/models/remote/index.js";
import { ScriptedModel } from "../../src/models/scripted.js";
import { openReward, parseRewardReference } from "../../src/rewards/index.js";
import { FaultServer, json } from "./fault-server.js";
import { type Exchange, type Fixture, recorder, replayer } from "./recorded-server.js";
import { scriptedEngine } from "./scripted-engine.js";

function context(clients: Clients) {
  return {
    openModel: (text: string): Promise<Model> =>
      openRemote(parseModelReference(text) as RemoteReference, { clients }),
    loadHead: () => Promise.reject(new Error("no head is loaded")),
    loadHeadFacts: () => Promise.reject(new Error("no head is loaded")),
  };
}

const step = (text: string): Step => ({
  ...{ text, tokens: [], vocabulary: "other", origin: "draft", stop: "delimiter" as const },
  ...{ logprobs: [], entropies: [] },
});

const once = { ...usualRemoteSettings, attempts: 1 };

/** Of a text: changes with every id, and falls with its length. */
function goodOf(ids: readonly number[]): number {
  return (1 - (ids.reduce((sum, id, at) => sum + id * (at + 1), 0) % 101) / 1000) / (1 + ids.length);
}

/** A server that pools: a row for each mark, or for each token. */
function poolingServer(rows: "marks" | "tokens", outputs: 1 | 2) {
  return FaultServer.start(({ path, body }, response) => {
    if (path === "/v1/models")
      return json(response, { data: [{ id: "prm", owned_by: "vllm", max_model_len: 999 }] });
    // A character is a token; <|endoftext|> and the mark are one each.
    const ids = (text: string) =>
      [...text.replace("<|endoftext|>", "\u0001").replace("<extra_0>", "\u0002")].map(
        (each) => each.codePointAt(0)!,
      );
    if (path === "/tokenize") {
      const text =
        body.prompt ?? `${body.messages.map(({ content }: { content: string }) => content).join("|")}:`;
      return json(response, { tokens: ids(text) });
    }
    if (path === "/detokenize") return json(response, { prompt: String.fromCodePoint(...body.tokens) });
    if (path !== "/pooling") return json(response, { detail: "Not Found" }, 404);
    const input = body.input as number[];
    const all = input.map((id, index) => ({ id, good: goodOf(input.slice(0, index + 1)) }));
    const kept = all.filter(({ id }) => rows === "tokens" || id === 2);
    const data = kept.map(({ good }) => (outputs === 1 ? [good] : [1 - good, good]));
    return json(response, { data: [{ data }], usage: { prompt_tokens: all.length } });
  });
}

describe("heads on the server", () => {
  test.each([
    ["marks", 2, "qwen2.5-math-prm"],
    ["tokens", 2, "qwen2.5-math-prm"],
    ["tokens", 1, "skywork"],
  ] as const)("rows of %s, %i outputs, %s", async (rows, outputs, preset) => {
    await using server = await poolingServer(rows, outputs);
    using clients = new Clients(once);
    const reference = `remote:${server.origin}/v1?parameters=1e6&layers=2#prm?preset=${preset}`;
    const reward = await openReward(reference, context(clients));
    const scorer = await reward.open("2 + 3?");
    const one = await scorer.append(step("2 + 3 = 5.\n\n"));
    const input = server.heard.filter(({ path }) => path === "/pooling").at(-1)!.body.input as number[];
    expect(one.value).toBeCloseTo(goodOf(input), 6);
    // One token more at most: the opening that all questions share was read when the reward was opened.
    expect(one.usage.prefillTokens - one.usage.recomputedTokens).toBeLessThanOrEqual(input.length);
    expect(one.usage.prefillTokens).toBeGreaterThanOrEqual(input.length);
    const two = await scorer.append(step("So 5.\n\n"));
    expect(two.value).toBeLessThan(one.value);
    // The server reads all of it again, and the ledger says so.
    expect(two.usage.recomputedTokens).toBeGreaterThan(0);
    expect(two.usage.flops).toBeGreaterThan(0);
    scorer.drop();
    await reward[Symbol.asyncDispose]();
  });

  test("a language model has no head to ask", async () => {
    const model = new ScriptedModel({ name: "one", law: { steps: () => [] } });
    await using server = await scriptedEngine(model, { kind: "llama-server" });
    using clients = new Clients(once);
    const opening = openReward(`remote:${server.origin}/v1#one`, context(clients));
    await expect(opening).rejects.toMatchObject({ code: "missing-capability" });
  });

  const file = join(import.meta.dirname, "../fixtures/remote/pooling/vllm.json");

  async function recordedScores(origin: string, options: string): Promise<unknown> {
    using clients = new Clients(once);
    const reference = `remote:${origin}/v1${options}#local?preset=qwen2.5-math-prm&marker=%3C%7Cend%7C%3E`;
    const reward = await openReward(reference, context(clients));
    const scorer = await reward.open("Leo has 44 beads. Finds 11. How many?");
    const scores = [];
    for (const text of ["44+11=55\n\n", "\\boxed{55}"]) {
      const { value, usage } = await scorer.append(step(text));
      scores.push({
        value: Math.round(value * 1e6) / 1e6,
        read: usage.prefillTokens,
        again: usage.recomputedTokens,
      });
    }
    return { check: reward.check, scores };
  }

  const asked = process.env.STEPWRIGHT_RECORD_POOLING;
  test.runIf(asked !== undefined)("record", async () => {
    const exchanges: Exchange[] = [];
    await using server = await recorder(asked!, exchanges);
    const options = "?parameters=1e5&layers=2&width=64";
    const outcome = await recordedScores(server.origin, options);
    const clean = exchanges.map((each) => ({
      ...each,
      text: each.text.replace(/"root":"[^"]*"/g, '"root":"tiny-prm"'),
    }));
    const source = `recorded from vllm on ${new Date().toISOString().slice(0, 10)}, scripts/tiny-prm.py`;
    writeFileSync(
      file,
      `${JSON.stringify({ source, model: "local", options, exchanges: clean, outcome })}\n`,
    );
  });

  test.skipIf(asked !== undefined)("80: a real vLLM's answers, with a row for each step's mark", async () => {
    const fixture = JSON.parse(readFileSync(file, "utf8")) as Fixture;
    await using server = await replayer(fixture);
    expect(await recordedScores(server.origin, fixture.options)).toEqual(fixture.outcome);
  });
});

describe("labels and judges", () => {
  /** Says yes with 0.8 where the text that is judged is right. */
  const judge = new ScriptedModel({
    name: "judge",
    pieces: ["Yes", "No"],
    law: {
      steps: (prompt: string) => {
        const right = prompt.lastIndexOf("= 5") > prompt.lastIndexOf("= 7");
        return [
          { text: "Yes", probability: right ? 0.8 : 0.1, end: true },
          { text: "No", probability: right ? 0.2 : 0.9, end: true },
        ];
      },
    },
  });

  test("a judge behind a server judges as it does here", async () => {
    await using server = await scriptedEngine(judge, { kind: "llama-server" });
    using clients = new Clients(once);
    const reward = await openReward(`judge:${server.origin}/v1#judge?examples=no`, context(clients));
    expect(reward.check!.right).toBeCloseTo(0.8, 6);
    expect(reward.check!.wrong).toBeCloseTo(0.1, 6);
  });

  test("what a server does not tell is refused by name before anything runs", async () => {
    await using server = await scriptedEngine(judge, { kind: "openai" });
    using clients = new Clients(once);
    const reference = `${server.origin}/v1?parameters=1e6#judge`;
    for (const kind of ["judge", "likelihood"]) {
      const opening = openReward(`${kind}:${reference}`, context(clients));
      await expect(opening).rejects.toMatchObject({ code: "missing-capability" });
    }
  });
});

test("what stands in an address before its # is not the reward's option", () => {
  expect(parseRewardReference("judge:http://a:1/v1?layers=2#m?scale=digit")).toMatchObject({
    model: "http://a:1/v1?layers=2#m",
    options: { scale: "digit" },
  });
  expect(parseRewardReference("judge:http://a:1/v1?layers=2#m")).toMatchObject({
    model: "http://a:1/v1?layers=2#m",
    options: {},
  });
});
