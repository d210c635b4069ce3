import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { StepwrightError } from "../../core/errors.js";
import { closeGrader, grade } from "../../grade/index.js";
import { findTask, tasks } from "../index.js";
import { type GeneratedTask, isGenerated } from "../task.js";
import { solveEdit } from "./edit.js";
import { levels, makeStory } from "./levels.js";
import { solveRecall } from "./recall.js";
import { checkSearchStep, countSolutions, readPuzzle } from "./search.js";
import { readStory, resultOf, solveStory, tellStory } from "./story.js";

const labTasks = ["lab", "lab-recall", "lab-edit", "lab-search"];
const indices = fc.integer({ min: 0, max: 999_999 });
const anyLevel = fc.integer({ min: 1, max: 5 });

async function generated(name: string): Promise<GeneratedTask> {
  const task = await findTask(name);
  if (!isGenerated(task)) throw new Error(`${name} is not generated`);
  return task;
}

afterAll(closeGrader);

describe.each(labTasks)("%s", (name) => {
  test("makes the same question from the same index, others from others", async () => {
    const task = await generated(name);
    const ids = new Set<string>();
    const texts = new Set<string>();
    for (let index = 700_000; index < 700_300; index++) {
      const question = task.generate(index);
      expect(task.generate(index)).toEqual(question);
      ids.add(question.id);
      texts.add(question.question);
    }
    expect(ids.size).toBe(300);
    expect(texts.size).toBeGreaterThan(290);
  });

  test("accepts its own worked steps, at every level", async () => {
    await fc.assert(
      fc.asyncProperty(indices, anyLevel, async (index, level) => {
        const task = await generated(`${name}:${level}`);
        const question = task.generate(index);
        question.steps!.forEach((step, place) => {
          expect(task.checkStep!(question, question.steps!.slice(0, place), `${step}\n\n`)).toBe(true);
        });
      }),
      { numRuns: 200 },
    );
  });

  test("refuses any step with a character changed or doubled, and any step out of turn", async () => {
    await fc.assert(
      fc.asyncProperty(indices, fc.nat(), fc.nat(), async (index, place, at) => {
        const task = await generated(name);
        const question = task.generate(index);
        const steps = question.steps!;
        const number = place % (steps.length - 1);
        const step = steps[number]!;
        const before = steps.slice(0, number);
        const character = at % step.length;
        const [head, tail] = [step.slice(0, character), step.slice(character + 1)];
        const check = (text: string) => task.checkStep!(question, before, text);
        expect(check(`${step.slice(0, -1)}${(Number(step.at(-1)) + 1) % 10 || "x"}`)).toBe(false);
        expect(check(`${head}#${tail}`)).toBe(false);
        expect(check(`${step}${step.at(-1)}`)).toBe(false);
        expect(check("")).toBe(false);
        expect(check(steps.at(-1)!)).toBe(false);
        expect(task.checkStep!(question, steps, steps.at(-1)!)).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  test("grades its worked answer right and another wrong", async () => {
    const task = await generated(name);
    for (let index = 0; index < 20; index++) {
      const { reference, steps } = task.generate(index);
      const prediction = steps!.join("\n\n");
      expect(await grade({ prediction, reference, task: task.grading })).toMatchObject({
        correct: true,
        strict: true,
        extracted: reference,
      });
      const wrong = prediction.replace(/\{(\d+)\}$/, (_, number) => `{${Number(number) + 1}}`);
      expect(await grade({ prediction: wrong, reference, task: task.grading })).toMatchObject({
        correct: false,
      });
    }
  });

  test("judges nothing on a question that is not its own", async () => {
    const task = await generated(name);
    const foreign = { id: "1", question: "What is 2 + 2?", reference: "4" };
    expect(task.checkStep!(foreign, [], "2+2=4")).toBe(false);
  });

  test("mixes its levels, and names each", async () => {
    const task = await generated(name);
    expect(task.levels!.map((level) => level.name)).toEqual(
      [1, 2, 3, 4, 5].map((level) => `${name}:${level}`),
    );
    expect(task.trainingSize).toBe(500_000);
    await expect(findTask(`${name}:6`)).rejects.toThrow(StepwrightError);
    await expect(findTask(`${name}:0`)).rejects.toThrow("has no level 0");
  });
});

describe("lab", () => {
  test("stays within its numbers, and its text tells its story", () => {
    fc.assert(
      fc.property(indices, anyLevel, (index, level) => {
        const story = storyAt(index, level);
        expect(readStory(tellStory(story))).toEqual(story);
        let value = story.start;
        for (const operation of story.operations) {
          const next = resultOf(value, operation);
          expect(next).toBeGreaterThanOrEqual(0);
          expect(next).toBeLessThan(100);
          // An unchanged value could make a step equal to the one before, which ends a run as stalled.
          expect(next).not.toBe(value);
          value = next;
        }
      }),
    );
  });

  test("takes a right step after a wrong one for right", async () => {
    const task = await generated("lab");
    const question = {
      id: "1",
      question: "Mia has 37 coins. Finds 25. Times 2. How many?",
      reference: "124",
    };
    expect(task.checkStep!(question, ["37+25=63"], "63*2=126")).toBe(true);
    expect(task.checkStep!(question, ["37+25=63"], "62*2=124")).toBe(false);
    expect(task.checkStep!(question, ["37+25=62", "62*2=124"], "\\boxed{124}")).toBe(true);
    expect(task.checkStep!(question, ["who knows"], "62*2=124")).toBe(false);
  });

  test("holds easy and hard steps within one story", () => {
    const stories = Array.from({ length: 300 }, (_, index) => storyAt(index, levels.length));
    const mixed = stories.filter(({ operations }) => new Set(operations.map(({ sign }) => sign)).size > 1);
    expect(mixed.length).toBeGreaterThan(150);
  });
});

describe("lab-recall and lab-edit", () => {
  test("answer from the text alone", () => {
    expect(solveRecall("Mia has 12 coins. Mia has 34 pears. Recall Mia pears, Mia coins.")).toEqual([
      "Mia pears=34",
      "Mia coins=12",
      "\\boxed{12}",
    ]);
    expect(solveEdit("Copy with red for old: the old cat; old and old.")).toEqual([
      "the red cat",
      "red and red",
      "\\boxed{3}",
    ]);
  });
});

describe("lab-search", () => {
  const text = "Pick 2 of 3, 4, 6, 9 with sum 10. Which is least?";

  test("knows how many solutions there are", () => {
    expect(countSolutions(text)).toBe(2);
    expect(countSolutions("Pick 2 of 3, 4, 6, 7 with sum 10. Which is least?")).toBe(4);
    expect(countSolutions("nothing")).toBe(0);
  });

  test("refuses the pick that dooms the answer, takes any order of those that do not", () => {
    expect(checkSearchStep(text, [], "10-6=4")).toBe(true);
    expect(checkSearchStep(text, [], "10-4=6")).toBe(true);
    expect(checkSearchStep(text, [], "10-9=1")).toBe(false);
    expect(checkSearchStep(text, ["10-4=6"], "6-4=2")).toBe(false);
    expect(checkSearchStep(text, ["10-4=6", "6-6=0"], "\\boxed{4}")).toBe(true);
    expect(checkSearchStep(text, ["10-4=6", "6-6=0"], "\\boxed{6}")).toBe(false);
  });

  test("has exactly one choice of numbers, counted by trying all steps", async () => {
    const task = await generated("lab-search");
    for (let index = 0; index < 60; index++) {
      const { question } = task.generate(index);
      const { picks, numbers, sum } = readPuzzle(question)!;
      const complete = (before: string[], left: number): number =>
        before.length === picks
          ? 1
          : numbers.reduce((total, number) => {
              const step = `${left}-${number}=${left - number}`;
              const right = checkSearchStep(question, before, step);
              return total + (right ? complete([...before, step], left - number) : 0);
            }, 0);
      expect(complete([], sum)).toBe(countSolutions(question));
    }
  });
});

test("every lab task is registered", () => {
  expect(tasks.names).toEqual(expect.arrayContaining(labTasks));
});

function storyAt(index: number, level: number) {
  const story = readStory(tellStory(makeStory(index, levels[level - 1])))!;
  expect(solveStory(story).length).toBe(story.operations.length + 1);
  return story;
}
