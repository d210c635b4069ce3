import { describe, expect, it } from "vitest";
import draft from "../methods/draft.js";
import target from "../methods/target.js";
import { ScriptedModel } from "../models/scripted.js";
import { messagesOf } from "../models/scripted-chat.js";
import { replay, startRun } from "./run.js";
import type { TraceEvent } from "./trace-event.js";

const story = ["one two\n\n", "three four\n\n", "five six\n\n"];

function writer(prompts: string[] = []) {
  return new ScriptedModel({
    law: {
      steps: (_, steps, prompt) => {
        prompts.push(prompt);
        return [{ text: story[steps.length] ?? "end", probability: 1, end: steps.length >= story.length }];
      },
    },
    pieces: ["three", " four"],
  });
}

const ask = { method: draft, question: "count", seed: 0 };

describe("stop strings", () => {
  it.each([
    ["inside a token", "re", "one two\n\nth"],
    ["across tokens", "ee fo", "one two\n\nthr"],
    ["across steps", "wo\n\nthr", "one t"],
    ["the first of several", ["six", "four"], "one two\n\nthree"],
    ["the answer's first letters", "one", ""],
  ])("end an answer %s", async (_, stop, text) => {
    const run = startRun({ ...ask, roles: { draft: writer() }, stop: [stop].flat() });
    expect(await run.result).toMatchObject({ text, finish: "stop" });
  });

  it("write no token after the one that completes them, and replay alike", async () => {
    const run = startRun({ ...ask, roles: { draft: writer() }, stop: ["three"] });
    const events: TraceEvent[] = [];
    for await (const event of run) if (event.type !== "text-written") events.push(event);
    const result = await run.result;
    expect(result.ledger.draft).toMatchObject({ decodeTokens: "one two\n\n".length + 1 });
    expect(await replay(events, draft)).toEqual(result);
  });

  it("that never appear change nothing", async () => {
    const plain = await startRun({ ...ask, id: "a", roles: { draft: writer() } }).result;
    const run = startRun({ ...ask, id: "a", roles: { draft: writer() }, stop: ["seven"] });
    expect((await run.result).steps).toEqual(plain.steps);
  });
});

describe("a prompt of its own", () => {
  it("is a conversation, a text, or ids", async () => {
    const prompts: string[] = [];
    const model = writer(prompts);
    const messages = [
      { role: "system", content: "be brief" },
      { role: "user", content: "hello" },
      { role: "assistant", content: "hi" },
      { role: "user", content: "count" },
    ] as const;
    const seen = async (prompt: Parameters<typeof startRun>[0]["prompt"]) => {
      prompts.length = 0;
      await startRun({ ...ask, method: target, roles: { target: model }, prompt }).result;
      return prompts[0]!;
    };
    expect(messagesOf(await seen(messages))).toEqual(messages);
    expect(await seen("once upon")).toBe("once upon");
    const passage = { text: "time", tokens: [116, 105, 109, 101], vocabulary: model.vocabulary };
    expect(await seen(passage)).toBe("time");
  });
});
