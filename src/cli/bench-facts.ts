/** What is known of a bench's models and machine. */
import { join } from "node:path";
import { loadCalibration, rolesRates, thisMachine } from "../bench/calibration.js";
import { type BenchFacts, readBenchFile } from "../bench/configuration.js";
import type { PhysicalFacts } from "../bench/physical-limit.js";
import type { Reward } from "../core/reward.js";
import type { RunRoles } from "../core/run.js";
import type { CommandContext } from "./command.js";
import { calibrationFolder } from "./state-folder.js";

/** `rewards`: those of single rows, by their references. */
export function benchFacts(
  { draft, target, reward }: RunRoles,
  rewards: ReadonlyMap<string, Reward>,
): Required<BenchFacts> {
  const identityOf = ({ name, fingerprint }: Pick<Reward, "name" | "fingerprint">) => ({
    name,
    ...(fingerprint && { fingerprint }),
  });
  return {
    models: {
      ...(draft && { draft: identityOf(draft) }),
      ...(target && { target: identityOf(target) }),
      ...(reward && { reward: identityOf(reward) }),
      ...Object.fromEntries(
        [...rewards].map(([reference, own]) => [`reward ${reference}`, identityOf(own)] as const),
      ),
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
