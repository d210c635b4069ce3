/** The reward that comes with the lab's draft. */
import { describe, expect, it } from "vitest";
import { auroc } from "../../src/core/reliability.js";
import { startRun } from "../../src/core/run.js";
import draftMethod from "../../src/methods/draft.js";
import { loadHead, loadHeadFacts } from "../../src/models/head-file.js";
import { resolveModelFile } from "../../src/models/hub-inventory.js";
import { openLlama } from "../../src/models/llama/index.js";
import { openReward, type RewardContext } from "../../src/rewards/index.js";
import task from "../../src/tasks/lab.js";
import { ScriptedModel } from "../../src/testing/index.js";

const contextWith = (draft: Awaited<ReturnType<RewardContext["openModel"]>>): RewardContext => ({
  openModel: async () => draft,
  loadHead: async (reference, names) => loadHead(await resolveModelFile(reference), names),
  loadHeadFacts: async (reference) => loadHeadFacts(await resolveModelFile(reference)),
});

describe("lab:reward", () => {
  it("tells the draft's right steps from its wrong ones, on stories that nobody has seen", async () => {
    await using draft = await openLlama(await resolveModelFile("lab:draft"), { caches: "fitting" });
    const reward = await openReward("lab:reward", contextWith(draft));
    const judged = await Promise.all(
      Array.from({ length: 120 }, async (_, at) => {
        const question = task.generate(690_000 + at);
        const run = startRun({ method: draftMethod, question: question.question, roles: { draft } });
        const scorer = await reward.open(question.question);
        const before: string[] = [];
        const steps = [];
        for await (const event of run) {
          if (event.type !== "step-written") continue;
          const { value } = await scorer.append({ ...event, vocabulary: draft.vocabulary });
          steps.push({ reward: value, right: task.checkStep!(question, before, event.text) });
          before.push(event.text);
        }
        return steps;
      }),
    );
    const steps = judged.flat();
    expect(steps.filter(({ right }) => !right).length).toBeGreaterThan(5);
    expect(auroc(steps)).toBeGreaterThan(0.93);
  });

  it("is refused for any other draft", async () => {
    const other = new ScriptedModel({ law: { steps: () => [{ text: "x", probability: 1, end: true }] } });
    await expect(openReward("lab:reward", contextWith(other))).rejects.toMatchObject({
      code: "reward-invalid",
      message: expect.stringMatching(/another model/),
    });
  });
});
