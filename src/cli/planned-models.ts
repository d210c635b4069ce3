/** What is known of a plan's models without loading them: sizes, memory, and what calibrate measured. */
import { loadCalibration, type ModelCalibration, ratesOf } from "../bench/calibration.js";
import type { MachineRates } from "../bench/physical-limit.js";
import type { ModelSize } from "../core/model.js";
import type { Role } from "../core/search.js";
import { checkModelFile } from "../models/gguf/check.js";
import { fingerprint } from "../models/gguf/fingerprint.js";
import { estimateMemory } from "../models/gguf/size.js";
import { loadHeadFacts } from "../models/head-file.js";
import { resolveModelFile } from "../models/hub-inventory.js";
import { type HubSettings, hubSettings } from "../models/hub-settings.js";
import { settleReward } from "../rewards/index.js";
import type { CommandContext } from "./command.js";
import { isDemo, openDemoModel } from "./demo/models.js";
import type { References } from "./references.js";
import { calibrationFolder } from "./state-folder.js";

export interface PlannedModel {
  readonly size: ModelSize;
  /** Bytes with the context asked for; null for a model without a file. */
  readonly memory: number | null;
  /** Null where this machine was not calibrated for it. */
  readonly calibration: ModelCalibration | null;
  /** Equal for roles that share one file. */
  readonly key: string;
}

export interface PlannedModels {
  readonly roles: Readonly<Partial<Record<Role, PlannedModel>>>;
  /** Undefined where this machine was never calibrated. */
  readonly rates: MachineRates | undefined;
}

const usualContext = 4096;

export async function plannedModels(
  { host }: CommandContext,
  references: References,
): Promise<PlannedModels> {
  const hub = hubSettings(host.environment);
  const known = await loadCalibration(calibrationFolder(host));
  const find = async (reference: string): Promise<PlannedModel> => {
    if (reference === "draft" || reference === "target") return find(references[reference]!);
    if (isDemo(reference)) {
      return { size: openDemoModel(reference).size, memory: null, calibration: null, key: reference };
    }
    const path = await resolveModelFile(reference, hub);
    const file = await checkModelFile(path);
    const identity = await fingerprint(file.parts);
    const cells = Math.min(references.context ?? usualContext, file.size.context);
    const isThis = (model: ModelCalibration) =>
      model.fingerprint === identity && model.threads === references.threads;
    return {
      size: file.size,
      memory: estimateMemory(file, { cells }).total,
      calibration: known?.models.find(isThis) ?? null,
      key: path,
    };
  };
  const roles: Partial<Record<Role, PlannedModel>> = {};
  if (references.draft !== undefined) roles.draft = await find(references.draft);
  if (references.target !== undefined) roles.target = await find(references.target);
  const read = references.reward === undefined ? undefined : await readerOf(references.reward, hub);
  if (read !== undefined) roles.reward = await find(read);
  const rates = Object.entries(roles).flatMap(([role, { calibration }]) =>
    calibration ? [[role, ratesOf(calibration)] as const] : [],
  );
  return { roles, rates: known && { bandwidth: known.bandwidth, roles: Object.fromEntries(rates) } };
}

/** The model that reads the steps for a reward; undefined where none does. */
async function readerOf(reference: string, hub: HubSettings): Promise<string | undefined> {
  if (isDemo(reference)) return undefined;
  const { kind, model, options } = await settleReward(reference);
  if (!kind.reader) return (kind.model ?? "needed") === "needed" ? model : undefined;
  return kind.reader(model, options, {
    loadHeadFacts: async (source) => loadHeadFacts(await resolveModelFile(source, hub)),
  });
}
