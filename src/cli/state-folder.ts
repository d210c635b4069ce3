/** Where stepwright keeps what it makes for itself: traces of runs, benches, calibrations. */
import { join, resolve } from "node:path";
import type { Host } from "./host.js";

/** STEPWRIGHT_HOME, or ~/.cache/stepwright. */
export function stateFolder(host: Host): string {
  const chosen = host.environment.STEPWRIGHT_HOME;
  return chosen ? resolve(host.workingFolder, chosen) : join(host.homeFolder, ".cache", "stepwright");
}

export function runsFolder(host: Host): string {
  return join(stateFolder(host), "runs");
}

export function calibrationFolder(host: Host): string {
  return join(stateFolder(host), "calibration");
}
