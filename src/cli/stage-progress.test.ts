import { expect, test } from "vitest";
import type { Output } from "./host.js";
import { createStageProgress } from "./stage-progress.js";

function shownOn(isTerminal: boolean) {
  let text = "";
  const write = (part: string) => {
    text += part;
  };
  const output: Output = { write, isTerminal, columns: 60, rows: 20 };
  return { progress: createStageProgress(output), text: () => text };
}

test("a line for a stage's beginning and its end, and sentences between", () => {
  const { progress, text } = shownOn(false);
  for (let done = 1; done <= 4; done++) progress.show({ stage: "answers", unit: "answers", done, of: 4 });
  progress.say("Labels cost something.");
  progress.show({ stage: "head 1 of 1", done: 0.5, of: 1 });
  progress.show({ stage: "head 1 of 1", done: 1, of: 1 });
  progress[Symbol.dispose]();
  expect(text().split("\n")).toEqual([
    "answers 25%, 1 of 4 answers",
    "answers 100%, 4 of 4 answers",
    "Labels cost something.",
    "head 1 of 1 50%",
    "head 1 of 1 100%",
    "",
  ]);
});

test("on a terminal each stage keeps its last line", () => {
  const { progress, text } = shownOn(true);
  progress.show({ stage: "one", unit: "answers", done: 1, of: 2 });
  progress.show({ stage: "one", unit: "answers", done: 2, of: 2 });
  progress.show({ stage: "two", unit: "answers", done: 2, of: 2 });
  progress[Symbol.dispose]();
  expect(
    text()
      .split("\n")
      .map((line) => line.split("\r\x1b[K").at(-1)),
  ).toEqual(["one 100%, 2 of 2 answers", "two 100%, 2 of 2 answers", ""]);
});
