import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesSource } from "../models/gguf/source.js";
import { readSafetensorsFacts } from "../models/safetensors.js";
import { encodeSafetensors } from "../models/safetensors-writer.js";
import { adviceOf, type HeadFacts, headFactsOf, readHeadFacts } from "./head-file.js";

const rising = Array.from({ length: 33 }, (_, index) => index / 32);

const facts: HeadFacts = {
  features: ["statistic:least", "place:index", "likelihood:target:mean", "state:draft:mean"],
  draft: "d".repeat(64),
  target: "t".repeat(64),
  splitter: "blank-line",
  threshold: { value: 0.7, rule: "target-mean", shares: rising, lengths: rising.map((share) => 400 * share) },
  record: { task: "mine.jsonl", seed: 0, auroc: 0.8, labels: ["outcome"] },
};

const texts = (changes: Record<string, string | undefined> = {}) => {
  const told = { ...headFactsOf(facts), ...changes };
  return new Map(Object.entries(told).filter((entry): entry is [string, string] => entry[1] !== undefined));
};

test("what is written is read again, through a file", async () => {
  const bytes = encodeSafetensors(new Map(), headFactsOf(facts));
  expect(readHeadFacts(await readSafetensorsFacts(bytesSource(bytes)), "head")).toEqual(facts);
});

test("a head without target and threshold has neither", () => {
  const { target: _, threshold: __, ...bare } = facts;
  const plain = { ...bare, features: ["place:ends" as const] };
  const read = readHeadFacts(new Map(Object.entries(headFactsOf(plain))), "head");
  expect(read).toEqual(plain);
  expect(adviceOf(read)).toBeUndefined();
});

test("the threshold is advice", () => {
  const { value, shares, lengths } = facts.threshold!;
  expect(adviceOf(facts)).toEqual({ threshold: value, shares, lengths });
});

describe("facts that are refused", () => {
  const threshold = (changes: object) => JSON.stringify({ ...facts.threshold, ...changes });
  test.each<[string, Record<string, string | undefined>, RegExp]>([
    ["no head", { kind: undefined }, /is no reward head/],
    ["another file", { kind: "stepwright-stop-head" }, /is no reward head/],
    ["a later version", { version: "2" }, /version 2/],
    ["no features", { features: undefined }, /features/],
    ["an empty list", { features: "[]" }, /features/],
    ["an unknown feature", { features: '["statistic:luck"]' }, /looks at "statistic:luck"/],
    ["a feature that is no text", { features: "[1]" }, /features/],
    ["a feature twice", { features: '["place:index","place:index"]' }, /twice/],
    ["broken JSON", { features: "[" }, /nothing readable of its features/],
    ["no draft", { draft: undefined }, /draft/],
    ["a target that is not told", { target: undefined }, /looks at a target/],
    ["another splitter", { splitter: "whim" }, /splitter/],
    ["a threshold above 1", { threshold: threshold({ value: 1.5 }) }, /threshold/],
    ["shares that fall", { threshold: threshold({ shares: rising.toReversed() }) }, /falls/],
    ["too few shares", { threshold: threshold({ shares: [0, 1] }) }, /threshold/],
    ["an unknown rule", { threshold: threshold({ rule: "taste" }) }, /threshold/],
    ["a record that is a list", { record: "[]" }, /record/],
  ])("%s", (_, changes, message) => {
    const read = () => readHeadFacts(texts(changes), "head.safetensors");
    expect(read).toThrow(expect.objectContaining({ code: "reward-invalid", remedy: expect.any(String) }));
    expect(read).toThrow(message);
  });

  test("any other texts", () => {
    const name = fc.constantFrom(...Object.keys(headFactsOf(facts)));
    fc.assert(
      fc.property(name, fc.oneof(fc.string(), fc.json()), (at, text) => {
        try {
          readHeadFacts(texts({ [at]: text }), "head");
        } catch (error) {
          expect(error).toMatchObject({ code: "reward-invalid" });
        }
      }),
      { numRuns: 500 },
    );
  });
});
