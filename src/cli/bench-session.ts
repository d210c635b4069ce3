/** One bench on the command line, from what was asked to the exit code. */
import { join, resolve } from "node:path";
import { baselinesFor } from "../bench/baselines.js";
import { readBenchFolder } from "../bench/bench-folder.js";
import { type CellSettings, rolesFor } from "../bench/cell.js";
import {
  type BenchConfiguration,
  benchVersion,
  checkSameBench,
  checkSameModels,
  identityOf,
  questionsChecksum,
  writeBenchFile,
} from "../bench/configuration.js";
import { type BenchEntry, parseMethodList } from "../bench/method-list.js";
import { keepPrediction, type Pilot, predict } from "../bench/prediction.js";
import { writeReport } from "../bench/report/write-report.js";
import { openResults, type ResultFile } from "../bench/result-file.js";
import { type BenchPlan, cellsOf, missingCells, runBench } from "../bench/run-bench.js";
import { summarise } from "../bench/summary.js";
import { StepwrightError } from "../core/errors.js";
import { takeLock } from "../core/process-lock.js";
import type { RunRoles } from "../core/run.js";
import { checkRequest } from "../core/run-request.js";
import type { Role } from "../core/search.js";
import { answerRules } from "../grade/answer-rules.js";
import { Grader, type Pair } from "../grade/index.js";
import { methods } from "../methods/index.js";
import { hubSettings } from "../models/hub-settings.js";
import { benchFacts, physicalFacts } from "./bench-facts.js";
import { benchLines } from "./bench-lines.js";
import { createBenchProgress } from "./bench-progress.js";
import type { BenchSettings } from "./bench-settings.js";
import { type BenchTask, benchTask } from "./bench-task.js";
import type { CommandContext } from "./command.js";
import { makeFolder } from "./make-folder.js";
import { ModelStore } from "./model-store.js";
import { count } from "./numbers.js";
import { lastingReward, type References } from "./references.js";
import { rolesOf } from "./run-session.js";
import { referencesOf, refuseOtherQuestions, requestOf } from "./solve-request.js";
import { calibrationFolder, stateFolder } from "./state-folder.js";
import { warnOtherSteps } from "./warn-other-steps.js";

type Rewards = NonNullable<CellSettings["rewards"]>;

/** All that a bench is, before a model is opened. */
interface PreparedBench {
  readonly task: BenchTask;
  readonly plan: BenchPlan;
  readonly request: CellSettings["request"];
  readonly roles: readonly Role[];
  readonly references: References;
  readonly configuration: BenchConfiguration;
  readonly folder: string;
  /** The costs are foretold from it. */
  readonly pilot: Pilot | undefined;
}

export async function runBenchSession(context: CommandContext, settings: BenchSettings): Promise<number> {
  const bench = await prepare(context, settings);
  const { folder, plan, task } = bench;
  await makeFolder(folder, "--out");
  await using lock = await takeLock(join(folder, "lock"), {
    what: "this bench",
    remedy: "choose another folder that can be written: --out DIR",
  });
  if (lock.notice) context.say(lock.notice);
  const isKnown = await checkSameBench(join(folder, "bench.json"), bench.configuration);
  await using file = await openResults(join(folder, "results.jsonl"), {
    forgetFailed: settings.retryFailed,
  });
  for (const notice of file.notices) context.say(notice);
  if (!isKnown && file.values().length > 0) throw resultsWithoutBench(folder);
  const isComplete = await finishBench(context, bench, file, isKnown);
  const facts = await physicalFacts(context, folder, settings.threads);
  const summary = summarise(task.name, plan, file.values(), facts);
  await writeReport(folder, summary, plan, file.values());
  if (settings.json)
    context.printJson({ ...summary, identity: identityOf(bench.configuration), out: folder });
  else for (const line of benchLines(summary, context.style)) context.print(line);
  if (isComplete) context.say(context.talkStyle.dim(`results: ${folder}`));
  else context.say(`What is finished is kept in ${folder}. The same command goes on with it.`);
  // One failed run is a result; where nothing went well, something is wrong with more than a question.
  return summary.failed > 0 && file.values().every(({ finish }) => finish === "failed") ? 1 : 0;
}

/** Everything that can be refused without a model is refused here. */
async function prepare(context: CommandContext, settings: BenchSettings): Promise<PreparedBench> {
  const { host } = context;
  const listed = await parseMethodList(settings.method, methods);
  const { seed, ...request } = requestOf(settings);
  for (const { method, options } of listed) {
    checkRequest({ ...request, options, question: "any", method: { ...method, needs: {} }, roles: {} });
  }
  const hub = hubSettings(host.environment);
  const task = await benchTask(settings, context, hub);
  const entries = await Promise.all(
    listed.map(async ({ reward, ...entry }) =>
      reward === undefined
        ? entry
        : { ...entry, reward: await lastingReward(reward, host.workingFolder, hub) },
    ),
  );
  // A grader that cannot work here is found out before any model is.
  await task.gradeAnswer?.({ prediction: "", reference: task.questions[0]!.reference });
  const roles = [...new Set(entries.flatMap(sharedRoles))];
  const rewards = ownRewards(entries);
  const references = await referencesOf(settings, context, roles, hub, rewards);
  await new ModelStore(references, { hub }).check(roles, rewards);
  for (const { question } of task.questions) refuseOtherQuestions(references, question);
  const { equalCompute: samples, sampleTemperature: temperature } = settings;
  const wanted = samples > 0 ? { samples, temperature } : undefined;
  const seeds = Array.from({ length: settings.seeds }, (_, index) => seed + index);
  if (settings.seeds > 1 && settings.temperature === 0) {
    context.say("At temperature 0 all seeds give the same answer: --seeds above 1 only costs.");
  }
  const configuration: BenchConfiguration = {
    version: benchVersion,
    task: {
      name: task.name,
      offset: settings.offset,
      limit: settings.limit ?? null,
      grading: task.grading,
      questions: questionsChecksum(task.questions),
    },
    seeds,
    ...(wanted && { baselines: wanted }),
    methods: entries.map(({ method, ...entry }) => ({ ...entry, method: method.name })),
    // What is not set is left out, as it is when the file is read again.
    request: JSON.parse(JSON.stringify({ ...request, concurrency: settings.concurrency })),
    references: { ...references },
  };
  const pilot =
    settings.pilot === undefined
      ? undefined
      : await readBenchFolder(resolve(host.workingFolder, settings.pilot));
  const folder = settings.out
    ? resolve(host.workingFolder, settings.out)
    : join(stateFolder(host), "bench", identityOf(configuration).slice(0, 16));
  const plan = {
    questions: task.questions,
    entries,
    seeds,
    baselines: wanted ? await baselinesFor(entries, wanted, methods, settings.temperature) : [],
    concurrency: settings.concurrency,
  };
  return { task, plan, request, roles, references, configuration, folder, pilot };
}

/** True when nothing is missing any more. Models are opened only for what is missing. */
async function finishBench(
  context: CommandContext,
  bench: PreparedBench,
  file: ResultFile,
  isKnown: boolean,
): Promise<boolean> {
  const { plan, request, task, folder, configuration } = bench;
  const { signal } = context;
  const missing = missingCells(plan, file).reduce((sum, cells) => sum + cells.length, 0);
  if (missing === 0) return true;
  if (isKnown) context.say(`Going on with ${folder}: ${count(missing)} runs are left.`);
  const hub = hubSettings(context.host.environment);
  const calibration = calibrationFolder(context.host);
  await using store = new ModelStore(bench.references, { hub, signal, calibration });
  await using grader = new Grader();
  const roles = await openRoles(store, bench.roles);
  const rewards = new Map(
    await Promise.all(
      ownRewards(plan.entries).map(async (reference) => [reference, await store.reward(reference)] as const),
    ),
  );
  refuseUnfit(bench, roles, rewards);
  for (const reward of [...rewards.values(), ...(roles.reward ? [roles.reward] : [])]) {
    warnOtherSteps(context, reward, request.splitter);
  }
  const facts = benchFacts(roles, rewards);
  if (isKnown) await checkSameModels(join(folder, "bench.json"), facts.models);
  else {
    await writeBenchFile(join(folder, "bench.json"), configuration, facts);
  }
  if (bench.pilot && !isKnown) {
    const known = await physicalFacts(context, folder, bench.references.threads);
    await keepPrediction(join(folder, "prediction.json"), await predict(plan.entries, bench.pilot, known));
  }
  const runsPerQuestion = cellsOf({ ...plan, questions: plan.questions.slice(0, 1) })[0]!.length;
  using progress = createBenchProgress(context.host.talk, {
    runs: plan.questions.length * runsPerQuestion,
    earlier: file.values(),
    runsPerQuestion,
  });
  const settings = {
    roles,
    rewards,
    request: { ...request, answers: answerRules(grader, task.grading) },
    grading: task.grading,
    checkStep: task.checkStep,
    grade: (pair: Pair) => task.gradeAnswer?.(pair) ?? grader.grade(pair),
    signal,
  };
  // Awaited here: the models must stay open until it is through.
  return await runBench(plan, settings, file, (result) => progress.take(result));
}

/** What shows only once models are open: better refused at once than as hundreds of failed runs. */
function refuseUnfit({ plan, request, task }: PreparedBench, roles: RunRoles, rewards: Rewards): void {
  const checkStep = task.checkStep && (() => true);
  for (const entry of plan.entries) {
    const { method, options } = entry;
    const own = rolesFor(entry, { roles, rewards });
    checkRequest({ ...request, question: "any", checkStep, method, options, roles: own });
  }
}

/** The roles that an entry takes from the bench. */
function sharedRoles({ method, reward }: BenchEntry): Role[] {
  return rolesOf(method).filter((role) => role !== "reward" || reward === undefined);
}

function ownRewards(entries: readonly BenchEntry[]): string[] {
  return [...new Set(entries.flatMap(({ reward }) => reward ?? []))];
}

async function openRoles(store: ModelStore, roles: readonly Role[]): Promise<RunRoles> {
  return {
    draft: roles.includes("draft") ? await store.model("draft") : undefined,
    target: roles.includes("target") ? await store.model("target") : undefined,
    reward: roles.includes("reward") ? await store.reward() : undefined,
  };
}

function resultsWithoutBench(folder: string): StepwrightError {
  return new StepwrightError(
    "bench-invalid",
    `${folder} holds results, but no bench.json that says of what`,
    {
      subject: folder,
      remedy: "choose another --out, or restore the file",
    },
  );
}
