import { expect, test } from "vitest";
import { messagesOf, ScriptedModel } from "../testing/index.js";
import { MethodBench } from "../testing/method-bench.js";
import draftAlone from "./draft.js";
import selfRefine from "./self-refine.js";

/** Answers 0, and one more whenever it is told that its answer is too small; its critic is content from a number on. */
const scripted = (content: number) =>
  new ScriptedModel({
    pieces: Array.from({ length: 20 }, (_, number) => `it is ${number}`),
    law: {
      steps: (question, _, prompt) => {
        const said = messagesOf(prompt).filter(({ role }) => role === "assistant");
        const number = Number(said[0]?.content.split(" ").at(-1) ?? -1);
        const isCritic = question.startsWith("Look for errors");
        const text = isCritic ? (number >= content ? "No error." : "too small") : `it is ${number + 1}`;
        return [{ text, probability: 1, end: true }];
      },
    },
  });

test("bag-of-tricks card: with no rounds it is the plain answer", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const refined = await new MethodBench(selfRefine, { rounds: 0 }).run({ seed });
    const plain = await new MethodBench(draftAlone, {}).run({ seed });
    expect(refined.result.text).toBe(plain.result.text);
    expect(refined.result.ledger).toMatchObject({ draft: plain.result.ledger.draft! });
  }
});

test("it rewrites until the critic finds no error, and no more often than it may", async () => {
  const refined = async (content: number, rounds: number) => {
    const draft = scripted(content);
    return (await new MethodBench(selfRefine, { rounds }).run({ roles: { draft } })).result;
  };
  expect((await refined(0, 3)).text).toBe("it is 0");
  expect((await refined(2, 3)).text).toBe("it is 2");
  expect((await refined(9, 3)).text).toBe("it is 3");
  // The answer, and a critique and a rewrite for each of two rounds, and the critique that ends it.
  expect((await refined(2, 3)).ledger.draft!.calls).toBe(6);
});

test("the critic reads question and answer, the rewriter the critique too", async () => {
  const { events } = await new MethodBench(selfRefine, { rounds: 1 }).run({ roles: { draft: scripted(9) } });
  const begun = events.filter((event) => event.type === "root-begun");
  expect(
    begun.map(({ messages }) => messages.map(({ role, content }) => `${role}: ${content.slice(0, 15)}`)),
  ).toEqual([
    ["user: take four steps", "assistant: it is 0", "user: Look for errors"],
    [
      "user: take four steps",
      "assistant: it is 0",
      "user: Look for errors",
      "assistant: too small",
      "user: Write the whole",
    ],
  ]);
});

test("cut short, the last whole answer stands", async () => {
  const whole = await new MethodBench(selfRefine, { rounds: 3 }).run({ roles: { draft: scripted(9) } });
  const tokens = whole.result.ledger.draft!.decodeTokens;
  for (let limit = 2; limit < tokens; limit++) {
    const { result } = await new MethodBench(selfRefine, { rounds: 3 }).run({
      roles: { draft: scripted(9) },
      budget: { "draft-tokens": limit },
    });
    expect(result.finish).toBe("stop");
    expect(result.text).toMatch(/^it is \d$/);
  }
});
