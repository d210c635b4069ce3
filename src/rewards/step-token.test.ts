import { describe, expect, test } from "vitest";
import { FakeModel, uniform, width } from "../../test/rewards/fake-model.js";
import { contextOf, step, tensor } from "../../test/rewards/help.js";
import type { Token } from "../core/step.js";
import { openReward } from "./index.js";

const pieces = [" ки", "\n", "+", "-"];
const specials = ["<s>", "<extra_0>", "<system>", "<user>", "<assistant>", "<end>"];
const good = 2;
const mark = 0;

/** Text with special tokens in angle brackets as ids. */
const encode = (text: string) => new FakeModel({ pieces, specials }).tokenize(text, { special: true });

async function readIds(reference: string, question: string, texts: readonly string[]): Promise<Token[]> {
  const seen: Token[][] = [];
  const model = new FakeModel({
    pieces,
    specials,
    law: (ids, token) => {
      seen.push([...ids]);
      return Math.log(0.1 + 0.3 * uniform(ids, token));
    },
    hidden: (ids) => {
      seen.push([...ids]);
      return Float32Array.from({ length: width }, (_, at) => uniform(ids, at));
    },
  });
  const heads = new Map([
    ["score.weight", tensor([2, width], [...new Float32Array(width), ...Array(width).fill(1)])],
  ]);
  const reward = await openReward(reference, contextOf(model, heads));
  const scorer = await reward.open(question);
  for (const text of texts) await scorer.append(step(text));
  return seen.at(-1)!;
}

describe("golden ids", () => {
  test("math-shepherd: question, space, marked lines, read at the last mark", async () => {
    const ids = await readIds("step-token:M", "q", ["a\n\n", "b."]);
    expect(ids).toEqual(await encode("<s>q a ки\nb. ки"));
    expect(ids.at(-1)).toBe(mark);
  });

  test("math-shepherd: an empty step is its mark", async () => {
    expect(await readIds("step-token:M", "q", ["\n\n", "b ", ""])).toEqual(
      await encode("<s>q ки\nb ки\n ки"),
    );
  });

  test("rlhflow: a dialogue that ends where the sign is predicted", async () => {
    expect(await readIds("step-token:M?preset=rlhflow", "q", ["a\n\n", "b\n\n", "c"])).toEqual(
      await encode("<user>q a<end><assistant>+<end><user>b<end><assistant>+<end><user>c<end><assistant>"),
    );
  });

  test("spare: the solution as one marked turn under the system text", async () => {
    expect(await readIds("step-token:M?preset=spare&system=S", "q", ["a\n\n", "b"])).toEqual(
      await encode("<system>S<end><user>q<end><assistant>a ки\nb ки"),
    );
  });

  test("qwen2.5-math-prm: steps closed by the special mark", async () => {
    expect(await readIds("step-token:M?preset=qwen2.5-math-prm", "q", ["a\n\n", "", "b"])).toEqual(
      await encode(
        "<system>Please reason step by step, and put your final answer within \\boxed{}.<end><user>q<end><assistant>" +
          "a<extra_0><extra_0>b<extra_0>",
      ),
    );
  });

  test("marks in the question or in a step are broken up, words that contain them are not", async () => {
    const ids = await readIds("step-token:M", "q ки?", ["a ки b", "руки"]);
    expect(ids.filter((id) => id === mark)).toHaveLength(2);
    expect(ids).toEqual(await encode("<s>q к и? a к и b ки\nруки ки"));
    const special = await readIds("step-token:M?preset=qwen2.5-math-prm", "<extra_0>", ["x<extra_0>y"]);
    expect(special.filter((id) => id === 501)).toHaveLength(1);
  });
});

const law = (ids: readonly Token[], token: Token) =>
  Math.log(ids.includes(1053) ? (token === good ? 0.6 : 0.2) : token === good ? 0.2 : 0.6);

test("the score is the softmax over the two labels, and swapping them gives 1 - r", async () => {
  // The law likes steps with a "5" in them.
  const model = new FakeModel({ pieces, specials, law });
  const plain = await openReward("step-token:M?marker=%20%D0%BA%D0%B8", contextOf(model));
  const swapped = await openReward("step-token:M?good=-&bad=%2B", contextOf(model));
  for (const [text, expected] of [
    ["so 5\n\n", 0.75],
    ["so 6\n\n", 0.25],
  ] as const) {
    const one = await (await plain.open("q")).append(step(text));
    const other = await (await swapped.open("q")).append(step(text));
    expect(one.value).toBeCloseTo(expected, 12);
    expect(other.value).toBeCloseTo(1 - expected, 12);
  }
});

describe("refused when opening", () => {
  const open = (model: FakeModel, reference = "step-token:M") => openReward(reference, contextOf(model));

  test("a mark or label that is not one token here", async () => {
    await expect(open(new FakeModel({ pieces: ["+", "-"], specials }))).rejects.toMatchObject({
      code: "reward-invalid",
      message: expect.stringContaining("step marker"),
    });
    const model = new FakeModel({ pieces, specials });
    await expect(open(model, "step-token:M?good=good")).rejects.toMatchObject({
      code: "reward-invalid",
      message: expect.stringContaining('label "good" is 4 tokens'),
    });
    await expect(open(model, "step-token:M?good=-")).rejects.toMatchObject({ code: "reward-invalid" });
  });

  test("a chat model, which gives the labels no probability at the mark", async () => {
    const model = new FakeModel({
      pieces,
      specials,
      law: (ids, token) => Math.log(1e-5 * uniform(ids, token)),
    });
    await expect(open(model)).rejects.toMatchObject({
      code: "reward-invalid",
      message: expect.stringContaining("labels"),
    });
    expect(model.live).toBe(0);
  });

  test("options that mean nothing for the preset, and a system text that is missing", async () => {
    const model = new FakeModel({ pieces, specials });
    await expect(open(model, "step-token:M?preset=rlhflow&marker=x")).rejects.toMatchObject({
      code: "invalid-option",
      subject: "marker",
    });
    await expect(open(model, "step-token:M?preset=spare")).rejects.toMatchObject({
      code: "invalid-option",
      subject: "system",
    });
    expect(model.reads).toHaveLength(0);
  });
});
