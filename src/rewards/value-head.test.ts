import { describe, expect, test } from "vitest";
import { FakeModel, uniform, width } from "../../test/rewards/fake-model.js";
import { contextOf, step, tensor } from "../../test/rewards/help.js";
import type { Token } from "../core/step.js";
import { openReward } from "./index.js";

// Ids 0 to 3; every other character is 1000 + its code point; the opening token is 500.
const pieces = [".\n\n", "\n\n", "\n", "x="];
const specials = ["<|endoftext|>"];
const q = 1000 + "q".charCodeAt(0);
const [a, b, dot] = [..."ab."].map((letter) => 1000 + letter.charCodeAt(0)) as [number, number, number];

const weights = Array.from({ length: width }, (_, at) => (at % 3) - 1);
const heads = new Map([
  ["v_head.summary.weight", tensor([1, width], weights)],
  ["v_head.summary.bias", tensor([1], [0.25])],
]);

async function readIds(reference: string, texts: readonly string[]): Promise<readonly Token[]> {
  const seen: Token[][] = [];
  const model = new FakeModel({
    pieces,
    specials,
    hidden: (ids) => {
      seen.push([...ids]);
      return Float32Array.from({ length: width }, (_, at) => uniform(ids, at));
    },
  });
  const reward = await openReward(reference, contextOf(model, heads));
  const scorer = await reward.open("q");
  for (const text of texts) await scorer.append(step(text));
  return seen.at(-1)!;
}

describe("golden ids of the value-head format", () => {
  test("each step is encoded alone, then the separator's last id", async () => {
    // The step's own ".\n\n" would be one token; alone it is ".", then the separator.
    expect(await readIds("value-head:M", ["a.\n\n", "x=b\n\n"])).toEqual([500, q, 2, a, dot, 1, 3, b, 1]);
  });

  test("an empty step is the separator alone, and still one score", async () => {
    expect(await readIds("value-head:M", ["a\n\n", "\n\n", "b"])).toEqual([500, q, 2, a, 1, 1, b, 1]);
  });

  test("trailing and leading separators add no step", async () => {
    expect(await readIds("value-head:M", ["\n\na\n\n\n\n", "b\n\n\n"])).toEqual([500, q, 2, a, 1, b, 1]);
  });

  test("separators inside a step cannot add a step end", async () => {
    expect(await readIds("value-head:M", ["a\n\n\n\nb\n\n"])).toEqual([500, q, 2, a, 2, b, 1]);
    expect(await readIds("value-head:M?separator=%0A", ["a\nb\n"])).toEqual([500, q, 2, a, 1032, b, 2]);
  });

  test("opening token of one's own, or none", async () => {
    expect(await readIds("value-head:M?begin=", ["a"])).toEqual([q, 2, a, 1]);
  });

  test("control text in a question or step is not a control token", async () => {
    const ids = await readIds("value-head:M", ["<|endoftext|>"]);
    expect(ids.filter((id) => id === 500)).toHaveLength(1);
    expect(ids).toHaveLength(3 + "<|endoftext|>".length + 1);
  });
});

test("the score is the sigmoid of the head on the state at the separator", async () => {
  const model = new FakeModel({ pieces, specials });
  const reward = await openReward("value-head:M", contextOf(model, heads));
  const scorer = await reward.open("q");
  const { value } = await scorer.append(step("a\n\n"));
  const state = model.read([500, q, 2, a, 1], { hidden: true }).hidden!;
  const sum = state.reduce((total, number, at) => total + number * weights[at]!, 0.25);
  expect(value).toBeCloseTo(1 / (1 + Math.exp(-sum)), 6);
});

describe("refused when opening", () => {
  const refused = (model: FakeModel, tensors = heads, reference = "value-head:M") =>
    openReward(reference, contextOf(model, tensors));

  test("a model without a head", async () => {
    await expect(refused(new FakeModel({ pieces, specials }), new Map())).rejects.toMatchObject({
      code: "reward-invalid",
      message: expect.stringContaining("no value head"),
    });
  });

  test("a head for another width", async () => {
    const wide = new Map([["score.weight", tensor([1, 16], new Float32Array(16).fill(1))]]);
    const model = new FakeModel({ pieces, specials });
    await expect(refused(model, wide)).rejects.toMatchObject({
      code: "reward-invalid",
      message: expect.stringContaining("16 long"),
    });
    expect(model.live).toBe(0);
  });

  test("a model that gives no states", async () => {
    const model = new FakeModel({ pieces, specials, capabilities: ["text", "logits"] });
    await expect(refused(model)).rejects.toMatchObject({ code: "missing-capability" });
  });

  test("states that are not finite, or that do not depend on the step", async () => {
    for (const fill of [Number.NaN, 0.5]) {
      const model = new FakeModel({ pieces, specials, hidden: () => new Float32Array(width).fill(fill) });
      await expect(refused(model)).rejects.toMatchObject({ code: "reward-invalid" });
      expect(model.live).toBe(0);
    }
  });

  test("an opening token that this vocabulary lacks", async () => {
    await expect(refused(new FakeModel({ pieces }))).rejects.toMatchObject({
      code: "reward-invalid",
      message: expect.stringContaining("opening token"),
    });
  });
});
