import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type RunRequest, startRun } from "../core/run.js";
import type { NextToken } from "../core/search.js";
import type { TraceEvent } from "../core/trace-event.js";
import { ScriptedModel } from "../testing/index.js";
import draftAlone from "./draft.js";
import momentum, { choose, Repetitions } from "./momentum.js";

/** Greedy decoding goes round: the, cat, sat, the, cat, sat, ... */
const words = ["the ", "cat ", "sat ", "dog ", "ran ", "end. "];
const follows: Record<string, string[]> = {
  "": ["the ", "dog "],
  "the ": ["cat ", "dog "],
  "cat ": ["sat ", "ran "],
  "sat ": ["the ", "end. "],
  "dog ": ["ran ", "sat "],
  "ran ": ["the ", "end. "],
  "end. ": ["", "the "],
};

function looping(gap = 0.1): ScriptedModel {
  return new ScriptedModel({
    pieces: words,
    law: {
      tokens: ({ text }) => {
        const last = words.findLast((word) => text.endsWith(word)) ?? "";
        const [likely, other] = follows[last]!;
        return [
          { text: likely!, probability: (1 + gap) / 2 },
          { text: other!, probability: (1 - gap) / 2 },
        ];
      },
    },
  });
}

async function decode(options: unknown, more: Partial<RunRequest> = {}) {
  const run = startRun({
    method: momentum,
    options,
    question: "?",
    roles: { draft: looping() },
    maxTokens: 40,
    ...more,
  });
  const events: TraceEvent[] = [];
  for await (const event of run) if (event.type !== "text-written") events.push(event);
  return { result: await run.result, events };
}

const plain = () => decode({}, { method: draftAlone, options: {} });

test("card: without penalty, with one candidate or without resistance it is greedy decoding", async () => {
  const { text } = (await plain()).result;
  expect(text).toMatch(/^(the cat sat ){13}the$/);
  for (const options of [
    { alpha: 0 },
    { candidates: 1 },
    { resistance: "0-0-0-0-0" },
    { alpha: 0, resistance: "inf" },
  ]) {
    expect((await decode(options)).result.text).toBe(text);
  }
});

test("card: it gets out of the loop that greedy decoding is in, and deterministically", async () => {
  const { result } = await decode({});
  expect(result.text).toBe("the cat sat end.");
  expect(result.finish).toBe("stop");
  expect((await decode({}, { seed: 9, sampling: { temperature: 1 } })).result.text).toBe(result.text);
});

test("card: a greedy token that has not occurred is always written", async () => {
  const { events } = await decode({ alpha: 10 }, { roles: { draft: looping(0.02) } });
  const seen = new Set<number>();
  let [fresh, moved] = [0, 0];
  for (const [index, event] of events.entries()) {
    if (event.type !== "candidates-read") continue;
    const written = events.slice(index).find((later) => later.type === "step-written")!;
    if (written.type !== "step-written") throw new Error("no step after its candidates");
    const [greedy] = event.tokens;
    if (!seen.has(greedy!.token)) {
      fresh++;
      expect(written.tokens).toEqual([greedy!.token]);
    } else if (written.tokens[0] !== greedy!.token) moved++;
    seen.add(written.tokens[0]!);
  }
  expect(fresh).toBeGreaterThan(2);
  expect(moved).toBeGreaterThan(0);
});

test("card: where a repeated 3-gram is forbidden there is none", async () => {
  const draft = new ScriptedModel({
    pieces: words,
    law: {
      // Each word is most likely followed by the next one, and may be followed by any.
      tokens: ({ text }) => {
        const last = words.findIndex((word) => text.endsWith(word));
        return words.map((_, step) => ({
          text: words[(last + 1 + step) % words.length]!,
          probability: 2 ** -(step + 1) + (step === 0 ? 2 ** -words.length : 0),
        }));
      },
    },
  });
  const options = { resistance: "0-0-inf", candidates: words.length };
  const { result, events } = await decode(options, { roles: { draft }, maxTokens: 60 });
  const tokens = events.flatMap((event) => (event.type === "step-written" ? event.tokens : []));
  const grams = tokens.slice(2).map((_, index) => tokens.slice(index, index + 3).join());
  expect(new Set(grams).size).toBe(grams.length);
  expect(grams).toHaveLength(58);
  expect(result.text.startsWith("the cat sat dog ran end. the cat dog ")).toBe(true);
});

test("card: the depth of a repetition is that of a search through the whole text", () => {
  const longest = 4;
  fc.assert(
    fc.property(fc.array(fc.nat(3), { maxLength: 60 }), fc.nat(3), (text, token) => {
      const seen = new Repetitions(longest);
      for (const one of text) seen.push(one);
      const occurs = (gram: number[]) =>
        text.some((_, start) => gram.every((one, offset) => text[start + offset] === one));
      let depth = 0;
      for (let length = 1; length <= longest && length - 1 <= text.length; length++) {
        if (occurs([...text.slice(text.length - length + 1), token])) depth = length;
      }
      expect(seen.depth(token)).toBe(depth);
    }),
  );
});

test("card: two calls a token, whatever the length of the text", async () => {
  const draft = looping();
  const { result } = await decode({ resistance: "0-0-0" }, { roles: { draft }, maxTokens: 300 });
  expect(result.ledger.draft!.decodeTokens).toBe(300);
  // One opens the prompt, one reads it.
  expect(draft.stage.calls).toBe(2 + 2 * 300);
});

describe("the choice", () => {
  const token = (text: string, probability: number, number = 0): NextToken => ({
    token: number,
    text,
    logprob: Math.log(probability),
    end: false,
  });

  test("falls back to the most probable where every candidate is forbidden", () => {
    const tokens = [token("a", 0.6), token("b", 0.4)];
    expect(choose(tokens, () => Infinity)).toBe(tokens[0]);
    expect(choose(tokens, ({ text }) => (text === "a" ? 0.3 : 0))).toBe(tokens[1]);
    expect(choose([token("a", 0.5), token("b", 0.5)], () => 0).text).toBe("a");
  });

  test("leaves marks alone where they are exempt", async () => {
    const dots = () =>
      new ScriptedModel({
        pieces: ["..", "word"],
        law: {
          tokens: () => [
            { text: "..", probability: 0.6 },
            { text: "word", probability: 0.4 },
          ],
        },
      });
    const text = async (exempt: string) =>
      (await decode({ exempt }, { roles: { draft: dots() }, maxTokens: 4 })).result.text;
    expect(await text("marks")).toBe("........");
    expect(await text("none")).toMatch(/^\.\.word/);
  });
});
