import { describe, expect, it } from "vitest";
import type { RoleSpending } from "../core/ledger.js";
import { type ModelSize, noUsage, tokenFlops } from "../core/model.js";
import { blankLine } from "../core/step.js";
import type { TraceEvent } from "../core/trace-event.js";
import { targetAlone } from "./target-alone.js";

const size: ModelSize = {
  ...{
    parameters: 110,
    multiplied: 100,
    layers: 2,
    attentionWidth: 8,
    vocabulary: 10,
    context: 100,
    bytes: 1,
  },
};

function spent(prompt: number): RoleSpending {
  return {
    ...{ calls: 1, prefillTokens: prompt, decodeTokens: 0, discardedTokens: 0 },
    ...{ flops: 0, generatedFlops: 0, seconds: 0 },
    read: { prompt, catchUp: 0, recomputed: 0, reward: 0 },
  };
}

interface Parts {
  readonly finish?: "stop" | "length";
  readonly vocabularies?: readonly string[];
  readonly prompts?: { readonly draft: number; readonly target: number };
  readonly draft?: boolean;
}

/** Two steps of 3 and 2 tokens in the answer, and one of 7 that was rejected. */
function trace({
  finish = "stop",
  vocabularies = ["v", "v"],
  prompts,
  draft = true,
}: Parts = {}): TraceEvent[] {
  const identity = (name: string, vocabulary: string) => ({ name, fingerprint: name, vocabulary, size });
  const written = (node: string, count: number, vocabulary: string): TraceEvent => ({
    ...{ type: "step-written", node, parent: node.split(".").slice(0, -1).join(".") },
    ...{ role: "draft", origin: "draft", text: "", tokens: new Array<number>(count).fill(1), vocabulary },
    ...{ logprobs: [], entropies: [], stop: "delimiter", finish: null, usage: noUsage },
  });
  const [draftVocabulary, targetVocabulary] = vocabularies as [string, string];
  return [
    {
      ...{
        type: "run-started",
        version: 1,
        run: "r",
        method: "rsd",
        options: {},
        question: "q",
        system: null,
      },
      ...{ seed: 0, sampling: { temperature: 0, topK: 0, topP: 1, minP: 0 }, splitter: blankLine },
      ...{ maxTokens: 1, maxSteps: 1, maxStepTokens: 1, budget: {}, rewardFailure: "fail", references: {} },
      roles: {
        ...(draft ? { draft: identity("draft", draftVocabulary) } : {}),
        target: identity("target", targetVocabulary),
      },
    },
    written("0", 7, draftVocabulary),
    written("1", 3, targetVocabulary),
    written("1.0", 2, draftVocabulary),
    {
      ...{ type: "run-finished", finish, node: "1.0", text: "", elapsed: 1 },
      ledger: {
        ...(draft ? { draft: spent(prompts?.draft ?? 10) } : {}),
        target: spent(prompts?.target ?? 10),
        total: { flops: 0, generatedFlops: 0, seconds: 1 },
      },
    },
  ];
}

describe("the target alone", () => {
  it("reads its prompt and writes the answer's tokens, rejected ones not counted", () => {
    let flops = 0;
    for (let position = 0; position < 10 + 5; position++) flops += tokenFlops(size, position);
    expect(targetAlone(trace())).toEqual({ tokens: 5, flops });
  });

  it("has the draft's prompt where it never read one itself and the vocabulary is shared", () => {
    const known = targetAlone(trace());
    expect(targetAlone(trace({ prompts: { draft: 10, target: 0 } }))).toEqual(known);
    expect(
      targetAlone(trace({ prompts: { draft: 10, target: 0 }, vocabularies: ["a", "b"] })),
    ).toBeUndefined();
  });

  it.each([
    ["an answer that was cut", { finish: "length" }],
    ["steps in other tokens", { vocabularies: ["a", "b"] }],
    ["one writer only", { draft: false }],
  ] as const)("is not estimated for %s", (_, parts) => {
    expect(targetAlone(trace(parts))).toBeUndefined();
  });
});
