/** What holds for every kind: incremental, forked and dropped chains give the score of a full read. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FakeModel, width } from "../../test/rewards/fake-model.js";
import { contextOf, step, tensor } from "../../test/rewards/help.js";
import type { Scorer } from "../core/reward.js";
import { openReward } from "./index.js";

const pieces = [" ки", "\n", "\n\n", ".\n\n", "+", "-", "Yes", "No", ..."0123456789"];
const specials = ["<s>", "<|endoftext|>", "<extra_0>", "<system>", "<user>", "<assistant>", "<end>"];
const heads = new Map([
  [
    "score.0.weight",
    tensor(
      [width, width],
      Array.from({ length: width * width }, (_, at) => Math.sin(at)),
    ),
  ],
  ["score.0.bias", tensor([width], Array(width).fill(0.5))],
  [
    "score.2.weight",
    tensor(
      [2, width],
      Array.from({ length: 2 * width }, (_, at) => Math.cos(at)),
    ),
  ],
]);
const references = [
  "value-head:M",
  "step-token:M",
  "step-token:M?preset=rlhflow",
  "step-token:M?preset=spare&system=S",
  "step-token:M?preset=qwen2.5-math-prm",
  "judge:M",
  "judge:M?scale=digit",
];

const createModel = () => new FakeModel({ pieces, specials });
const open = (reference: string, model: FakeModel) => openReward(reference, contextOf(model, heads));

/** Score of the last step by one full read. */
async function fullRead(reference: string, question: string, texts: readonly string[]): Promise<number> {
  const reward = await open(reference, createModel());
  const scorer = await reward.open(question);
  for (const text of texts.slice(0, -1)) scorer.skip(step(text));
  return (await scorer.append(step(texts.at(-1)!))).value;
}

const stepText = fc.constantFrom(
  "a.\n\n",
  "b\n\n",
  "\n\n",
  "12",
  "x ки\n\n",
  "+ -",
  "<extra_0>",
  "\n\nc",
  "",
);

describe.each(references)("%s", (reference) => {
  test("incremental equals full, whatever was appended, skipped, forked and dropped in between", async () => {
    const model = createModel();
    const reward = await open(reference, model);
    const atRest = model.live;
    const command = fc.record({
      kind: fc.constantFrom("append", "skip", "fork", "drop"),
      at: fc.nat(7),
      text: stepText,
    });
    await fc.assert(
      fc.asyncProperty(
        fc.string({ maxLength: 8 }),
        fc.array(command, { maxLength: 14 }),
        async (question, commands) => {
          const chains: { scorer: Scorer; texts: string[] }[] = [
            { scorer: await reward.open(question), texts: [] },
          ];
          for (const { kind, at, text } of commands) {
            const chain = chains[at % chains.length]!;
            if (kind === "fork") chains.push({ scorer: chain.scorer.fork(), texts: [...chain.texts] });
            else if (kind === "drop") {
              if (chains.length > 1) chains.splice(chains.indexOf(chain), 1)[0]!.scorer.drop();
            } else {
              chain.texts.push(text);
              if (kind === "skip") chain.scorer.skip(step(text));
              else {
                const { value } = await chain.scorer.append(step(text));
                expect(value).toBe(await fullRead(reference, question, chain.texts));
              }
            }
          }
          for (const { scorer } of chains) scorer.drop();
          await new Promise((resolve) => setImmediate(resolve));
          expect(model.live).toBe(atRest);
        },
      ),
      { numRuns: 40 },
    );
    await reward[Symbol.asyncDispose]();
    expect(model.live).toBe(0);
  });

  test("a step's score does not change with later steps, and each step has one", async () => {
    const reward = await open(reference, createModel());
    const scorer = await reward.open("How many?");
    const texts = ["one.\n\n", "", "three\n\n", "<extra_0> ки\n\n"];
    const scores: number[] = [];
    for (const text of texts) scores.push((await scorer.append(step(text))).value);
    for (const [index, score] of scores.entries()) {
      expect(score).toBe(await fullRead(reference, "How many?", texts.slice(0, index + 1)));
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(1);
    }
  });

  test("a new step costs a read of itself and of the frame after it, not of the chain", async () => {
    const model = createModel();
    const reward = await open(reference, model);
    const scorer = await reward.open("How many?");
    const costs: number[] = [];
    for (let index = 0; index < 12; index++) {
      costs.push(
        (await scorer.append(step(`${String(index).padStart(2, "0")} more.\n\n`))).usage.prefillTokens,
      );
    }
    expect(new Set(costs.slice(1)).size).toBe(1);
  });

  test("no append costs more FLOPs than it said it might", async () => {
    const reward = await open(reference, createModel());
    const scorer = await reward.open("How many are there?");
    for (const [index, text] of ["a long step, with many words in it.\n\n", "", "short\n\n"].entries()) {
      if (index === 2) scorer.skip(step("unread\n\n"));
      const bound = scorer.flopsBound!(step(text));
      const { usage } = await scorer.append(step(text));
      expect(usage.flops).toBeGreaterThan(0);
      expect(usage.flops).toBeLessThanOrEqual(bound);
    }
  });

  test("a fork goes on from what its parent read, and leaves it there", async () => {
    const reward = await open(reference, createModel());
    const scorer = await reward.open("q");
    await scorer.append(step("a.\n\n"));
    const alone = (await scorer.append(step("bb\n\n"))).usage.prefillTokens;
    const fork = scorer.fork();
    expect((await fork.append(step("cc\n\n"))).usage.prefillTokens).toBe(alone);
    expect((await scorer.append(step("dd\n\n"))).usage.prefillTokens).toBe(alone);
  });

  test("candidates for the first step share one read of the question", async () => {
    const model = createModel();
    const reward = await open(reference, model);
    const root = await reward.open("A rather long question that should be read only once, whoever asks?");
    const before = model.charged;
    const texts = ["a\n\n", "b\n\n", "c\n\n", "d\n\n"];
    const scores = await Promise.all(texts.map((text) => root.fork().append(step(text))));
    // Every token that was read is charged to some score, once.
    expect(scores.reduce((sum, score) => sum + score.usage.prefillTokens, 0)).toBe(model.charged - before);
    const costs = scores.map((score) => score.usage.prefillTokens).sort((a, b) => a - b);
    expect(costs[2]).toBe(costs[0]);
    expect(costs[3]! - costs[0]!).toBeGreaterThan(50);
  });

  test("appends made at once, and a fork in their midst, score as if made in turn", async () => {
    const reward = await open(reference, createModel());
    const scorer = await reward.open("q");
    const first = scorer.append(step("a.\n\n"));
    const fork = scorer.fork();
    const second = scorer.append(step("b.\n\n"));
    const other = fork.append(step("c.\n\n"));
    expect((await first).value).toBe(await fullRead(reference, "q", ["a.\n\n"]));
    expect((await second).value).toBe(await fullRead(reference, "q", ["a.\n\n", "b.\n\n"]));
    expect((await other).value).toBe(await fullRead(reference, "q", ["a.\n\n", "c.\n\n"]));
  });

  test("two chains at once do not disturb each other", async () => {
    const model = createModel();
    const reward = await open(reference, model);
    const questions = ["one?", "two?", "three?"];
    const scores = await Promise.all(
      questions.map(async (question) => {
        const scorer = await reward.open(question);
        await scorer.append(step("a.\n\n"));
        return (await scorer.append(step("b.\n\n"))).value;
      }),
    );
    for (const [index, question] of questions.entries()) {
      expect(scores[index]).toBe(await fullRead(reference, question, ["a.\n\n", "b.\n\n"]));
    }
  });
});

describe("failures", () => {
  test("a failed append leaves the chain as it was", async () => {
    const model = createModel();
    const reward = await open("judge:M", model);
    const scorer = await reward.open("q");
    await scorer.append(step("a\n\n"));
    model.faults.push(new Error("broken"));
    await expect(scorer.append(step("b\n\n"))).rejects.toThrow("broken");
    const { value } = await scorer.append(step("c\n\n"));
    expect(value).toBe(await fullRead("judge:M", "q", ["a\n\n", "c\n\n"]));
  });

  test("a failed read of the question is tried again by the next chain", async () => {
    const model = createModel();
    const reward = await open("judge:M", model);
    const root = await reward.open("q");
    model.faults.push(new Error("broken"));
    await expect(root.fork().append(step("a"))).rejects.toThrow("broken");
    expect((await root.fork().append(step("a"))).value).toBe(await fullRead("judge:M", "q", ["a"]));
  });

  test("after a crash of the engine, chains and new questions read again what was lost", async () => {
    const model = createModel();
    const reward = await open("judge:M", model);
    const scorer = await reward.open("q");
    await scorer.append(step("a\n\n"));
    model.generation++;
    await expect(scorer.append(step("b\n\n"))).rejects.toMatchObject({ code: "engine-failed" });
    expect((await scorer.append(step("b\n\n"))).value).toBe(
      await fullRead("judge:M", "q", ["a\n\n", "b\n\n"]),
    );
    const other = await reward.open("p");
    expect((await other.append(step("c"))).value).toBe(await fullRead("judge:M", "p", ["c"]));
    scorer.drop();
    other.drop();
    await reward[Symbol.asyncDispose]();
    await new Promise((resolve) => setImmediate(resolve));
  });

  test("an abort reaches the model", async () => {
    const reward = await open("judge:M", createModel());
    const scorer = await reward.open("q");
    await expect(scorer.append(step("a"), { signal: AbortSignal.abort() })).rejects.toThrow();
  });

  test("a dropped scorer refuses work, and dropping twice is safe", async () => {
    const model = createModel();
    const reward = await open("judge:M", model);
    const scorer = await reward.open("q");
    const pending = scorer.append(step("a"));
    scorer.drop();
    scorer.drop();
    await expect(pending).rejects.toMatchObject({ code: "internal" });
    await expect(scorer.append(step("a"))).rejects.toMatchObject({ code: "internal" });
    await reward[Symbol.asyncDispose]();
    await new Promise((resolve) => setImmediate(resolve));
    expect(model.live).toBe(0);
  });
});
