import { describe, expect, it } from "vitest";
import { fitLogistic } from "../../core/logistic-regression.js";
import type { Extension } from "../../core/model.js";
import type { TensorSet } from "../../core/tensor.js";
import { letterModel, sampled } from "../../testing/draft-world.js";
import { type SpeculateOptions, speculate } from "../speculate.js";
import { ownFeatures, stopHeadKind } from "./features.js";
import { recordingController, type StopExample } from "./recorder.js";

/** A draft whose state tells whether it is in the half of the alphabet where it agrees with the target. */
const draft = letterModel(2, 2, {
  hidden: ({ prompt, text }) => [(prompt + text).at(-1)! < "c" ? 1 : 0, 1],
});
const target = letterModel(1);

async function writeWith(
  controller: SpeculateOptions["controller"],
  loadHead?: SpeculateOptions["loadHead"],
): Promise<Extension> {
  const model = await speculate(target, { drafter: "model", draft, controller, loadHead });
  await using branch = await model.open("ab");
  return branch.extend({ splitter: { kind: "none" }, maxTokens: 400, sampling: sampled, key: "k" });
}

function head(weights: readonly number[], bias: number, facts: Record<string, string> = {}) {
  const tensors: TensorSet = new Map([
    ["stop.weight", { shape: [1, weights.length], values: Float32Array.from(weights) }],
    ["stop.bias", { shape: [1], values: Float32Array.of(bias) }],
  ]);
  const own = { kind: stopHeadKind, draft: draft.fingerprint, target: target.fingerprint };
  return async () => ({ tensors, facts: new Map(Object.entries({ ...own, ...facts })) });
}

describe("the stop head", () => {
  it("is trained on each draft that was tested, and on no other", async () => {
    const examples: StopExample[] = [];
    const { speculation } = await writeWith(recordingController(5, examples));
    const right = examples.filter(({ right }) => right).length;
    expect(right).toBe(speculation!.accepted);
    // Of each block at most one draft was refused; those behind it were not tested.
    expect(examples.length - right).toBeLessThanOrEqual(speculation!.blocks);
    expect(examples.length).toBeLessThan(speculation!.drafted);
    expect(examples.every(({ features }) => features.length === 2 + ownFeatures)).toBe(true);
  });

  it("drafts as many tokens as it may where it always believes, and the least where it never does", async () => {
    const zeros = new Array<number>(2 + ownFeatures).fill(0);
    const believer = await writeWith("stop-head?head=x&depth=4", head(zeros, 50));
    const doubter = await writeWith("stop-head?head=x&depth=4&least=2", head(zeros, -50));
    const never = await writeWith("stop-head?head=x&depth=4&threshold=1.5", head(zeros, -50));
    const perBlock = ({ speculation }: Extension) => speculation!.drafted / speculation!.blocks;
    expect(perBlock(believer)).toBeGreaterThan(3.9);
    expect(perBlock(never)).toBeGreaterThan(3.9);
    expect(perBlock(doubter)).toBeLessThanOrEqual(2);
    expect(doubter.text).toBe(believer.text);
  });

  it("wastes fewer drafts with a head trained on the pair than with a fixed length", async () => {
    const examples: StopExample[] = [];
    const fixed = await writeWith(recordingController(5, examples));
    const { weights, bias } = fitLogistic({
      rows: examples.map(({ features }) => features),
      labels: examples.map(({ right }) => (right ? 1 : 0)),
    });
    const trained = await writeWith("stop-head?head=x&depth=5", head([...weights], bias));
    expect(trained.text).toBe(fixed.text);
    const wasted = ({ speculation }: Extension) => 1 - speculation!.accepted / speculation!.drafted;
    expect(wasted(trained)).toBeLessThan(wasted(fixed));
  });

  it("refuses a head of another pair, and one that does not fit", async () => {
    const zeros = new Array<number>(2 + ownFeatures).fill(0);
    const choice = "stop-head?head=x";
    await expect(writeWith(choice, head(zeros, 0, { target: "another" }))).rejects.toThrow(/of this pair/);
    await expect(writeWith(choice, head([0, 0, 0], 0))).rejects.toThrow(/hidden states of 0/);
    await expect(writeWith(choice, head([...zeros.slice(1), Number.NaN], 0))).rejects.toThrow(/not finite/);
    await expect(writeWith("stop-head")).rejects.toThrow(/needs a head/);
  });
});
