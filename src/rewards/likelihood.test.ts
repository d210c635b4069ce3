import { describe, expect, test } from "vitest";
import { contextOf, step } from "../../test/rewards/help.js";
import type { Usage } from "../core/model.js";
import { ScriptedModel } from "../testing/index.js";
import { openReward } from "./index.js";

/** Expects "yes" with 0.8 and "no" with 0.2 at each step, a token each. */
function reader(faults = {}) {
  return new ScriptedModel({
    name: "reader",
    pieces: ["yes\n\n", "no\n\n"],
    law: {
      steps: (_, done) => [
        { text: "yes", probability: 0.8, end: done.length === 8 },
        { text: "no", probability: 0.2, end: done.length === 8 },
      ],
    },
    ...faults,
  });
}

const open = (model: ScriptedModel, query = "") => openReward(`likelihood:M${query}`, contextOf(model));

describe("likelihood", () => {
  test.each(["least", "product"])("is the step's probability under the reader (%s)", async (feature) => {
    const scorer = await (await open(reader(), `?feature=${feature}`)).open("Is it?");
    // One token decides each step; what else there is of it is certain.
    expect((await scorer.append(step("yes\n\n"))).value).toBeCloseTo(0.8, 9);
    expect((await scorer.append(step("no\n\n"))).value).toBeCloseTo(0.2, 9);
    scorer.drop();
  });

  test("typical counts what the law led to expect", async () => {
    const entropy = -(0.8 * Math.log(0.8) + 0.2 * Math.log(0.2));
    const scorer = await (await open(reader(), "?feature=typical")).open("Is it?");
    expect((await scorer.append(step("yes\n\n"))).value).toBe(1);
    expect((await scorer.append(step("no\n\n"))).value).toBeCloseTo(0.2 * Math.exp(entropy), 9);
    scorer.drop();
  });

  test("mean spreads it over the step's tokens", async () => {
    // Without words of their own the texts are bytes: four of them here.
    const scorer = await (await open(reader({ pieces: [] }), "?feature=mean")).open("Is it?");
    expect((await scorer.append(step("no\n\n"))).value).toBeCloseTo(0.2 ** (1 / 4), 9);
    scorer.drop();
  });

  test("reads the prompt once and each step once, skipped ones with the next", async () => {
    const model = reader();
    const reward = await open(model);
    const atRest = model.liveBranches;
    const whole = (await model.renderChat([{ role: "user", content: "Is it?" }])).tokens.length;
    const first = await reward.open("Is it?");
    const { usage: opening } = await first.append(step("yes\n\n"));
    const fork = first.fork();
    fork.skip(step("no\n\n"));
    const { usage: later, value } = await fork.append(step("yes\n\n"));
    expect(value).toBeCloseTo(0.8, 9);
    const read = ({ prefillTokens }: Usage) => prefillTokens;
    // Each step is one token.
    expect(read(opening)).toBe(whole + 1);
    expect(read(later)).toBe(2);
    // What was scored on the fork has left the other chain as it was.
    expect((await first.append(step("no\n\n"))).value).toBeCloseTo(0.2, 9);
    first.drop();
    fork.drop();
    await new Promise((resolve) => setImmediate(resolve));
    expect(model.liveBranches).toBe(atRest);
  });

  test("stays usable after a reading that failed", async () => {
    const model = reader();
    const scorer = await (await open(model)).open("Is it?");
    const aborted = AbortSignal.abort();
    await expect(scorer.append(step("yes\n\n"), { signal: aborted })).rejects.toThrow();
    expect((await scorer.append(step("no\n\n"))).value).toBeCloseTo(0.2, 9);
    scorer.drop();
  });

  test("needs logits", async () => {
    const refused = open(reader({ capabilities: ["text"] }));
    await expect(refused).rejects.toMatchObject({ code: "missing-capability" });
  });
});
