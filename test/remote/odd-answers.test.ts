/**
 * Case 78 (answers that are not what was asked for) and, for servers that were not at hand, case 80: streams written
 * after their documentation, marked as such.
 */
import { describe, expect, test } from "vitest";
import { greedy } from "../../src/core/model.js";
import { blankLine } from "../../src/core/step.js";
import { parseModelReference, type RemoteReference } from "../../src/models/reference.js";
import { Clients, openRemote, usualRemoteSettings } from "../../src/models/remote/index.js";
import { FaultServer, json, stream } from "./fault-server.js";

interface Say {
  readonly owner?: string;
  readonly version?: boolean;
  readonly events: readonly unknown[];
}

/** Opens the chat server's model, writes one step of "2 + 2?", and gives it with what the server heard. */
async function oneStep({ owner = "someone", version = false, events }: Say, options = "?parameters=1e9") {
  await using server = await FaultServer.start(({ path, body }, response) => {
    if (path === "/v1/models")
      return json(response, { object: "list", data: [{ id: "m", object: "model", owned_by: owner }] });
    if (path === "/api/version" && version) return json(response, { version: "0.12.3" });
    if (path !== "/v1/chat/completions") return json(response, { error: { message: "no" } }, 404);
    if (!body.stream)
      return json(response, { choices: [{ index: 0, message: { role: "assistant", content: "1" } }] });
    const send = stream(response);
    for (const event of events) send(event);
    response.end();
  });
  using clients = new Clients({ ...usualRemoteSettings, attempts: 1 });
  const model = await openRemote(parseModelReference(`${server.origin}/v1${options}#m`) as RemoteReference, {
    clients,
  });
  const prompt = await model.renderChat([{ role: "user", content: "2 + 2?" }]);
  const branch = await model.open(prompt, { special: true });
  const write = () => branch.extend({ splitter: blankLine, maxTokens: 50, sampling: greedy, key: "" });
  const step = await write();
  const second = await write().catch((error: unknown) => error);
  return { step, second, model, heard: server.heard };
}

const delta = (content: string, more: object = {}) => ({
  id: "chatcmpl-1",
  object: "chat.completion.chunk",
  created: 1,
  model: "m",
  choices: [{ index: 0, delta: { content }, finish_reason: null, ...more }],
});
const stopped = {
  ...delta("", { finish_reason: "stop" }),
  choices: [{ index: 0, delta: {}, finish_reason: "stop" }],
};

describe("80: after documentation", () => {
  test("ollama: role in every chunk, an assistant message at the end is gone on from", async () => {
    const say = (content: string) => delta(content, { delta: { role: "assistant", content } });
    const events = [say("2 + 2"), say(" = 4.\n\n"), say("So"), say(" 4"), stopped, "[DONE]"];
    const { step, model, heard } = await oneStep({ owner: "library", version: true, events });
    expect(model.server).toBe("ollama");
    expect([step.text, step.stop]).toEqual(["2 + 2 = 4.\n\n", "delimiter"]);
    expect(heard.at(-1)!.body.messages).toEqual([
      { role: "user", content: "2 + 2?" },
      { role: "assistant", content: "2 + 2 = 4.\n\n" },
    ]);
    expect(heard.at(-1)!.body.continue_final_message).toBeUndefined();
  });

  test("SGLang: continue_final_message, a final chunk with usage", async () => {
    const usage = {
      prompt_tokens: 9,
      completion_tokens: 3,
      total_tokens: 12,
      prompt_tokens_details: { cached_tokens: 4 },
    };
    const events = [
      delta("", { delta: { role: "assistant", content: "" } }),
      delta("It is 4."),
      stopped,
      { ...stopped, choices: [], usage },
      "[DONE]",
    ];
    const { step, model, heard } = await oneStep({ owner: "sglang", events });
    expect(model.server).toBe("sglang");
    expect([step.text, step.stop]).toEqual(["It is 4.", "end"]);
    expect(heard.at(-1)!.body).toMatchObject({ continue_final_message: true, add_generation_prompt: false });
  });

  test("OpenAI: log-probabilities per token, a refusal field, an obfuscated padding", async () => {
    const told = (token: string, logprob: number) => ({
      token,
      logprob,
      bytes: [...Buffer.from(token)],
      top_logprobs: [{ token, logprob, bytes: [] }],
    });
    const events = [
      { ...delta("It", { logprobs: { content: [told("It", -0.1)], refusal: null } }), obfuscation: "x7" },
      delta(" is 4.", { logprobs: { content: [told(" is", -0.2), told(" 4.", -0.3)] } }),
      stopped,
      "[DONE]",
    ];
    const { step } = await oneStep({ events });
    expect(step.text).toBe("It is 4.");
    expect(step.tokens).toHaveLength(4);
    expect(step.logprobs).toEqual([-0.1, -0.2, -0.3, 0]);
  });
});

test("80: llama-server's chat route, as seen there, says the answer so far again: it is not taken twice", async () => {
  const events = [delta("A.\n\n"), delta("B"), stopped, "[DONE]"];
  const { second } = await oneStep({ events }, "?parameters=1e9&continue=implicit");
  expect(second).toMatchObject({ text: "B", stop: "end" });
  const joined = [delta("A.\n\n"), stopped, "[DONE]"];
  expect((await oneStep({ events: joined }, "?parameters=1e9&continue=implicit")).second).toMatchObject({
    text: "",
  });
});

describe("78: answers that are not what was asked for", () => {
  test("another model's name, further choices, unknown keys and no usage are no matter", async () => {
    const events = [
      { ...delta("A"), model: "another", extra: { nested: [1] } },
      { ...delta(""), choices: [{ index: 1, delta: { content: "B" } }] },
      { id: "ping", choices: [] },
      stopped,
      "[DONE]",
    ];
    expect((await oneStep({ events })).step.text).toBe("A");
  });

  test("a stream without its end, without a choice, or of another shape is an error", async () => {
    for (const events of [
      [delta("A")],
      ["[DONE]"],
      [{ choices: "none" }],
      [[1, 2]],
      [delta("A"), { choices: [{ delta: { content: 7 } }] }],
    ]) {
      await expect(oneStep({ events })).rejects.toMatchObject({ code: "remote-invalid" });
    }
  });

  test("an end without [DONE] is an end", async () => {
    expect((await oneStep({ events: [delta("A"), stopped] })).step).toMatchObject({ text: "A", stop: "end" });
  });

  test("an answer that ends at once has its end token, and nothing else", async () => {
    const { step } = await oneStep({ events: [stopped, "[DONE]"] });
    expect([step.text, step.tokens.length, step.stop]).toEqual(["", 1, "end"]);
  });
});
