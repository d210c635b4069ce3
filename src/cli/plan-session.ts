/** A plan, from its settings to its figures. */
import { resolve } from "node:path";
import { z } from "zod";
import { readBenchFolder } from "../bench/bench-folder.js";
import type { ModelCalibration } from "../bench/calibration.js";
import { type Forecast, type ForecastFacts, forecast } from "../bench/forecast/forecast.js";
import {
  type AssumedWorkload,
  assumedWorkload,
  measuredWorkload,
  questionFigures,
  type Workload,
} from "../bench/forecast/workload.js";
import { type BenchEntry, parseMethodList } from "../bench/method-list.js";
import type { Role } from "../core/search.js";
import { methods } from "../methods/index.js";
import { memoryAvailable } from "../models/gguf/size.js";
import { hubSettings } from "../models/hub-settings.js";
import { benchSchema } from "./bench-settings.js";
import { benchTask } from "./bench-task.js";
import type { CommandContext } from "./command.js";
import { type PlannedModels, plannedModels } from "./planned-models.js";
import { rolesOf } from "./run-session.js";
import { referencesOf } from "./solve-request.js";

const {
  method,
  draft,
  target,
  reward,
  threads,
  context,
  exact,
  maxTokens,
  maxSteps,
  maxStepTokens,
  budget,
  config,
} = benchSchema.shape;
const { task, limit, offset, as } = benchSchema.shape;
const amount = z.number().min(1);

export const planSchema = z.object({
  method,
  ...{ draft, target, reward, threads, context, exact },
  ...{ task, limit, offset, as },
  pilot: z
    .string()
    .optional()
    .describe(
      "A folder of bench: what its questions, answers and rewards were like. Else the figures below are assumed.",
    )
    .meta({ group: "Questions", placeholder: "DIR" }),
  promptTokens: amount.default(120).describe("Tokens of a prompt.").meta({ group: "Questions" }),
  steps: amount.default(8).describe("Steps of an answer.").meta({ group: "Questions" }),
  stepTokens: amount.default(30).describe("Tokens of a step.").meta({ group: "Questions" }),
  acceptance: z
    .number()
    .min(0)
    .max(1)
    .default(0.7)
    .describe("Share of draft steps that the reward passes.")
    .meta({ group: "Questions" }),
  ...{ maxTokens, maxSteps, maxStepTokens, budget },
  config,
});

export type PlanSettings = z.output<typeof planSchema>;

export interface PlanRow extends Forecast {
  readonly flopsVsTarget: number | null;
  readonly secondsVsTarget: number | null;
}

export interface Plan {
  readonly rows: readonly PlanRow[];
  /** Plain decoding with the target; null where none is named. */
  readonly target: Forecast | null;
  /** What questions are like, in words. */
  readonly workload: string;
  readonly verdicts: readonly { readonly label: string; readonly pays: boolean; readonly words: string }[];
  /** Bytes of all models together; null where one has no file. */
  readonly memory: number | null;
  readonly availableMemory: number;
  /** For guessing single tokens; null without calibration of both writers. */
  readonly speculation: { readonly draftCost: number; readonly curve: ModelCalibration["curve"] } | null;
}

/** Keys that were not left to their defaults. */
type Given = ReadonlyMap<string, unknown>;

export async function plansOf(context: CommandContext, settings: PlanSettings, given: Given): Promise<Plan> {
  const entries = await parseMethodList(settings.method, methods);
  const plain: BenchEntry = { label: "target", method: await methods.get("target"), options: {} };
  const roles = [...new Set(entries.flatMap(({ method }) => rolesOf(method)))];
  const all: Role[] = settings.target === undefined ? roles : [...new Set<Role>([...roles, "target"])];
  const references = await referencesOf(settings, context, all, hubSettings(context.host.environment));
  const models = await plannedModels(context, references);
  const workload = await workloadOf(context, settings, given);
  const facts = factsOf(models, workload, settings);
  const target = models.roles.target ? await forecast(plain, facts) : null;
  const rows: PlanRow[] = [];
  const verdicts: Plan["verdicts"][number][] = [];
  for (const entry of entries) {
    const row = against(target, await forecast(entry, facts));
    rows.push(row);
    if (target && entry.method.name !== "target")
      verdicts.push(await verdictOf(entry, row, facts, target, settings));
  }
  return {
    rows,
    target,
    workload: workload.source,
    verdicts,
    memory: memoryOf(models),
    availableMemory: memoryAvailable(),
    speculation: speculationOf(models),
  };
}

/** A pilot knows best, then what was said, then the task's questions, then what is usual. */
async function workloadOf(context: CommandContext, settings: PlanSettings, given: Given): Promise<Workload> {
  const { host } = context;
  if (settings.pilot === undefined) {
    const { task } = settings;
    const questions = task === undefined ? [] : await planQuestions(context, { ...settings, task });
    const figures = questions.length > 0 ? questionFigures(questions) : {};
    const untold = Object.entries(figures).filter(([name]) => !given.has(name));
    return assumedWorkload({ ...settings, ...Object.fromEntries(untold) });
  }
  const path = resolve(host.workingFolder, settings.pilot);
  const { results } = await readBenchFolder(path);
  return measuredWorkload(results, settings, `measured in ${path}, ${results.length} runs`);
}

/** A hundred tell enough. */
async function planQuestions(context: CommandContext, settings: PlanSettings & { readonly task: string }) {
  const { limit = 100 } = settings;
  const hub = hubSettings(context.host.environment);
  return (await benchTask({ ...settings, limit: Math.min(limit, 100) }, context, hub)).questions;
}

function factsOf({ roles, rates }: PlannedModels, workload: Workload, settings: PlanSettings): ForecastFacts {
  const sizes = Object.fromEntries(Object.entries(roles).map(([role, { size }]) => [role, size]));
  const { maxTokens, maxSteps, maxStepTokens, budget } = settings;
  return { sizes, workload, rates, request: { maxTokens, maxSteps, maxStepTokens, budget } };
}

function against(target: Forecast | null, row: Forecast): PlanRow {
  const ratio = (own: number | null, other: number | null | undefined) =>
    own !== null && other ? own / other : null;
  return {
    ...row,
    flopsVsTarget: ratio(row.flops, target?.flops),
    secondsVsTarget: ratio(row.seconds, target?.seconds),
  };
}

/** By seconds where they are known, else by FLOPs; with the acceptance from which on it would pay. */
async function verdictOf(
  { label, ...entry }: BenchEntry,
  row: PlanRow,
  facts: ForecastFacts,
  target: Forecast,
  assumed: AssumedWorkload,
): Promise<Plan["verdicts"][number]> {
  const inSeconds = row.secondsVsTarget !== null;
  const ratio = inSeconds ? row.secondsVsTarget! : row.flopsVsTarget!;
  const measure = inSeconds ? "time" : "FLOPs";
  const pays = ratio < 1;
  const share = `${label} takes ${ratio.toPrecision(2)} of the target's ${measure}`;
  const guided = entry.method.needs.draft && entry.method.needs.target && entry.method.needs.reward;
  if (!guided || pays) return { label, pays, words: `${share}${pays ? "." : ": it does not pay."}` };
  const cost = async (acceptance: number) => {
    const { rewards, isByPlace, advice } = assumedWorkload({ ...assumed, acceptance });
    const workload = { ...facts.workload, rewards, isByPlace, advice };
    const found = against(target, await forecast({ label, ...entry }, { ...facts, workload }));
    return inSeconds ? found.secondsVsTarget! : found.flopsVsTarget!;
  };
  if ((await cost(1)) >= 1) {
    return { label, pays, words: `${share}: it will not pay, not even if every draft step were kept.` };
  }
  let [low, high] = [0, 1];
  while (high - low > 0.02) {
    const middle = (low + high) / 2;
    if ((await cost(middle)) >= 1) low = middle;
    else high = middle;
  }
  return {
    label,
    pays,
    words: `${share}: it will not pay unless about ${Math.round(high * 100)} % of draft steps are kept.`,
  };
}

/** Roles that share a file share its memory. */
function memoryOf({ roles }: PlannedModels): number | null {
  const byFile = new Map(Object.values(roles).map(({ key, memory }) => [key, memory]));
  let sum = 0;
  for (const memory of byFile.values()) {
    if (memory === null) return null;
    sum += memory;
  }
  return sum;
}

function speculationOf({ roles: { draft, target } }: PlannedModels): Plan["speculation"] {
  if (!draft?.calibration || !target?.calibration) return null;
  return {
    draftCost: draft.calibration.writeSeconds / target.calibration.writeSeconds,
    curve: target.calibration.curve,
  };
}
