/** What answers hold: text, usage, log-probabilities, timings, and what only this server tells. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { methods } from "../../src/methods/index.js";
import { type ScriptedServer, scriptedServer } from "./scripted-server.js";

const chat = "/v1/chat/completions";
const ask = (model: string, more: object = {}) => ({
  model,
  messages: [{ role: "user", content: "nonce 17" }],
  ...more,
});

const rsdText = "first says draft: nonce 17\n\nstep 2 of target\n\nThe answer is nonce 17";

let server: ScriptedServer;
beforeAll(async () => {
  server = await scriptedServer({
    presets: [
      {
        id: "careful",
        pair: "default",
        method: await methods.get("rsd"),
        options: { ...(await methods.get("rsd")).schema.parse({}), threshold: 0.95 },
        description: "keeps little",
      },
    ],
  });
});
afterAll(() => server[Symbol.asyncDispose]());

// biome-ignore lint/suspicious/noExplicitAny: wire formats, read field by field
type Wire = any;

async function json(path: string, body?: unknown): Promise<Wire> {
  const response = body === undefined ? await server.fetch(path) : await server.post(path, body);
  expect(response.status).toBe(200);
  return response.json();
}

async function frames(body: object): Promise<Wire[]> {
  const response = await server.post(chat, { ...body, stream: true });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  const parts = (await response.text()).split("\n\n").filter((part) => part.startsWith("data: "));
  expect(parts.at(-1)).toBe("data: [DONE]");
  return parts.slice(0, -1).map((part) => JSON.parse(part.slice(6)));
}

describe("a whole answer", () => {
  it("has OpenAI's shape, its run's id, and what the run cost", async () => {
    const response = await server.post(chat, ask("default", { seed: 5 }));
    const body = (await response.json()) as Wire;
    expect(body).toMatchObject({ object: "chat.completion", model: "default", created: expect.any(Number) });
    expect(response.headers.get("x-request-id")).toBe(body.id);
    const [choice] = body.choices;
    expect(choice).toMatchObject({
      index: 0,
      message: { role: "assistant", content: rsdText, refusal: null },
      finish_reason: "stop",
      logprobs: null,
      stepwright: { run: body.id, method: "rsd", seed: 5, finish: "stop" },
    });
    const { ledger } = choice.stepwright;
    expect(ledger.draft.decodeTokens).toBe(37);
    // Kept drafts are accepted predictions, the one that the target rewrote is rejected and no part of the answer.
    expect(body.usage).toEqual({
      prompt_tokens: 26,
      completion_tokens: 37,
      total_tokens: 63,
      completion_tokens_details: {
        accepted_prediction_tokens: ledger.draft.decodeTokens - ledger.draft.discardedTokens,
        rejected_prediction_tokens: ledger.draft.discardedTokens,
      },
    });
    expect(body.timings).toMatchObject({ prompt_n: 26, predicted_n: 37, draft_n: 37, draft_n_accepted: 26 });
    expect(body.timings.predicted_ms).toBeGreaterThan(0);
  });

  it("counts the prompt once and every choice", async () => {
    const { choices, usage } = await json(chat, ask("target/default", { n: 3, seed: 1 }));
    expect(choices.map((choice: Wire) => [choice.index, choice.stepwright.seed])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
    expect(usage).toMatchObject({ prompt_tokens: 26, completion_tokens: 3 * 37 });
    expect(usage.completion_tokens_details).toEqual({
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    });
  });

  it("ends for length at max_tokens, and at a budget", async () => {
    const short = await json(chat, ask("target/default", { max_tokens: 5 }));
    expect(short.choices[0].finish_reason).toBe("length");
    expect(short.usage.completion_tokens).toBe(5);
    const cut = await json(chat, ask("target/default", { stepwright: { budget: { "target-tokens": 4 } } }));
    expect(cut.choices[0]).toMatchObject({ finish_reason: "length", stepwright: { finish: "budget" } });
    expect(cut.usage.completion_tokens).toBe(4);
  });

  it("is what there is when its deadline comes; in the queue that is nothing", async () => {
    await using slow = await scriptedServer({
      limits: { concurrency: 1 },
      draft: { delay: ({ kind }) => (kind === "extend" ? 0.4 : 0) },
    });
    const post = (deadline: number) =>
      slow.post(chat, ask("draft/default", { stepwright: { deadline, step: "blank-line" } }));
    const [first, second] = await Promise.all([post(1), post(0.3)]);
    const body = (await first.json()) as Wire;
    expect(body.choices[0]).toMatchObject({ finish_reason: "length", stepwright: { finish: "abort" } });
    expect(body.choices[0].message.content).toBe("first says draft: nonce 17\n\nstep 2 of draft");
    expect([second.status, ((await second.json()) as Wire).error.code]).toEqual([410, "deadline_exceeded"]);
  });

  it("of a retry is the first one's, with the seed that was drawn then", async () => {
    const headers = { "idempotency-key": "retry-1" };
    const [first, second] = await Promise.all([
      server.post(chat, ask("default"), headers),
      server.post(chat, ask("default"), headers),
    ]);
    const [one, two] = [(await first.json()) as Wire, (await second.json()) as Wire];
    expect(two.choices).toEqual(one.choices);
    expect(two.id).toBe(one.id);
    expect([first, second].map(({ headers }) => headers.get("x-stepwright-joined"))).toContain("true");
  });

  it("that fails on its way says what it used by then", async () => {
    let calls = 0;
    await using failing = await scriptedServer({
      draft: {
        fault: ({ kind }) =>
          kind === "extend" && ++calls > 2 ? { kind: "throw", error: new Error("x") } : undefined,
      },
    });
    const response = await failing.post(chat, ask("default", { stream: true }));
    const parts = (await response.text()).split("\n\n").filter((part) => part.startsWith("data: {"));
    const { error, usage } = JSON.parse(parts.at(-1)!.slice(6));
    expect(error.request_id).toBe(response.headers.get("x-request-id"));
    expect(usage.completion_tokens).toBeGreaterThan(10);
    expect(usage.completion_tokens_details.rejected_prediction_tokens).toBeGreaterThan(5);
    expect(failing.notices.join("")).toContain(error.request_id);
  });

  it("tells the log-probabilities of its tokens where they are asked for", async () => {
    const body = await json(chat, ask("rsd/default", { logprobs: true, stop: "answer is" }));
    const { content } = body.choices[0].logprobs;
    const told = content.map(({ token }: Wire) => token).join("");
    // The last token begins in the answer and ends in the stop string; what begins behind it is told no more.
    expect(told).toBe(`${body.choices[0].message.content} answer`);
    for (const { token, logprob, bytes } of content) {
      expect(logprob).toBeLessThanOrEqual(0);
      expect(bytes).toEqual([...Buffer.from(token)]);
    }
    const completion = await json("/v1/completions", {
      model: "target/default",
      prompt: "nonce 17",
      logprobs: 0,
    });
    const [{ text, logprobs }] = completion.choices;
    expect(logprobs.tokens.join("")).toBe(text);
    expect(logprobs.text_offset[1]).toBe(logprobs.tokens[0].length);
    expect(logprobs.token_logprobs).toHaveLength(logprobs.tokens.length);
  });

  it("of a plain completion goes on from the text itself", async () => {
    const body = await json("/v1/completions", { model: "rsd/default", prompt: "nonce 17" });
    expect(body).toMatchObject({
      object: "text_completion",
      choices: [{ text: rsdText, finish_reason: "stop" }],
    });
  });

  it("of another method or preset is asked for by fields alone", async () => {
    const other = await json(chat, ask("rsd/default", { stepwright: { method: "draft" } }));
    expect(other.choices[0].stepwright.method).toBe("draft");
    const careful = await json(chat, ask("careful"));
    expect(careful.choices[0].stepwright.ledger.draft.discardedTokens).toBeGreaterThan(30);
    const loosened = await json(chat, ask("careful", { stepwright: { options: { threshold: 0 } } }));
    expect(loosened.choices[0].stepwright.ledger.draft.discardedTokens).toBe(0);
  });
});

describe("a streamed answer", () => {
  it("leaves step by step, with usage at its end where that is asked for", async () => {
    const chunks = await frames(ask("rsd/default", { stream_options: { include_usage: true } }));
    expect(chunks.every(({ object }) => object === "chat.completion.chunk")).toBe(true);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(chunks[0].choices[0].delta).toEqual({ role: "assistant", content: "" });
    const texts = chunks.map(({ choices }) => choices[0]?.delta.content).filter(Boolean);
    expect(texts).toEqual([
      "first says draft: nonce 17",
      "\n\nstep 2 of target",
      "\n\nThe answer is nonce 17",
    ]);
    expect(chunks.at(-2).choices[0]).toMatchObject({ delta: {}, finish_reason: "stop" });
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 37 } });
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
    const plain = await frames(ask("rsd/default"));
    expect(plain.some((chunk) => "usage" in chunk)).toBe(false);
  });

  it("of one model alone leaves token by token", async () => {
    await using slow = await scriptedServer({
      target: {
        law: { tokens: ({ tokens }) => [{ text: tokens.length < 2000 ? "x" : "", probability: 1 }] },
        pieces: ["x"],
      },
    });
    const response = await slow.post(chat, ask("target/default", { stream: true }));
    const texts = [...(await response.text()).matchAll(/"content":"(x+)"/g)].map(([, text]) => text);
    expect(texts.join("")).toBe("x".repeat(2000));
    // All of it is one step: what left in pieces left before its end.
    expect(texts.length).toBeGreaterThan(5);
  });

  it("shows what is not decided only to clients that ask for it, beside chunks without content", async () => {
    const chunks = await frames(ask("rsd/default", { stepwright: { provisional: true } }));
    const asides = chunks.filter(({ stepwright }) => stepwright).map(({ stepwright }) => stepwright);
    expect(new Set(asides.map(({ type }) => type))).toEqual(
      new Set(["provisional", "reward", "retracted", "accepted"]),
    );
    const retracted = asides.find(({ type }) => type === "retracted").node;
    const shown = asides.filter(({ type, node }) => type === "provisional" && node === retracted);
    expect(shown.map(({ text }) => text).join("")).toBe("step 2 of draft\n\n");
    expect(asides.find(({ type, node }) => type === "reward" && node === retracted).reward).toBe(0.1);
    for (const { choices, stepwright } of chunks) if (stepwright) expect(choices[0].delta).toEqual({});
    expect(JSON.stringify(await frames(ask("rsd/default")))).not.toContain("of draft");
  });

  it("carries log-probabilities that make up the whole answer's", async () => {
    const chunks = await frames(ask("rsd/default", { logprobs: true }));
    const tokens = chunks.flatMap(({ choices }) => choices[0].logprobs?.content ?? []);
    expect(tokens.map(({ token }: Wire) => token).join("")).toBe(rsdText);
  });
});

describe("beside answers", () => {
  it("models tell their presets, with options as JSON Schema", async () => {
    const { data } = await json("/v1/models");
    const ids = data.map(({ id }: Wire) => id);
    for (const name of methods.names) expect(ids).toContain(`${name}/default`);
    const rsd = await json("/v1/models/rsd/default");
    expect(rsd).toMatchObject({
      id: "rsd/default",
      object: "model",
      owned_by: "stepwright",
      context_length: 8192,
      stepwright: {
        method: "rsd",
        pair: "default",
        models: { draft: "scripted-draft", target: "scripted-target", reward: "scripted-reward" },
        options: { properties: { threshold: { default: 0.7 } } },
      },
    });
    expect(await json("/v1/models/rsd%2Fdefault")).toEqual(rsd);
    expect((await json("/v1/models/careful")).stepwright).toMatchObject({
      description: "keeps little",
      defaults: { threshold: 0.95 },
    });
    expect((await json("/v1/models/draft")).stepwright.method).toBe("draft");
  });

  it("rewards score given steps", async () => {
    const body = await json("/v1/rewards", {
      model: "default",
      question: "q",
      steps: ["first", "step 2 of draft", "last"],
      aggregation: "mean",
    });
    expect(body.data.map(({ reward }: Wire) => reward)).toEqual([0.9, 0.1, 0.9]);
    expect(body.aggregate).toBeCloseTo(1.9 / 3);
    expect(server.reward.liveScorers).toBe(0);
    const empty = await server.post("/v1/rewards", { model: "default", question: "q", steps: [] });
    expect(empty.status).toBe(400);
  });

  it("tokens come and go under both servers' field names", async () => {
    const first = await json("/tokenize", { model: "target", content: "The answer is 7" });
    expect(first).toMatchObject({ count: first.tokens.length, max_model_len: 8192 });
    expect(await json("/v1/tokenize", { model: "rsd/default", prompt: "The answer is 7" })).toEqual(first);
    const back = await json("/v1/detokenize", { model: "target", tokens: first.tokens, pieces: true });
    expect(back).toMatchObject({ content: "The answer is 7", prompt: "The answer is 7" });
    expect(back.pieces[0]).toBe("The answer");
    const messages = [{ role: "user", content: "hi" }];
    expect((await json("/tokenize", { model: "target", messages })).count).toBeGreaterThan(2);
  });

  it("health and limits tell what is so", async () => {
    expect(await json("/health")).toEqual({ status: "ok" });
    expect(await json("/ready")).toEqual({ ready: true, models: "ready", service: "ready" });
    expect((await json("/v1/limits")).limits).toEqual(server.limits);
  });

  it("a run goes on unwatched, from a bare question too", async () => {
    const response = await server.post("/v1/runs", { model: "default", question: "nonce 17", seed: 3 });
    const run = (await response.json()) as Wire;
    expect([response.status, run.object, run.method]).toEqual([202, "run", "rsd"]);
    expect(run.choices).toEqual([run.id]);
    const both = { model: "default", question: "x", messages: [] };
    expect((await server.post("/v1/runs", both)).status).toBe(400);
  });
});

describe("models that are not there yet", () => {
  it("answer 503 with a time to come back, and 503 for good where they cannot be opened", async () => {
    const { serveModels, startServer } = await import("../../src/server/index.js");
    for (const outcome of ["slow", "broken"] as const) {
      let open = () => {};
      const opening = new Promise<void>((resolve) => {
        open = resolve;
      });
      const models = await serveModels({
        pairs: [
          {
            name: "default",
            roles: ["draft"],
            references: {},
            open: async () => {
              await opening;
              if (outcome === "broken") throw new Error("/secret/path is no model");
              return { draft: undefined, target: undefined, reward: undefined };
            },
          },
        ],
        defaults: new Map([["default", "draft/default"]]),
      });
      await using early = await startServer({ models, folder: null, port: 0 });
      const post = () =>
        fetch(`${early.url}${chat}`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(ask("default")),
        });
      const health = await fetch(`${early.url}/health`);
      expect([health.status, await health.json()]).toEqual([503, { status: "loading" }]);
      const loading = await post();
      expect([loading.status, loading.headers.get("retry-after")]).toEqual([503, "2"]);
      open();
      await models.opened.catch(() => {});
      if (outcome === "broken") {
        const failed = await post();
        expect(failed.status).toBe(503);
        const text = await failed.text();
        expect(text).toContain("models_failed");
        expect(text).not.toContain("secret");
      }
    }
  });
});
