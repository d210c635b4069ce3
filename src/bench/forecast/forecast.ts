/**
 * What a method will cost: the method itself runs over stand-ins, so that whatever it reads, writes, throws away and
 * scores is counted by the ledger that counts real runs.
 */
import type { ModelSize } from "../../core/model.js";
import { startRun } from "../../core/run.js";
import type { RunRequest } from "../../core/run-request.js";
import type { Role } from "../../core/search.js";
import type { BenchEntry } from "../method-list.js";
import type { MachineRates } from "../physical-limit.js";
import { standInModel, standInQuestion, standInReward } from "./stand-ins.js";
import type { Workload } from "./workload.js";

export interface ForecastFacts {
  readonly sizes: Readonly<Partial<Record<Role, ModelSize>>>;
  readonly workload: Workload;
  /** Without them no seconds are foretold. */
  readonly rates?: MachineRates | undefined;
  /** Limits of the runs to come; their sampling does not matter here. */
  readonly request?: Pick<RunRequest, "maxTokens" | "maxSteps" | "maxStepTokens" | "budget">;
}

export interface RoleForecast {
  readonly readTokens: number;
  readonly writtenTokens: number;
  readonly flops: number;
}

/** Per question. */
export interface Forecast {
  readonly label: string;
  readonly roles: Readonly<Partial<Record<Role, RoleForecast>>>;
  readonly flops: number;
  /** Of the tokens one after another; methods that write several at once can be faster. Null without calibration. */
  readonly seconds: number | null;
}

/** Enough for the mean of what varies from question to question. */
const questions = 64;

export async function forecast(entry: BenchEntry, facts: ForecastFacts): Promise<Forecast> {
  const { sizes, workload, rates, request } = facts;
  const { needs } = entry.method;
  const size = (role: Role): ModelSize => sizes[role] ?? unknownSize;
  const draft = needs.draft && standInModel("draft", size("draft"), workload.draft);
  const target = needs.target && standInModel("target", size("target"), workload.target);
  const reward =
    needs.reward &&
    standInReward({
      size: sizes.reward,
      promptTokens: workload.rewardPromptTokens,
      rewards: workload.rewards,
      isByPlace: workload.isByPlace,
      advice: workload.advice,
    });
  const writer = (target ?? draft)!;
  const habits = target ? workload.target : workload.draft;
  const frame = (await writer.renderChat([{ role: "user", content: "" }])).tokens.length;
  const totals = new Map<Role, { readTokens: number; writtenTokens: number; flops: number }>();
  for (let index = 0; index < questions; index++) {
    const run = startRun({
      ...request,
      method: entry.method,
      options: entry.options,
      question: standInQuestion(index, habits.promptTokens, frame),
      system: null,
      roles: { draft, target, reward },
      seed: index,
      sampling: { temperature: 1 },
      // A method may ask the task's checker; what it says changes no cost that is known beforehand.
      checkStep: () => true,
    });
    const { ledger } = await run.result;
    for (const role of ["draft", "target", "reward"] as const) {
      const spent = ledger[role];
      if (!spent) continue;
      const total = totals.get(role) ?? { readTokens: 0, writtenTokens: 0, flops: 0 };
      total.readTokens += spent.prefillTokens / questions;
      total.writtenTokens += spent.decodeTokens / questions;
      total.flops += spent.flops / questions;
      totals.set(role, total);
    }
  }
  return {
    label: entry.label,
    roles: Object.fromEntries(totals),
    flops: [...totals.values()].reduce((sum, { flops }) => sum + flops, 0),
    seconds: secondsOf(totals, rates),
  };
}

/** Null as soon as a role that works was not calibrated. */
function secondsOf(totals: ReadonlyMap<Role, RoleForecast>, rates: MachineRates | undefined): number | null {
  let seconds = 0;
  for (const [role, { readTokens, writtenTokens }] of totals) {
    if (readTokens + writtenTokens === 0) continue;
    const rate = rates?.roles[role];
    if (!rate) return null;
    seconds += readTokens * rate.readSeconds + writtenTokens * rate.writeSeconds;
  }
  return seconds;
}

/** FLOPs of a model of unknown size are left at 0; its tokens are counted all the same. */
const unknownSize: ModelSize = {
  parameters: 0,
  multiplied: 0,
  layers: 0,
  attentionWidth: 0,
  vocabulary: 0,
  context: 1_000_000,
  bytes: 0,
};
