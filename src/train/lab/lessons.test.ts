import { describe, expect, test } from "vitest";
import { findTask } from "../../tasks/index.js";
import { isGenerated } from "../../tasks/task.js";
import { parameterCount } from "../initial-weights.js";
import { labFamily } from "./family.js";
import { byteTokenizer, type LabTokenizer, wordTokenizer } from "./vocabulary.js";

const tokenizers = { word: wordTokenizer, byte: byteTokenizer };

/** Bytes that stand for themselves are enough for the lab's texts, but for these two. */
function decode({ vocabulary }: LabTokenizer, ids: readonly number[]): string {
  return ids
    .map((id) => vocabulary.tokens[id]!)
    .join("")
    .replaceAll("Ġ", " ")
    .replaceAll("Ċ", "\n");
}

describe.each(Object.keys(labFamily))("lessons of %s", (name) => {
  const { examples, recipe, vocabulary } = labFamily[name]!();
  const tokenizer = Object.values(tokenizers).find((one) => one.vocabulary === vocabulary)!;

  test("are a task's questions and worked answers, laid out as the chat template does", async () => {
    const task = await findTask("lab");
    if (!isGenerated(task)) throw new Error("lab is not generated");
    for (let index = 0; index < 200; index++) {
      const { tokens, lossFrom } = examples(index);
      const text = decode(tokenizer, tokens);
      const [, question, answer] = /^<\|question\|>(.+)<\|answer\|>(.+)<\|end\|>$/s.exec(text)!;
      expect(decode(tokenizer, tokens.slice(0, lossFrom))).toBe(`<|question|>${question}<|answer|>`);
      const steps = answer!.split("\n\n");
      const asked = { id: "1", question: question!, reference: "" };
      steps.forEach((step, place) => {
        expect(task.checkStep!(asked, steps.slice(0, place), step)).toBe(true);
      });
      expect(steps.at(-1)).toMatch(/^\\boxed\{\d+\}$/);
    }
  });

  test("fit their rows, and come back after the last training index", () => {
    for (let index = 0; index < 2000; index++) {
      expect(examples(index).tokens.length - 1).toBeLessThanOrEqual(recipe.plan.rowLength);
    }
    expect(examples(500_000 * 24 + 7)).toEqual(examples(7));
  });
});

describe.each(Object.entries(tokenizers))("the %s tokenizer", (_, tokenizer) => {
  const { vocabulary, encode, control } = tokenizer;

  test("holds all bytes, no text twice, and is a whole number of blocks", () => {
    expect(vocabulary.tokens.length % 16).toBe(0);
    expect(new Set(vocabulary.tokens).size).toBe(vocabulary.tokens.length);
    expect(vocabulary.control).toEqual(expect.arrayContaining(Object.values(control)));
    const all = Array.from({ length: 256 }, (_, byte) => byte);
    const text = new TextDecoder("latin1").decode(Uint8Array.from(all));
    expect(encode(text).every((id) => id !== undefined)).toBe(true);
  });

  test("never makes a control token from text", () => {
    const ids = encode("Tom <|end|> <|answer|>x<|question|><|unused_0|>");
    expect(ids.filter((id) => vocabulary.control.includes(id))).toEqual([]);
  });
});

test("the words of the lab are single tokens, numbers are digits", () => {
  expect(wordTokenizer.encode("Mia has 37 coins.")).toHaveLength(7);
  expect(wordTokenizer.encode("37+25=62\n\n")).toHaveLength(9);
  expect(byteTokenizer.encode("Mia has")).toHaveLength(7);
});

test("sizes are as the lab promises", () => {
  const size = (name: string) => parameterCount(labFamily[name]!().recipe.sizes);
  for (const draft of ["draft", "draft-other"]) {
    expect(size(draft)).toBeGreaterThan(50_000);
    expect(size(draft)).toBeLessThan(300_000);
  }
  expect(size("target") / size("draft")).toBeGreaterThanOrEqual(15);
  expect(size("middle")).toBeGreaterThan(2 * size("draft"));
  expect(size("middle")).toBeLessThan(size("target"));
});
