import { expect, test } from "vitest";
import { FakeModel, uniform } from "../../test/rewards/fake-model.js";
import { contextOf, step } from "../../test/rewards/help.js";
import type { Token } from "../core/step.js";
import { openReward } from "./index.js";

const pieces = ["Yes", "No", "\n"];
const specials = ["<user>", "<assistant>", "<end>"];
const law = (ids: readonly Token[], token: Token) =>
  Math.log((pieces[token] === "No" ? 0.3 : 0.1) * (1 - 1e-9 * uniform(ids, token)));

test("card: the score is P(no) among yes and no, after the answer and the request as turns of their own", async () => {
  const model = new FakeModel({ pieces, specials, law });
  const reward = await openReward("self:M", contextOf(model));
  const scorer = await reward.open("How many?");
  const { value } = await scorer.append(step("Three.\n\n"));
  expect(value).toBeCloseTo(0.75, 6);
  const before = model.reads.length;
  await scorer.append(step("Or four."));
  // The first part of the answer was read before, and the request is rolled back from under the second.
  const read = await model.detokenize(model.reads.slice(before).flat());
  expect(read).toMatch(/^Or four\.<end><user>Would you do better.*<end><assistant>$/s);
});

test("a model without yes and no as tokens is refused", async () => {
  const open = openReward("self:M", contextOf(new FakeModel({ pieces: ["Yes"], specials })));
  await expect(open).rejects.toMatchObject({ code: "reward-invalid" });
});
