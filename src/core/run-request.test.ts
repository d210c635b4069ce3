import { describe, expect, test } from "vitest";
import draftAlone from "../methods/draft.js";
import rsd from "../methods/rsd.js";
import { toyWorld } from "../testing/toy-world.js";
import { defineMethod } from "./method.js";
import { type RunRequest, startRun } from "./run.js";

describe("checks before any model is touched", () => {
  const world = toyWorld(rsd);
  const good: RunRequest = { method: rsd, question: "?", roles: world.roles };
  const bad: [string, Partial<RunRequest>, object][] = [
    [
      "an unknown option",
      { options: { treshold: 0.5 } },
      { code: "invalid-option", remedy: 'did you mean "threshold"?' },
    ],
    [
      "a threshold out of range",
      { options: { threshold: 3 } },
      { code: "invalid-option", subject: "threshold" },
    ],
    ["an unknown weight", { options: { weight: "hard" } }, { code: "invalid-option", subject: "weight" }],
    ["options that are no object", { options: 7 }, { code: "invalid-option" }],
    ["an empty question", { question: "" }, { code: "invalid-option", subject: "question" }],
    ["an empty delimiter", { splitter: { kind: "delimiter", delimiter: "" } }, { code: "invalid-option" }],
    ["no tokens", { maxTokens: 0 }, { code: "invalid-option", subject: "maxTokens" }],
    ["half a step", { maxSteps: 1.5 }, { code: "invalid-option", subject: "maxSteps" }],
    ["a negative seed", { seed: -1 }, { code: "invalid-option", subject: "seed" }],
    [
      "a temperature that is no number",
      { sampling: { temperature: Number.NaN } },
      { code: "invalid-option" },
    ],
    ["no top p", { sampling: { topP: 0 } }, { code: "invalid-option", subject: "sampling.topP" }],
    [
      "an unknown limit",
      { budget: { "target-token": 5 } as object },
      { code: "invalid-option", remedy: 'did you mean "target-tokens"?' },
    ],
    ["a negative limit", { budget: { flops: -1 } }, { code: "invalid-option" }],
    ["an unknown policy", { rewardFailure: "ignore" as "fail" }, { code: "invalid-option" }],
    [
      "a missing draft",
      { roles: { target: world.target, reward: world.reward } },
      { code: "missing-role", subject: "draft" },
    ],
    [
      "a missing reward",
      { roles: { draft: world.draft, target: world.target } },
      { code: "missing-role", subject: "reward" },
    ],
  ];

  test.each(bad)("%s is refused by name", (_, change, expected) => {
    expect(() => startRun({ ...good, ...change })).toThrow(expect.objectContaining(expected));
    expect(world.calls()).toBe(0);
  });

  test("a missing capability is refused by name, with what there is", () => {
    const picky = defineMethod({ ...draftAlone, name: "picky", needs: { draft: ["text", "hidden"] } });
    expect(() => startRun({ ...good, method: picky })).toThrow(
      expect.objectContaining({
        code: "missing-capability",
        message: expect.stringContaining('"hidden"'),
        remedy: expect.stringContaining("logits"),
      }),
    );
  });
});
