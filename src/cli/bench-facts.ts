/** What is known of a bench's models and machine. */
import { join } from "node:path";
import { loadCalibration, rolesRates, thisMachine } from "../bench/calibration.js";
import { type BenchFacts, readBenchFile } from "../bench/configuration.js";
import type { PhysicalFacts } from "../bench/physical-limit.js";
import type { RunRoles } from "../core/run.js";
import type { CommandContext } from "./command.js";
import { calibrationFolder } from "./state-folder.js";

export function benchFacts({ draft, target, reward }: RunRoles): Required<BenchFacts> {
  return {
    models: {
      ...(draft && { draft: { name: draft.name, fingerprint: draft.fingerprint } }),
      ...(target && { target: { name: target.name, fingerprint: target.fingerprint } }),
      ...(reward && {
        reward: { name: reward.name, ...(reward.fingerprint && { fingerprint: reward.fingerprint }) },
      }),
    },
    sizes: {
      ...(draft && { draft: draft.size }),
      ...(target && { target: target.size }),
      ...(reward?.size && { reward: reward.size }),
    },
    machine: thisMachine().id,
  };
}

/** Sizes from when the bench was begun; rates where this is the machine that it ran on, and it was calibrated. */
export async function physicalFacts(
  { host }: CommandContext,
  folder: string,
  threads: number,
): Promise<PhysicalFacts> {
  const { models = {}, sizes = {}, machine } = (await readBenchFile(join(folder, "bench.json"))) ?? {};
  const calibration =
    machine === thisMachine().id ? await loadCalibration(calibrationFolder(host)) : undefined;
  return { sizes, rates: calibration && rolesRates(calibration, models, sizes, threads) };
}
