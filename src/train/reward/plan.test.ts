import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TrainingPlan } from "./plan.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "stepwright-plan-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const newPath = async () => join(await mkdtemp(join(root, "one-")), "plan.json");
const questions = [
  { id: "a", question: "1 + 1?", reference: "2" },
  { id: "b", question: "1 + 2?", reference: "3" },
];

test("the same stage goes on, another is refused with what differs", async () => {
  const path = await newPath();
  const plan = await TrainingPlan.open(path);
  await plan.settle("answers", { draft: "x", temperature: 0.7, limit: undefined });
  const again = await TrainingPlan.open(path);
  await again.settle("answers", { temperature: 0.7, draft: "x" });
  await again.settle("labels-outcome", {});
  await expect(again.settle("answers", { draft: "x", temperature: 1 })).rejects.toMatchObject({
    code: "invalid-option",
    message: expect.stringContaining("temperature 0.7, here it is 1"),
    remedy: expect.stringContaining("--work"),
  });
});

test("questions may be added, and may not change under their ids", async () => {
  const path = await newPath();
  await (await TrainingPlan.open(path)).settleQuestions(questions.slice(0, 1));
  await (await TrainingPlan.open(path)).settleQuestions(questions);
  await (await TrainingPlan.open(path)).settleQuestions(questions.slice(1));
  const changed = [{ ...questions[0]!, reference: "3" }];
  await expect((await TrainingPlan.open(path)).settleQuestions(changed)).rejects.toMatchObject({
    code: "invalid-option",
    message: expect.stringContaining("question a"),
  });
});

test("a question may have any id", async () => {
  const path = await newPath();
  const odd = ["__proto__", "constructor", ""].map((id) => ({ ...questions[0]!, id }));
  await (await TrainingPlan.open(path)).settleQuestions(odd);
  await (await TrainingPlan.open(path)).settleQuestions(odd);
  expect(await readFile(path, "utf8")).toContain("constructor");
});

test("a damaged file is refused", async () => {
  const path = await newPath();
  for (const text of ["", "{", "[]", '{"version":2,"questions":[],"stages":{}}']) {
    await writeFile(path, text);
    await expect(TrainingPlan.open(path)).rejects.toMatchObject({ code: "checkpoint-invalid" });
  }
});
