import { expect, test } from "vitest";
import { type RunRequest, startRun } from "../core/run.js";
import type { TraceEvent } from "../core/trace-event.js";
import { ScriptedModel, ScriptedReward } from "../testing/index.js";
import adaptive from "./adaptive.js";
import draftAlone from "./draft.js";

/** Answers of three steps; how good one is stands in each of its steps. */
const grades = ["1", "3", "5", "7", "9"];
const draft = () =>
  new ScriptedModel({
    law: {
      steps: (_, steps) => {
        const chances = [0.1, 0.2, 0.4, 0.2, 0.1];
        const end = steps.length === 2;
        const step = (grade: string, probability: number) => ({
          text: `${grade} of ten, step ${steps.length}`,
          probability,
          end,
        });
        return steps.length === 0
          ? grades.map((grade, index) => step(grade, chances[index]!))
          : [step(steps[0]![0]!, 1)];
      },
    },
  });

const gradeOf = (text: string) => Number(text[0]) / 10;
const reward = () => new ScriptedReward({ score: (_, steps) => gradeOf(steps[0]!) });

async function decode(options: unknown, more: Partial<RunRequest> = {}) {
  const roles = { draft: draft(), reward: reward() };
  const run = startRun({
    method: adaptive,
    options,
    question: "?",
    roles,
    sampling: { temperature: 1 },
    ...more,
  });
  const events: TraceEvent[] = [];
  for await (const event of run) if (event.type !== "text-written") events.push(event);
  const answers = events.flatMap((event) =>
    event.type === "step-written" && event.finish === "stop" ? [event] : [],
  );
  return { result: await run.result, events, answers };
}

const plain = { anneal: false, checkpoints: "1000" };

test("card: a threshold of 0 takes one answer, the greedy one where temperatures anneal", async () => {
  for (let seed = 0; seed < 10; seed++) {
    const { result, answers } = await decode({ gamma: 0 }, { seed });
    expect(answers).toHaveLength(1);
    const greedy = await startRun({ method: draftAlone, question: "?", roles: { draft: draft() } }).result;
    expect(result.text).toBe(greedy.text);
  }
});

test("card: a threshold above 1 takes all samples and returns the one of greatest score", async () => {
  for (let seed = 0; seed < 10; seed++) {
    const { result, answers } = await decode({ ...plain, gamma: 1.5, samples: 6 }, { seed });
    expect(answers).toHaveLength(6);
    const best = Math.max(...answers.map(({ text }) => gradeOf(text)));
    expect(gradeOf(result.text)).toBe(best);
  }
});

test("card: more samples for a higher threshold, and better answers", async () => {
  const means: number[] = [];
  const quality: number[] = [];
  for (const gamma of [0, 0.4, 0.6, 0.8, 2]) {
    let [count, sum] = [0, 0];
    for (let seed = 0; seed < 100; seed++) {
      const { result, answers } = await decode({ ...plain, gamma, samples: 8 }, { seed });
      count += answers.length;
      sum += gradeOf(result.text);
    }
    means.push(count / 100);
    quality.push(sum / 100);
  }
  expect(means).toEqual([...means].sort((a, b) => a - b));
  expect(quality).toEqual([...quality].sort((a, b) => a - b));
  expect([means[0], means[4]]).toEqual([1, 8]);
  // Half of the answers reach 0.6: 1 / 0.3 draws are expected for 0.7 and better, cut at 8.
  expect(means[2]).toBeGreaterThan(2.5);
  expect(means[2]).toBeLessThan(3.9);
});

test("card: keeping all changes no text, and scoring half-way changes none either", async () => {
  for (let seed = 0; seed < 10; seed++) {
    const wide = { ...plain, gamma: 2, samples: 4, width: 4, checkpoints: "5-40" };
    const texts = async (options: unknown) => {
      const { events, answers } = await decode(options, { seed });
      const scored = events.filter((event) => event.type === "step-scored").length;
      return { texts: answers.map(({ node, text }) => `${node} ${text}`), scored };
    };
    const unpruned = await texts({ ...wide, keep: 1 });
    expect(unpruned.texts).toHaveLength(4);
    const pruned = await texts({ ...wide, keep: 0.6 });
    expect(pruned.scored).toBeGreaterThan(unpruned.scored);
    for (const text of pruned.texts) expect(unpruned.texts).toContain(text);
  }
});

test("card: what is given up costs no more tokens, and the best of all is among the kept", async () => {
  for (let seed = 0; seed < 10; seed++) {
    const wide = { ...plain, gamma: 2, samples: 8, width: 8 };
    const all = await decode({ ...wide, keep: 1, checkpoints: "5" }, { seed });
    const pruned = await decode({ ...wide, keep: 0.25, checkpoints: "5" }, { seed });
    expect(gradeOf(pruned.result.text)).toBe(gradeOf(all.result.text));
    const stepsOf = ({ events }: typeof all) =>
      events.filter((event) => event.type === "step-written").length;
    // Eight first steps, then two of them to their ends.
    expect([stepsOf(all), stepsOf(pruned)]).toEqual([24, 12]);
    const given = new Set<string>();
    for (const event of pruned.events) {
      if (event.type === "step-pruned") given.add(event.node);
      if (event.type === "step-written") expect(given.has(event.parent)).toBe(false);
    }
    expect(given.size).toBeGreaterThan(6);
  }
});

test("answers stop being begun when the budget is spent, and the best one so far is returned", async () => {
  const full = await decode({ ...plain, gamma: 2 });
  const { result, answers } = await decode(
    { ...plain, gamma: 2 },
    { budget: { "draft-tokens": Math.floor(full.result.ledger.draft!.decodeTokens / 3) } },
  );
  expect(result.finish).toBe("stop");
  expect(gradeOf(result.text)).toBe(Math.max(...answers.map(({ text }) => gradeOf(text))));
});
