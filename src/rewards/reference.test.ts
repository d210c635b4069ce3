import { describe, expect, test } from "vitest";
import { FakeModel } from "../../test/rewards/fake-model.js";
import { contextOf } from "../../test/rewards/help.js";
import { openReward, parseRewardReference, rewardKinds } from "./index.js";

describe("parseRewardReference", () => {
  test("kind, model and options", () => {
    expect(parseRewardReference("judge:target")).toEqual({ kind: "judge", model: "target", options: {} });
    expect(parseRewardReference("value-head:hf:o/r/f.gguf?head=a%26b.gguf&preset=skywork")).toEqual({
      kind: "value-head",
      model: "hf:o/r/f.gguf",
      options: { head: "a&b.gguf", preset: "skywork" },
    });
  });

  test("a plus sign stays a plus sign, and a question mark in a path stays in the path", () => {
    expect(parseRewardReference("step-token:/a?b.gguf?good=+").options).toEqual({ good: "+" });
    expect(parseRewardReference("judge:/what?.gguf")).toMatchObject({ model: "/what?.gguf", options: {} });
  });

  test("a kind alone, with options or without, names no model", () => {
    expect(parseRewardReference("oracle")).toEqual({ kind: "oracle", model: "", options: {} });
    expect(parseRewardReference("confidence?feature=mean")).toEqual({
      kind: "confidence",
      model: "",
      options: { feature: "mean" },
    });
  });

  test("a reward of the lab is a head on the draft's own statistics", () => {
    expect(parseRewardReference("lab:reward")).toEqual({
      kind: "confidence",
      model: "",
      options: { head: "lab:reward" },
    });
  });

  test.each(["judge", "judge:target=", "likelihood", "oracle:target"])(
    "%s does not fit its kind",
    async (reference) => {
      const refused = openReward(reference.replace("=", "?x=1"), contextOf(new FakeModel()));
      await expect(refused).rejects.toMatchObject({ code: "invalid-option" });
    },
  );

  test.each(["", ":target", "judge:", "judge:?scale=digit", "judge:m?a=1&a=2", "judge:m?a=%zz"])(
    "%s is refused",
    (text) => {
      expect(() => parseRewardReference(text)).toThrow(expect.objectContaining({ code: "invalid-option" }));
    },
  );

  test("names of the prototype are plain unknown options", async () => {
    for (const key of ["constructor", "toString"]) {
      await expect(openReward(`judge:m?${key}=1`, contextOf(new FakeModel()))).rejects.toMatchObject({
        code: "invalid-option",
      });
    }
  });
});

test("unknown kinds and options are answered with the nearest known one", async () => {
  const context = contextOf(new FakeModel());
  await expect(openReward("jugde:target", context)).rejects.toMatchObject({
    code: "unknown-name",
    remedy: 'did you mean "judge"?',
  });
  await expect(openReward("judge:target?scal=digit", context)).rejects.toMatchObject({
    code: "invalid-option",
    remedy: 'did you mean "scale"?',
  });
  await expect(openReward("judge:target?scale=stars", context)).rejects.toMatchObject({
    code: "invalid-option",
    subject: "scale",
  });
});

test("every kind is what it says: name, described options, facts for each preset", async () => {
  for (const name of rewardKinds.names) {
    const kind = await rewardKinds.get(name);
    expect(kind.name).toBe(name);
    for (const field of Object.values(kind.schema.shape)) {
      expect((field as { description?: string }).description).toMatch(/\w/);
    }
    const preset = kind.schema.shape.preset as { def?: { innerType?: { options?: string[] } } } | undefined;
    expect(Object.keys(kind.presets)).toEqual(preset?.def?.innerType?.options ?? []);
  }
});
