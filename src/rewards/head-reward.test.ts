import { describe, expect, test } from "vitest";
import { FakeModel, width } from "../../test/rewards/fake-model.js";
import { headContext, type TestHead } from "../../test/rewards/heads.js";
import { step, tensor } from "../../test/rewards/help.js";
import type { Model } from "../core/model.js";
import { calibrationTensors, meansTensor } from "./head-file.js";
import { isExplained, openReward, settleReward } from "./index.js";
import { sigmoid } from "./law.js";
import { featureNames, isState } from "./readings/features.js";

const pieces = ["Yes", "No", "\n\n", ..."0123456789"];
const specials = ["<system>", "<user>", "<assistant>", "<end>"];
const fake = (name: string) => new FakeModel({ name, pieces, specials });
const plain: TestHead = { features: ["statistic:least", "place:index"], weights: [2, -1], bias: 0.5 };

const pair = () => ({ draft: fake("draft"), target: fake("target") });
const open = (head: TestHead, models: Partial<Record<"draft" | "target", Model>> = pair()) =>
  openReward("head:F", headContext(head, models));
const surely = { ...step("a\n\n"), logprobs: [-0.25, -1], entropies: [0.5, 1] };
const scoreOf = async (head: TestHead) => (await (await (await open(head)).open("Q")).append(surely)).value;

/** Everything a head may look at, each input with a weight of its own. */
const everything: TestHead = {
  features: featureNames,
  weights: featureNames.flatMap((name, at) =>
    Array.from({ length: isState(name) ? width : 1 }, (_, index) => Math.sin(1 + at + index) / 8),
  ),
};

describe("the score", () => {
  test("is the head's on the step's own figures and place", async () => {
    const models = pair();
    const scorer = await (await open(plain, models)).open("Q");
    const first = await scorer.append(surely);
    expect(first.value).toBeCloseTo(sigmoid(0.5 - 2), 6);
    expect((await scorer.append(surely)).value).toBeCloseTo(sigmoid(0.5 - 2 - Math.log(2)), 6);
    expect(first.usage).toMatchObject({ prefillTokens: 0, flops: 0 });
    expect(models.draft.charged).toBe(0);
    scorer.drop();
  });

  test("goes through the calibration, straight between its points", async () => {
    const table = (inputs: number[], outputs: number[]) =>
      new Map([
        [calibrationTensors.inputs, tensor([inputs.length], inputs)],
        [calibrationTensors.outputs, tensor([outputs.length], outputs)],
      ]);
    const even = { ...plain, weights: [0, 0], bias: 0 };
    expect(await scoreOf({ ...even, tensors: table([0.25, 0.75], [0, 0.5]) })).toBeCloseTo(0.25, 6);
    expect(await scoreOf({ ...even, tensors: table([0.75], [0.125]) })).toBeCloseTo(0.125, 6);
  });

  test("says what pulled it, greatest first, against the mean step", async () => {
    const means = new Map([[meansTensor, tensor([2], [-3, 0])]]);
    const scorer = await (await open({ ...plain, tensors: means })).open("Q");
    scorer.skip(surely);
    const score = await scorer.append(surely);
    if (!isExplained(score)) throw new Error("it says nothing");
    expect(score.pulls()).toEqual([
      { feature: "statistic:least", pull: expect.closeTo(4, 5) },
      { feature: "place:index", pull: expect.closeTo(-Math.log(2), 5) },
    ]);
    scorer.drop();
  });

  test("of every feature at once is the same alone, among others, and in one go", async () => {
    const texts = ["a 1\n\n", "b\n\n", "c 2\n\n"];
    const scores = async (reward: Awaited<ReturnType<typeof open>>, question: string) => {
      const scorer = await reward.open(question);
      const values: number[] = [];
      for (const text of texts) values.push((await scorer.append(step(text))).value);
      scorer.drop();
      return values;
    };
    const shared = await open(everything);
    const [one, other] = await Promise.all([scores(shared, "Q"), scores(shared, "R")]);
    expect(one).toEqual(await scores(await open(everything), "Q"));
    expect(one).not.toEqual(other);
    const late = await shared.open("Q");
    for (const text of texts.slice(0, -1)) late.skip(step(text));
    expect((await late.append(step(texts.at(-1)!))).value).toBe(one.at(-1));
    late.drop();
    await shared[Symbol.asyncDispose]();
  });

  test("of a state that is no number is no number, whatever the calibration says", async () => {
    const draft = new FakeModel({ pieces, specials, hidden: () => new Float32Array(width).fill(Number.NaN) });
    const tensors = new Map([
      [calibrationTensors.inputs, tensor([1], [0.5])],
      [calibrationTensors.outputs, tensor([1], [1])],
    ]);
    const head: TestHead = { features: ["state:draft:mean"], weights: Array(width).fill(1), tensors };
    await expect(open(head, { draft })).rejects.toMatchObject({ code: "reward-invalid" });
  });
});

describe("what it says of itself", () => {
  test("a head on figures reads no model", async () => {
    const reward = await open(plain);
    expect(reward).toMatchObject({ readsFigures: true, readsStatesOf: [], check: null });
    expect(reward.size).toBeUndefined();
    expect(reward.advice).toBeUndefined();
  });

  test("a head on states wants them of their writer, and was tried on two steps", async () => {
    const { draft } = pair();
    const reward = await open({ features: ["state:draft:end"], weights: Array(width).fill(1) }, { draft });
    expect(reward).toMatchObject({ readsFigures: false, readsStatesOf: [draft], size: draft.size });
    expect(reward.check!.right).not.toBe(reward.check!.wrong);
    expect(draft.live).toBe(0);
  });

  test("its threshold is advice", async () => {
    const rising = Array.from({ length: 33 }, (_, index) => index / 32);
    const threshold = { value: 0.6, rule: "budget", shares: rising, lengths: rising } as const;
    const told = { ...threshold, shares: [...rising], lengths: [...rising] };
    expect((await open({ ...plain, threshold: told })).advice).toEqual({
      threshold: 0.6,
      shares: rising,
      lengths: rising,
    });
  });

  test("the run's models are looked at, or others by their references", async () => {
    const models = pair();
    const asked: string[] = [];
    const head: TestHead = { features: ["likelihood:target:least"], weights: [1] };
    await openReward("head:F", headContext(head, models, asked));
    expect(asked).toEqual(["draft", "target"]);
    expect(await settleReward("head:F")).toMatchObject({ resources: ["F", "draft"], mayOpen: ["target"] });
    expect(await settleReward("head:F?draft=a.gguf&target=b.gguf")).toMatchObject({
      resources: ["F", "a.gguf"],
      mayOpen: ["b.gguf"],
    });
    await expect(settleReward("head")).rejects.toMatchObject({ remedy: "write head:FILE" });
  });

  test("a target that it does not look at is not opened", async () => {
    const asked: string[] = [];
    await openReward("head:F", headContext(plain, pair(), asked));
    expect(asked).toEqual(["draft"]);
  });
});

describe("refused, before any step", () => {
  const vector = (values: number[]) => tensor([values.length], values);
  const calibration = (inputs: number[], outputs: number[]) =>
    new Map([
      [calibrationTensors.inputs, vector(inputs)],
      [calibrationTensors.outputs, vector(outputs)],
    ]);
  test.each<[string, Partial<TestHead>, RegExp]>([
    ["another kind of file", { facts: { kind: "stop-head" } }, /no reward head/],
    ["another version", { facts: { version: "9" } }, /version 9/],
    ["an unknown feature", { facts: { features: '["statistic:mood"]' } }, /statistic:mood/],
    ["too few inputs", { weights: [1] }, /1 inputs for the 2 features/],
    ["too many", { weights: [1, 2, 3] }, /3 inputs/],
    [
      "states that do not share its width",
      { features: ["state:draft:mean", "state:draft:end"], weights: [1, 2, 3] },
      /3 inputs/,
    ],
    ["a state of another width", { features: ["state:draft:mean"], weights: [1, 2, 3] }, /states 3 long/],
    ["weights that are no numbers", { weights: [Number.NaN, 1] }, /not finite/],
    ["means of another number", { tensors: new Map([[meansTensor, vector([1])]]) }, /means/],
    [
      "half a calibration",
      { tensors: new Map([[calibrationTensors.inputs, vector([0.5])]]) },
      /half a calibration/,
    ],
    ["a calibration that falls", { tensors: calibration([0, 1], [1, 0]) }, /rising/],
    ["a calibration beyond 1", { tensors: calibration([0, 1], [0, 2]) }, /rising/],
    ["a calibration of two lengths", { tensors: calibration([0, 1], [0.5]) }, /half a calibration/],
    ["another draft", { facts: { draft: "other" } }, /another draft than draft/],
    [
      "another target",
      { facts: { target: "other" }, features: ["judge:target"], weights: [1] },
      /another target than target/,
    ],
  ])("%s", async (_, changes, message) => {
    const refused = open({ ...plain, ...changes });
    await expect(refused).rejects.toMatchObject({ code: "reward-invalid", remedy: expect.any(String) });
    await expect(refused).rejects.toThrow(message);
  });

  test("states of a model that shows none", async () => {
    const draft = new FakeModel({ pieces, specials, capabilities: ["text", "logits"] });
    const head: TestHead = { features: ["state:draft:mean"], weights: [1] };
    await expect(open(head, { draft })).rejects.toMatchObject({ code: "missing-capability" });
  });

  test("a step whose writer told nothing, where nobody can", async () => {
    const draft = new FakeModel({ pieces, specials, capabilities: ["text"] });
    const scorer = await (await open(plain, { draft })).open("Q");
    await expect(scorer.append(step("a\n\n"))).rejects.toMatchObject({ code: "reward-failed" });
    scorer.drop();
  });
});
