/** One training of a reward on the command line, from what was asked to the exit code. */
import { join, resolve } from "node:path";
import { StepwrightError } from "../core/errors.js";
import type { Model } from "../core/model.js";
import { namedEntry } from "../core/named-text.js";
import { takeLock } from "../core/process-lock.js";
import { nearest } from "../core/registry.js";
import { replaceFile } from "../core/replace-file.js";
import { mathsSystem } from "../core/run-request.js";
import { Grader } from "../grade/index.js";
import plainDraft from "../methods/draft.js";
import { type HubSettings, hubSettings } from "../models/hub-settings.js";
import type { TaskQuestion } from "../tasks/task.js";
import { type FeatureSet, featureSets } from "../train/reward/feature-sets.js";
import { freeLabels, labelSources } from "../train/reward/labels/index.js";
import { type TrainedReward, trainReward } from "../train/reward/pipeline.js";
import type { WantedLabels } from "../train/reward/training.js";
import { type BenchTask, benchTask } from "./bench-task.js";
import type { CommandContext } from "./command.js";
import { makeFolder } from "./make-folder.js";
import { ModelStore } from "./model-store.js";
import { count, duration, metric } from "./numbers.js";
import { lastingModel, type References } from "./references.js";
import { exitInterrupted } from "./render-error.js";
import { createStageProgress } from "./stage-progress.js";
import { trainRewardLines } from "./train-reward-lines.js";
import { trainRewardPage } from "./train-reward-report.js";
import { freeFeatureSets, type TrainRewardSettings } from "./train-reward-settings.js";

/** Beside an answer of the greatest length its question must fit. */
const questionTokens = 256;
const leastContext = 4096;

export async function runTrainReward(
  context: CommandContext,
  settings: TrainRewardSettings,
): Promise<number> {
  const { host, say } = context;
  const out = resolve(host.workingFolder, settings.out);
  const folder = settings.work === undefined ? `${out}.work` : resolve(host.workingFolder, settings.work);
  const result = await train(context, settings, folder);
  if (!result) {
    say(`Stopped. What is finished is kept in ${folder}; the same command goes on with it.`);
    return exitInterrupted;
  }
  await replaceFile(out, result.bytes);
  if (settings.report !== undefined) {
    await replaceFile(resolve(host.workingFolder, settings.report), trainRewardPage(result, out));
  }
  const { bytes, ...told } = result;
  if (settings.json) context.printJson({ out, ...told });
  else for (const line of trainRewardLines(result, settings, context)) context.print(line);
  return 0;
}

/** Undefined where it was stopped. Everything that can be refused without a model is refused before one is opened. */
async function train(
  context: CommandContext,
  settings: TrainRewardSettings,
  folder: string,
): Promise<TrainedReward | undefined> {
  const { host, say, signal } = context;
  const asked = settings.labels === undefined ? undefined : await wantedLabels(settings.labels);
  const hub = hubSettings(host.environment);
  const task = await benchTask(settings, context, hub);
  const labels = asked ?? [
    { source: await freeLabels(task.questions, Boolean(task.checkStep)), options: {} },
  ];
  const heldOut = await heldOutOf(settings, task, context, hub);
  const references = await referencesOf(context, settings, hub);
  await makeFolder(folder, "--work");
  await using lock = await takeLock(join(folder, "lock"), {
    what: "this training",
    remedy: "choose another folder: --work DIR",
  });
  if (lock.notice) say(lock.notice);
  await using store = new ModelStore(references, { hub, signal });
  await using grader = new Grader();
  using progress = createStageProgress(host.talk);
  const draft = await store.model("draft");
  const target = references.target === undefined ? undefined : await store.model("target");
  const { samples, temperature, maxTokens, seed, concurrency, labelLimit, kind, calibration } = settings;
  const training = trainReward({
    ...{ folder, draft, target, labels, heldOut, signal },
    ...{ samples, temperature, maxTokens, seed, concurrency, labelLimit, kind, calibration },
    features: wantedFeatures(settings.features, draft, context),
    annotator: await annotatorOf(labels, settings, store, { draft, target }),
    task: { ...task, grade: gradeBy(task, grader) },
    writer: plainDraft,
    system: settings.noSystem ? null : (settings.system ?? mathsSystem),
    ...{ splitter: settings.step.splitter, splitterName: settings.step.text },
    threshold: { rule: settings.rule, share: settings.targetShare },
    targetAnswers: settings.targetAnswers,
    onProgress: progress.show,
    onCost: (source, { ends, tokens, seconds }) =>
      progress.say(
        `Labels ${source}: at most ${count(ends)} ends of ${metric(tokens)} tokens together, ${duration(seconds)} at the speed of the answers.`,
      ),
  });
  return await training.catch((error) => {
    if (signal.aborted) return undefined;
    throw error;
  });
}

async function wantedLabels(text: string): Promise<readonly [WantedLabels, ...WantedLabels[]]> {
  const wanted: WantedLabels[] = [];
  for (const one of text.split(",")) {
    const { entry, options } = await namedEntry(labelSources, "source of labels", one.trim());
    if (wanted.some(({ source }) => source === entry)) {
      throw new StepwrightError("invalid-option", `labels ${entry.name} are named twice`, {
        subject: "--labels",
        remedy: "train once for each, with a folder of its own: --work DIR",
      });
    }
    wanted.push({ source: entry, options });
  }
  return wanted as [WantedLabels, ...WantedLabels[]];
}

/** Those named; else the free ones that the draft can serve. */
function wantedFeatures(
  text: string | undefined,
  draft: Model,
  { say }: CommandContext,
): readonly [FeatureSet, ...FeatureSet[]] {
  const hidden = draft.capabilities.has("hidden");
  if (text === undefined && !hidden)
    say(`${draft.name} tells no hidden states: the head looks at statistics alone.`);
  const sets = (text?.split(",") ?? freeFeatureSets).map((name) => featureSet(name.trim()));
  const usable = sets.filter(({ needs }) => text !== undefined || hidden || needs.states.length === 0);
  return [...new Set(usable)] as unknown as readonly [FeatureSet, ...FeatureSet[]];
}

function featureSet(name: string): FeatureSet {
  const set = featureSets.find((one) => one.name === name);
  if (set) return set;
  const names = featureSets.map((one) => one.name);
  const near = nearest(name, names);
  throw new StepwrightError("unknown-name", `"${name}" is no set of features`, {
    subject: "--features",
    remedy: near ? `did you mean "${near}"?` : `known: ${names.join(", ")}`,
  });
}

async function annotatorOf(
  labels: readonly WantedLabels[],
  { annotator }: TrainRewardSettings,
  store: ModelStore,
  { draft, target }: { readonly draft: Model; readonly target: Model | undefined },
): Promise<Model | undefined> {
  if (!labels.some(({ source }) => source.needs.includes("annotator"))) return undefined;
  return annotator === undefined ? (target ?? draft) : store.other(annotator);
}

/** With no model named at all, the pair that comes along. */
async function referencesOf(
  { host, say }: CommandContext,
  settings: TrainRewardSettings,
  hub: HubSettings,
): Promise<References> {
  const { threads, concurrency, maxTokens } = settings;
  const isPlain = settings.draft === undefined && settings.target === undefined;
  if (isPlain) say("No model is named: the lab's pair is taken (--draft lab:draft --target lab:target).");
  const draft = settings.draft ?? (isPlain ? "lab:draft" : undefined);
  const target = settings.target ?? (isPlain ? "lab:target" : undefined);
  if (draft === undefined) {
    throw new StepwrightError("missing-role", "no draft is named", {
      subject: "draft",
      remedy: "name the model whose steps are to be judged: --draft",
    });
  }
  const lasting = (name: string) => lastingModel(name, host.workingFolder, hub);
  return {
    ...{ threads, exact: false, draft: await lasting(draft) },
    ...(target !== undefined && { target: await lasting(target) }),
    context: settings.context ?? Math.max(leastContext, concurrency * (maxTokens + questionTokens)),
  };
}

/** The share of `--held-out`, or the questions of its file under ids that are not the task's. */
async function heldOutOf(
  { heldOut, as }: TrainRewardSettings,
  { questions }: BenchTask,
  context: CommandContext,
  hub: HubSettings,
): Promise<number | readonly TaskQuestion[]> {
  if (typeof heldOut === "number") return heldOut;
  const choice = { task: heldOut, as, offset: 0, limit: undefined };
  const named = (await benchTask(choice, context, hub)).questions;
  const known = new Set(questions.map(({ id }) => id));
  if (!named.some(({ id }) => known.has(id))) return named;
  return named.map((question) => ({ ...question, id: `held out: ${question.id}` }));
}

function gradeBy({ grading, gradeAnswer }: BenchTask, grader: Grader) {
  return async ({ reference }: { readonly reference: string }, prediction: string) =>
    gradeAnswer?.({ prediction, reference }) ?? grader.grade({ prediction, reference, task: grading });
}
