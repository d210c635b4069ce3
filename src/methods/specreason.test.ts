import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NextToken } from "../core/search.js";
import { blankLine } from "../core/step.js";
import type { TokenChoice } from "../models/scripted-law.js";
import { carryOut, ofType } from "../testing/carry-out.js";
import { ScriptedModel } from "../testing/index.js";
import draftAlone from "./draft.js";
import specreason, { gradeOf } from "./specreason.js";
import targetAlone from "./target.js";

const length = 5;
const pieces = Array.from({ length }, (_, at) => [`good ${at}\n\n`, `poor ${at}\n\n`]).flat();

/** Writes steps that are good at this rate; as a grader it likes good ones, and is never quite sure. */
const model = (name: string, skill: number) =>
  new ScriptedModel({
    name,
    pieces,
    law: {
      tokens: ({ question, text, steps }): TokenChoice[] => {
        if (!question.startsWith("You read")) {
          if (steps.length === length) return [{ text: "", probability: 1 }];
          return [
            { text: `good ${steps.length}\n\n`, probability: skill },
            { text: `poor ${steps.length}\n\n`, probability: 1 - skill },
          ];
        }
        const last = /(good|poor) \d+\n\nQuality[^:]*: $/.exec(text)?.[1];
        const likes = last === "good" ? 0.8 : 0.1;
        return [
          { text: "8", probability: likes * 0.9 },
          { text: "3", probability: (1 - likes) * 0.9 },
          { text: "x", probability: 0.1 },
        ];
      },
    },
  });

const roles = () => ({ draft: model("small", 0.5), target: model("large", 0.9) });

const run = (options: object, seed = 0, temperature = 1) =>
  carryOut({ method: specreason, question: "?", roles: roles(), seed, options, sampling: { temperature } });

describe.each([0, 1])("SpecReason card, temperature %d", (temperature) => {
  test("threshold 0: the draft alone, the target never writes", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const { result } = await run({ threshold: 0 }, seed, temperature);
      const { draft } = roles();
      const plain = await carryOut({
        ...{ method: draftAlone, question: "?", roles: { draft }, seed, sampling: { temperature } },
      });
      expect(result.text).toBe(plain.result.text);
      expect(result.ledger.target!.decodeTokens).toBe(0);
    }
  });

  test("threshold above 9: the target alone, every draft step discarded", async () => {
    for (let seed = 0; seed < 20; seed++) {
      const { result } = await run({ threshold: 9.5 }, seed, temperature);
      const { target } = roles();
      const plain = await carryOut({
        ...{ method: targetAlone, question: "?", roles: { target }, seed, sampling: { temperature } },
      });
      expect(result.text).toBe(plain.result.text);
      const { draft } = result.ledger;
      expect(draft!.discardedTokens).toBe(draft!.decodeTokens);
    }
  });
});

test("SpecReason card: gradings = speculated steps; target's steps = rejections + the first n", async () => {
  for (let seed = 0; seed < 20; seed++) {
    for (const firstSteps of [0, 2]) {
      const { result, events } = await run({ firstSteps }, seed);
      const answer = ofType(events, "step-written").filter(({ node }) => !node.startsWith("~"));
      const drafts = answer.filter(({ role }) => role === "draft");
      const rejected = result.steps.flatMap((step) => step.rejected);
      expect(ofType(events, "candidates-read")).toHaveLength(drafts.length);
      expect(answer.filter(({ role }) => role === "target")).toHaveLength(rejected.length + firstSteps);
      expect(result.steps.slice(0, firstSteps).every(({ origin }) => origin === "target")).toBe(true);
      // Good steps are kept, others are not: the grader saw the right one each time.
      for (const step of result.steps) {
        if (step.origin === "draft" && step.text.trim() !== "") expect(step.text).toMatch(/^good/);
        for (const other of step.rejected) if (other.text.trim() !== "") expect(other.text).toMatch(/^poor/);
      }
    }
  }
});

test("SpecReason card: grading leaves no trace in what the target writes", async () => {
  let rewritten = 0;
  for (let seed = 0; seed < 20; seed++) {
    const { events } = await run({}, seed);
    const written = ofType(events, "step-written").filter(({ node }) => !node.startsWith("~"));
    const textOf = new Map(written.map(({ node, text }) => [node, text]));
    for (const event of written.filter(({ role }) => role === "target")) {
      const path = event.parent === "" ? [] : event.parent.split(".");
      const { target } = roles();
      const branch = await target.open(await target.renderChat([{ role: "user", content: "?" }]));
      await branch.append(path.map((_, depth) => textOf.get(path.slice(0, depth + 1).join("."))!).join(""));
      const fresh = await branch.extend({
        ...{ splitter: blankLine, maxTokens: 512, key: ":target" },
        sampling: { temperature: 1, topK: 0, topP: 1, minP: 0, seed },
      });
      expect(event.logprobs[0]).toBe(
        fresh.text === event.text ? fresh.logprobs[0] : Math.log1p(-Math.exp(fresh.logprobs[0]!)),
      );
      rewritten++;
    }
  }
  expect(rewritten).toBeGreaterThan(10);
});

test("the grader reads each step once: what asks for the grade is rolled back", async () => {
  const { events, result } = await run({}, 3);
  const graded = ofType(events, "step-written").filter(({ node }) => node.startsWith("~"));
  const drafts = ofType(events, "step-written").filter(({ role }) => role === "draft");
  const whole = drafts.filter(({ text }) => text.trim() !== "");
  // A line for each draft step, one for each request, one for each step of the target's own that was caught up on.
  const own = result.steps.slice(0, -1).filter(({ origin }) => origin === "target");
  expect(graded.length).toBeLessThanOrEqual(whole.length + drafts.length + own.length);
  const asks = graded.filter(({ text }) => text.includes("Quality"));
  expect(asks).toHaveLength(drafts.length);
});

test("SpecReason card: fewer first steps are kept the higher the threshold", async () => {
  const kept = async (threshold: number) => {
    let count = 0;
    for (let seed = 0; seed < 60; seed++) {
      const { result } = await run({ threshold, score: "average" }, seed);
      if (result.steps[0]!.origin === "draft") count++;
    }
    return count;
  };
  const counts = await Promise.all([0, 3, 5, 7.5].map(kept));
  expect(counts).toEqual([...counts].sort((a, b) => b - a));
  expect(counts[0]).toBe(60);
  expect(counts[3]).toBe(0);
});

const token = (text: string, probability: number): NextToken => ({
  ...{ token: 0, text, logprob: Math.log(probability), end: false },
});

describe("SpecReason card: the two scores", () => {
  test("greedy is the most probable token's digit, 0 if it is none", () => {
    expect(gradeOf([token("7", 0.6), token("9", 0.4)], "greedy")).toBe(7);
    expect(gradeOf([token(" 7", 0.6)], "greedy")).toBe(7);
    expect(gradeOf([token("seven", 0.6), token("9", 0.4)], "greedy")).toBe(0);
    expect(gradeOf([token("10", 1)], "greedy")).toBe(0);
  });

  test("average is in [0, 9], a sure digit's own value, and does not mind other tokens' mass", () => {
    const masses = fc.array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(masses, fc.double({ min: 0.01, max: 1, noNaN: true }), (weights, share) => {
        const digits = weights.map((weight, digit) => token(String(digit), weight));
        const grade = gradeOf(digits, "average");
        expect(grade).toBeGreaterThanOrEqual(0);
        expect(grade).toBeLessThanOrEqual(9);
        const thinner = weights.map((weight, digit) => token(String(digit), weight * share));
        expect(gradeOf([token("the", 0.9), ...thinner], "average")).toBeCloseTo(grade, 9);
      }),
    );
    expect(gradeOf([token("4", 0.99), token("x", 0.01)], "average")).toBe(4);
    expect(gradeOf([token("x", 1)], "average")).toBe(0);
  });
});
