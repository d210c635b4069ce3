/** Questions with a known truth, scripted models that find it more or less often, and a bench over them. */
import { join } from "node:path";
import { type BaselineSettings, baselinesFor } from "../bench/baselines.js";
import type { CellSettings, Grade } from "../bench/cell.js";
import { parseMethodList } from "../bench/method-list.js";
import { openResults } from "../bench/result-file.js";
import { type BenchPlan, runBench } from "../bench/run-bench.js";
import { StepwrightError } from "../core/errors.js";
import { methods } from "../methods/index.js";
import { ScriptedModel } from "../models/scripted.js";
import type { Script } from "../models/scripted-faults.js";
import type { StepChoice } from "../models/scripted-law.js";
import { ScriptedReward } from "../models/scripted-reward.js";
import type { TaskQuestion } from "../tasks/task.js";

export function benchQuestions(count: number): TaskQuestion[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `q${index}`,
    question: `What is ${index} plus 1?`,
    reference: String(index + 1),
  }));
}

/** Two steps of work, each sound or not; the answer is right if both are. */
function model(name: string, skill: number, multiplied: number, script: Script): ScriptedModel {
  const work = ["sound work\n\n", "poor work\n\n"];
  return new ScriptedModel({
    ...script,
    name,
    pieces: work,
    size: { multiplied },
    law: {
      steps: (question, steps): StepChoice[] => {
        if (steps.length < 2) {
          return work.map((text, index) => ({
            text: text.replace("work", `work ${steps.length}`),
            probability: index === 0 ? skill : 1 - skill,
          }));
        }
        const right = Number(/\d+/.exec(question)?.[0]) + 1;
        const answer = steps.every((step) => step.startsWith("sound")) ? right : right + 1;
        return [{ text: `So \\boxed{${answer}}.`, probability: 1, end: true }];
      },
    },
  });
}

export function benchRoles(script: Script = {}) {
  return {
    draft: model("bench-draft", 0.6, 1000, script),
    target: model("bench-target", 0.9, 10_000, script),
    reward: new ScriptedReward({ score: (_, steps) => (steps.at(-1)!.startsWith("poor") ? 0.2 : 0.9) }),
  };
}

/** Compares what stands in the box; `strict` finds fault with multiples of seven, so that the verdicts differ. */
export const boxGrade: Grade = async ({ prediction, reference }) => {
  const extracted = /boxed\{(.*?)\}/.exec(prediction)?.[1] ?? "";
  const correct = extracted === reference;
  return { extracted, correct, strict: correct && Number(reference) % 7 !== 0 };
};

export interface BenchWorldOptions {
  readonly questions?: number;
  readonly methods?: string;
  readonly seeds?: readonly number[];
  readonly concurrency?: number;
  readonly script?: Script;
  readonly signal?: AbortSignal;
  readonly temperature?: number;
  readonly forgetFailed?: boolean;
  readonly baselines?: BaselineSettings;
}

export async function benchPlan(options: BenchWorldOptions = {}): Promise<BenchPlan> {
  const entries = await parseMethodList(options.methods ?? "draft,target,rsd", methods);
  return {
    questions: benchQuestions(options.questions ?? 8),
    entries,
    seeds: options.seeds ?? [0],
    concurrency: options.concurrency ?? 1,
    baselines: options.baselines
      ? await baselinesFor(entries, options.baselines, methods, options.temperature ?? 1)
      : [],
  };
}

export function benchSettings({ script, signal, temperature = 1 }: BenchWorldOptions = {}): CellSettings {
  return {
    roles: benchRoles(script),
    request: { sampling: { temperature } },
    grading: "math",
    grade: boxGrade,
    checkStep: (_, __, step) => !step.startsWith("poor"),
    signal,
  };
}

/** Runs what is missing of the bench in this folder. */
export async function runBenchWorld(folder: string, options: BenchWorldOptions = {}) {
  const plan = await benchPlan(options);
  await using file = await openResults(join(folder, "results.jsonl"), {
    forgetFailed: options.forgetFailed ?? false,
  });
  const isComplete = await runBench(plan, benchSettings(options), file);
  return { plan, isComplete, results: file.values(), notices: file.notices };
}

/** The error of a promise that must reject with one of ours. */
export async function errorOf(promise: Promise<unknown>): Promise<StepwrightError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (StepwrightError.is(error)) return error;
  throw new Error(`expected a StepwrightError, got ${String(error)}`);
}
