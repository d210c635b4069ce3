import { describe, expect, test } from "vitest";
import { methods } from "../methods/index.js";
import { errorOf } from "../testing/bench-world.js";
import { parseMethodList } from "./method-list.js";

const labels = async (text: string) => (await parseMethodList(text, methods)).map(({ label }) => label);

describe("a list of methods", () => {
  test("names methods and their options", async () => {
    const entries = await parseMethodList("draft, target,rsd:threshold=0.8;weight=logistic", methods);
    expect(entries.map(({ label }) => label)).toEqual([
      "draft",
      "target",
      "rsd:threshold=0.8;weight=logistic",
    ]);
    expect(entries[2]!.options).toMatchObject({ threshold: 0.8, weight: "logistic", candidates: 1 });
  });

  test("sweeps over ranges with both ends, over alternatives, and over their products", async () => {
    expect(await labels("rsd:threshold=0.5..0.9/0.1")).toEqual(
      ["0.5", "0.6", "0.7", "0.8", "0.9"].map((value) => `rsd:threshold=${value}`),
    );
    expect(await labels("rsd:candidates=1..7/3")).toEqual([
      "rsd:candidates=1",
      "rsd:candidates=4",
      "rsd:candidates=7",
    ]);
    expect(await labels("rsd:weight=step|clip;threshold=0.6|0.7")).toEqual([
      "rsd:weight=step;threshold=0.6",
      "rsd:weight=step;threshold=0.7",
      "rsd:weight=clip;threshold=0.6",
      "rsd:weight=clip;threshold=0.7",
    ]);
    const [first] = await parseMethodList("rsd:threshold=0.1..1/0.1", methods);
    expect(first!.options.threshold).toBe(0.1);
    expect((await parseMethodList("rsd:threshold=0.1..1/0.1", methods))[2]!.options.threshold).toBe(0.3);
  });

  test("takes a word in place of a number", async () => {
    const entries = await parseMethodList("rsd:threshold=auto|0.4", methods);
    expect(entries.map(({ options }) => options.threshold)).toEqual(["auto", 0.4]);
    const wrong = await errorOf(parseMethodList("rsd:threshold=often", methods));
    expect(wrong).toMatchObject({ code: "invalid-option" });
  });

  test("gives an entry a reward of its own, which is no option of the method", async () => {
    const text = "draft,rsd:reward=judge:target?scale=digit;threshold=0.8,rsd:reward=confidence|oracle";
    const entries = await parseMethodList(text, methods);
    expect(entries.map(({ reward }) => reward)).toEqual([
      undefined,
      "judge:target?scale=digit",
      "confidence",
      "oracle",
    ]);
    expect(entries[1]!.options).toMatchObject({ threshold: 0.8 });
    expect(entries.every(({ options }) => !Object.hasOwn(options, "reward"))).toBe(true);
    expect(entries[2]!.label).toBe("rsd:reward=confidence");
  });

  test("refuses a reward for a method that has none", async () => {
    await expect(parseMethodList("draft:reward=oracle", methods)).rejects.toMatchObject({
      code: "invalid-option",
    });
  });

  test.each([
    ["rdf", "unknown-name"],
    ["rsd:treshold=1", "invalid-option"],
    ["rsd:threshold=high", "invalid-option"],
    ["rsd:threshold", "invalid-option"],
    ["rsd:threshold=", "invalid-option"],
    ["rsd:threshold=0.5;threshold=0.6", "invalid-option"],
    ["rsd:threshold=0.9..0.5/0.1", "invalid-option"],
    ["rsd:threshold=0.5..0.9/0", "invalid-option"],
    ["rsd:threshold=0..2/0.0000001", "invalid-option"],
    ["rsd:threshold=0..1/0.01;alpha=0..100/1", "invalid-option"],
    ["rsd,rsd:threshold=0.7", "invalid-option"],
    ["draft,", "unknown-name"],
  ])("%s is refused", async (text, code) => {
    expect((await errorOf(parseMethodList(text, methods))).code).toBe(code);
  });
});
