import { expect, it } from "vitest";
import { startRun } from "../core/run.js";
import target from "../methods/target.js";
import { ScriptedModel } from "../models/scripted.js";
import { openGivenSteps } from "./given-steps.js";

it("a given step has the figures that its writer would have told", async () => {
  const model = new ScriptedModel({
    law: {
      steps: (_, steps) =>
        ["north", "nord", "south"].map((text, index) => ({
          text: `${text} ${steps.length}`,
          probability: [0.5, 0.2, 0.3][index]!,
          end: steps.length === 2,
        })),
    },
  });
  const request = { question: "where to?", system: "be brief", sampling: { temperature: 1 }, seed: 4 };
  const run = startRun({ ...request, method: target, roles: { target: model } });
  const signal = new AbortController().signal;
  const conversation = [
    { role: "system", content: "be brief" },
    { role: "user", content: "where to?" },
  ] as const;
  using given = await openGivenSteps({ model, role: "draft", conversation, figures: true, signal });
  let compared = 0;
  for await (const event of run) {
    if (event.type !== "step-written" || event.stop === "end") continue;
    const { step, usage } = await given.next(event.text);
    expect(step.tokens).toEqual(event.tokens);
    for (const figure of ["logprobs", "entropies"] as const) {
      for (const [index, value] of event[figure].entries())
        expect(step[figure][index]).toBeCloseTo(value, 12);
    }
    expect(usage.decodeTokens).toBe(0);
    expect(usage.prefillTokens).toBeGreaterThanOrEqual(step.tokens.length);
    compared++;
  }
  expect(compared).toBe(2);
});
