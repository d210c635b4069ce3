import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ErrorCode, StepwrightError } from "../../../core/errors.js";
import { blankLine } from "../../../core/step.js";
import { ScriptedModel } from "../../../models/scripted.js";
import { findTask } from "../../../tasks/index.js";
import { isGenerated, type TaskQuestion } from "../../../tasks/task.js";
import { scriptedAnnotator } from "../../../testing/scripted-annotator.js";
import type { AnswerRecord } from "../answers.js";
import { freeLabels, labelSources } from "./index.js";
import { type LabelRecord, labelAnswers, labelTotals, openLabels } from "./label-file.js";
import { type LabelContext, type LabelSource, labeller } from "./label-source.js";
import outcome from "./outcome.js";

let folder: string;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "labels-"));
});
afterAll(() => rm(folder, { recursive: true }));

const question: TaskQuestion = { id: "q", question: "Go on.", reference: "1", steps: ["a", "b"] };

/** Four steps; each further one is right with this probability, and only right ones lead to the right answer. */
function walker(right: number) {
  return new ScriptedModel({
    law: {
      steps: (_, steps) =>
        steps.length === 3
          ? [
              {
                text: `\\boxed{${steps.some((step) => step.startsWith("bad")) ? 0 : 1}}`,
                probability: 1,
                end: true,
              },
            ]
          : [
              { text: `good ${steps.length}\n\n`, probability: right },
              { text: `bad ${steps.length}\n\n`, probability: 1 - right },
            ],
    },
  });
}

function answerOf(
  model: { vocabulary: string; tokenizer: ScriptedModel["tokenizer"] },
  texts: string[],
  right: boolean,
) {
  const steps = texts.map((text, place): AnswerRecord["steps"][number] => {
    const tokens = [...model.tokenizer.encode(text)];
    const stop = place === texts.length - 1 ? "end" : "delimiter";
    return {
      ...{ text, tokens, vocabulary: model.vocabulary, origin: "draft", stop },
      logprobs: [],
      entropies: [],
    };
  });
  return { ...{ question: "q", sample: 0, steps, finish: "stop", right }, tokens: 9, flops: 0, seconds: 0 };
}

function contextOf(more: Partial<LabelContext>): LabelContext {
  return {
    ...{ system: "be right", splitter: blankLine, maxTokens: 400, seed: 3 },
    grade: async (_, text) => ({ correct: text.includes("boxed{1}") }),
    ...more,
  };
}

async function label(
  name: string,
  answers: AnswerRecord[],
  context: LabelContext,
  { options = {}, questions = [question], concurrency = 2, path = join(folder, `${files++}.jsonl`) } = {},
): Promise<LabelRecord[]> {
  await using file = await openLabels(path);
  const source = await labelSources.get(name);
  await labelAnswers(file, { answers, questions, source, options, context, concurrency });
  return file.values();
}

const good = ["good 0\n\n", "good 1\n\n", "good 2\n\n", "\\boxed{1}"];
const slipped = ["good 0\n\n", "good 1\n\n", "bad 2\n\n", "\\boxed{0}"];

describe("monte-carlo", () => {
  test("a step is as right as the ends from it; the last has the outcome, at no cost", async () => {
    const draft = walker(0.8);
    const [record] = await label("monte-carlo", [answerOf(draft, good, true)], contextOf({ draft }), {
      options: { rollouts: 256, temperature: 1 },
    });
    const [first, second, third, last] = record!.values as [number, number, number, number];
    // Exactly 0.64, 0.8 and 1; four standard deviations of 256 draws are 0.12 and 0.1.
    expect(Math.abs(first - 0.64)).toBeLessThan(0.12);
    expect(Math.abs(second - 0.8)).toBeLessThan(0.1);
    expect([third, last]).toEqual([1, 1]);
    expect(record!.usage.calls).toBe(3 * 256);
    expect(draft.liveBranches).toBe(0);
  });

  test("after a wrong step no end is right, and hard labels ask for any right end", async () => {
    const draft = walker(0.5);
    const answers = [answerOf(draft, slipped, false)];
    const options = { rollouts: 16, temperature: 1 };
    const [soft] = await label("monte-carlo", answers, contextOf({ draft }), { options });
    const [hard] = await label("monte-carlo", answers, contextOf({ draft }), {
      options: { ...options, estimate: "hard" },
    });
    expect(soft!.values.slice(2)).toEqual([0, 0]);
    expect(soft!.values[0]).toBeGreaterThan(0);
    expect(soft!.values[0]).toBeLessThan(1);
    expect(hard!.values).toEqual([1, 1, 0, 0]);
  });

  test("labels depend on no neighbour, and a file that is there is not made again", async () => {
    const draft = walker(0.6);
    const answers = [good, slipped, good].map((texts, sample) => ({
      ...answerOf(draft, texts, texts === good),
      sample,
    }));
    const options = { rollouts: 8, temperature: 1 };
    const path = join(folder, "resumed.jsonl");
    const context = contextOf({ draft });
    const together = await label("monte-carlo", answers, context, { options, concurrency: 3 });
    await label("monte-carlo", answers.slice(1, 2), context, { options, path });
    const resumed = await label("monte-carlo", answers, context, { options, path, concurrency: 1 });
    const values = (records: LabelRecord[]) => new Map(records.map(({ sample, values }) => [sample, values]));
    expect(values(resumed)).toEqual(values(together));
    expect(values(resumed).get(0)).not.toEqual(values(resumed).get(2));
  });

  test("the answer is read once, whatever goes on from it", async () => {
    const draft = walker(1);
    const answers = [answerOf(draft, good, true)];
    const [few, many] = await Promise.all(
      [2, 20].map((rollouts) =>
        label("monte-carlo", answers, contextOf({ draft }), { options: { rollouts, temperature: 1 } }),
      ),
    );
    const read = (records: LabelRecord[] | undefined) => records![0]!.usage.prefillTokens;
    // A fork passes the last token before its place again, nothing more.
    expect(read(many) - read(few)).toBeLessThanOrEqual(18 * 3);
  });
});

describe("omega", () => {
  test("finds the first wrong step, by as many places as a binary search", async () => {
    const draft = walker(0.7);
    const [record] = await label("omega", [answerOf(draft, slipped, false)], contextOf({ draft }), {
      options: { rollouts: 32, temperature: 1 },
    });
    expect(record!.values).toEqual([1, 1, 0, 0]);
    expect(record!.note).toMatchObject({ firstWrong: 2 });
    expect(record!.usage.calls).toBe(2 * 32);
  });

  test("a right answer costs nothing", async () => {
    const draft = walker(0.7);
    const [record] = await label("omega", [answerOf(draft, good, true)], contextOf({ draft }));
    expect(record).toMatchObject({ values: [1, 1, 1, 1], usage: { calls: 0, decodeTokens: 0 } });
  });
});

describe("spare", () => {
  test("with an annotator that knows, labels are the exact checker's, and one generation makes them", async () => {
    const task = await findTask("lab");
    if (!isGenerated(task)) throw new Error("the lab is generated");
    const questions = [1, 2, 3].map((index) => task.generate(index));
    const annotator = scriptedAnnotator({
      isRight: (asked, place) =>
        task.checkStep!(
          { ...question, question: asked.question },
          asked.steps.slice(0, place),
          asked.steps[place]!,
        ),
    });
    const answers = questions.map(({ id, steps }, sample): AnswerRecord => {
      // One slip in the second step of every other answer, gone on from rightly up to the box.
      const texts = steps!.map((text, place) => (sample % 2 === 1 && place === 1 ? `${text}0` : text));
      const right = sample % 2 === 0;
      return {
        ...answerOf(
          annotator,
          texts.map((text) => `${text}\n\n`),
          right,
        ),
        question: id,
      };
    });
    const context = contextOf({ annotator, checkStep: task.checkStep!.bind(task) });
    const spare = await label("spare", answers, context, {
      ...{ questions, concurrency: 1 },
      // A scripted token is a byte.
      options: { stepTokens: 400 },
    });
    const exact = await label("check", answers, context, { questions, concurrency: 1 });
    for (const [index, { values, usage, note }] of spare.entries()) {
      expect(values.slice(0, -1)).toEqual(exact[index]!.values.slice(0, -1));
      expect(values.at(-1)).toBe(Number(answers[index]!.right));
      expect(usage.calls).toBe(1);
      expect(note).toMatchObject({ valid: true, graded: values.length });
    }
    // The rules and the examples are read once.
    expect(spare[1]!.usage.prefillTokens).toBeLessThan(spare[0]!.usage.prefillTokens / 3);
    expect(annotator.liveBranches).toBe(0);
  });

  test("an annotator's probability for its word takes the place of the word", async () => {
    const annotator = scriptedAnnotator({ isRight: (_, place) => place !== 1 });
    const answers = [answerOf(annotator, ["a", "b", "c"], true)];
    const [record] = await label("spare", answers, contextOf({ annotator }), {
      options: { read: "probability" },
    });
    expect(record!.values).toEqual([1, 0, 1]);
  });

  test("an annotator that tells no probabilities is not asked for them", async () => {
    const annotator = new ScriptedModel({ law: { steps: () => [] }, capabilities: ["text"] });
    const answers = [answerOf(annotator, ["a"], true)];
    await expect(
      label("spare", answers, contextOf({ annotator }), { options: { read: "probability" } }),
    ).rejects.toMatchObject({ code: "missing-capability" });
  });

  test("an annotator that writes forever is stopped, and what it did not grade is wrong", async () => {
    const annotator = scriptedAnnotator({ isRight: () => true, says: () => "x".repeat(100_000) });
    const answers = [answerOf(annotator, ["a", "b"], true)];
    const [record] = await label("spare", answers, contextOf({ annotator }), { options: { stepTokens: 16 } });
    expect(record).toMatchObject({
      values: [0, 1],
      usage: { decodeTokens: 32 },
      note: { graded: 0, valid: false },
    });
  });

  test("an answer to a question without a worked solution gets no labels, at no cost", async () => {
    const annotator = scriptedAnnotator({ isRight: () => true });
    const { steps: _, ...unsolved } = question;
    const questions = [question, { ...unsolved, id: "bare" }];
    const answers = [
      answerOf(annotator, ["a"], true),
      { ...answerOf(annotator, ["a", "b"], true), question: "bare" },
    ];
    const records = await label("spare", answers, contextOf({ annotator }), { questions });
    const bare = records.find((record) => record.question === "bare")!;
    expect(bare).toMatchObject({ values: [null, null], usage: { calls: 0, prefillTokens: 0 } });
    expect(labelTotals(records)).toMatchObject({ answers: 2, steps: 3, labelled: 1, calls: 1 });
  });
});

test("outcome: every step inherits the verdict", async () => {
  const draft = walker(1);
  const answers = [answerOf(draft, good, true), { ...answerOf(draft, slipped, false), sample: 1 }];
  const records = await label("outcome", answers, contextOf({}));
  expect(records.map(({ values }) => values)).toEqual([
    [1, 1, 1, 1],
    [0, 0, 0, 0],
  ]);
});

describe("numbers", () => {
  const draft = walker(1);
  const shop: TaskQuestion = {
    ...question,
    question: "Ann has 3 boxes of a dozen eggs and sells 10 % of them, twice.",
    reference: "28.8",
    steps: ["3 x 12 = 36", "36 - 2 x 3.6 = 28.8"],
  };
  const values = async (texts: string[], right: boolean, asked = shop) =>
    (await label("numbers", [answerOf(draft, texts, right)], contextOf({}), { questions: [asked] }))[0]!
      .values;

  test("the first step that states an unknown number is the wrong one; what follows has no label", async () => {
    const texts = ["1. Count the eggs.", "3 x 12 = 36", "36 - 12 = 24", "24 x 2 = 48", "\\boxed{48}"];
    expect(await values(texts, false)).toEqual([1, 1, 0, null, null]);
  });

  test("where all numbers are known, the end is wrong", async () => {
    expect(await values(["3 x 12 = 36", "\\boxed{36}"], false)).toEqual([1, 0]);
  });

  test("a right answer may go another way", async () => {
    expect(await values(["36 x 0.2 = 7.2", "\\boxed{28.8}"], true)).toEqual([1, 1]);
  });

  test("an answer that is no number says nothing of an answer's numbers", async () => {
    const records = await label(
      "numbers",
      [
        answerOf(draft, ["36", "\\boxed{36}"], false),
        { ...answerOf(draft, ["a", "b"], false), question: "name" },
      ],
      contextOf({}),
      { questions: [shop, { id: "name", question: "Who?", reference: "Ann" }] },
    );
    expect(records.find(({ question }) => question === "name")!.values).toEqual([null, null]);
    await expect(
      label("numbers", [], contextOf({}), { questions: [{ id: "q", question: "?", reference: "x + 1" }] }),
    ).rejects.toMatchObject({ code: "task-invalid" });
  });

  test("without a worked solution the question and the answer are all that is known", async () => {
    const { steps: _, ...bare } = shop;
    expect(await values(["3 x 12 = 36", "\\boxed{36}"], false, bare)).toEqual([0, null]);
  });
});

test("the free labels of a task are the most exact that all its questions allow", async () => {
  const number = { reference: "-$1,200.50" };
  const word = { reference: "Ann" };
  expect((await freeLabels([number, { reference: "12\\%" }], false)).name).toBe("numbers");
  expect((await freeLabels([number, word], false)).name).toBe("outcome");
  expect((await freeLabels([word], true)).name).toBe("check");
});

test("what a source needs and nobody gives is refused before any work", async () => {
  const answers = [answerOf(walker(1), good, true)];
  await expect(label("monte-carlo", answers, contextOf({}))).rejects.toMatchObject({ code: "missing-role" });
  await expect(label("spare", answers, contextOf({}))).rejects.toMatchObject({ code: "missing-role" });
  await expect(label("check", answers, contextOf({}))).rejects.toMatchObject({ code: "task-invalid" });
  const bare = [{ id: "q", question: "?", reference: "1" }];
  const annotator = scriptedAnnotator({ isRight: () => true });
  await expect(label("spare", answers, contextOf({ annotator }), { questions: bare })).rejects.toMatchObject({
    code: "task-invalid",
  });
});

test("an answer too long for a model gets no labels; any other failure ends the work", async () => {
  const draft = walker(1);
  const answers = [0, 1, 2].map((sample) => ({ ...answerOf(draft, good, true), sample }));
  const failing = (code: ErrorCode): LabelSource => ({
    ...outcome,
    open: async (_, context) => {
      const { label } = await outcome.open({}, context);
      return labeller((answer, asked) => {
        if (answer.sample === 1) throw new StepwrightError(code, "it fails");
        return label(answer, asked);
      });
    },
  });
  const work = { answers, questions: [question], context: contextOf({}), concurrency: 1 };
  await using file = await openLabels(join(folder, "long.jsonl"));
  await labelAnswers(file, { ...work, source: failing("context-exceeded") });
  expect(file.values().map(({ values }) => values[0])).toEqual([1, null, 1]);
  await using other = await openLabels(join(folder, "failed.jsonl"));
  await expect(labelAnswers(other, { ...work, source: failing("engine-failed") })).rejects.toThrow(
    "it fails",
  );
  expect(other.size).toBe(1);
});

test("an abort ends the work and keeps what is finished", async () => {
  const draft = walker(0.5);
  const answers = [0, 1, 2, 3].map((sample) => ({ ...answerOf(draft, good, true), sample }));
  const path = join(folder, "aborted.jsonl");
  const abort = new AbortController();
  await using file = await openLabels(path);
  const source = await labelSources.get("monte-carlo");
  const work = {
    answers,
    questions: [question],
    source,
    context: contextOf({ draft, signal: abort.signal }),
  };
  await expect(
    labelAnswers(file, { ...work, concurrency: 1, onLabels: (done) => done === 2 && abort.abort() }),
  ).rejects.toThrow();
  expect(file.size).toBe(2);
  expect(draft.liveBranches).toBe(0);
});
