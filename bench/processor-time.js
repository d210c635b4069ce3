// Processor time of this process and the engine's: what else runs on the machine takes nothing of it.
import { readdirSync, readFileSync } from "node:fs";
import { sharedEngine } from "../dist/models/llama/index.js";

/** Milliseconds so far, of all threads of both. */
export function spentSoFar() {
  const { user, system } = process.cpuUsage();
  let nanoseconds = 0;
  const tasks = `/proc/${sharedEngine().processId}/task`;
  for (const task of readdirSync(tasks)) {
    nanoseconds += Number(readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ")[0]);
  }
  return (user + system) / 1e3 + nanoseconds / 1e6;
}
