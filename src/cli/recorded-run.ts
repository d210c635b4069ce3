/** Runs read back from their traces, without models. */
import { isDeepStrictEqual } from "node:util";
import { StepwrightError } from "../core/errors.js";
import { type RunResult, replay } from "../core/run.js";
import { methods } from "../methods/index.js";
import type { CommandContext } from "./command.js";
import { createView } from "./live-view.js";
import type { RecordedRun } from "./resume.js";
import { contractObject, type OutputForm, printResult } from "./run-session.js";

/** The result that the recorded answers lead to. Throws `trace-diverged` if it is not the recorded one. */
export async function replayed({ events, method, path }: RecordedRun): Promise<RunResult> {
  const result = await replay(events, await methods.get(method));
  const recorded = events.findLast((event) => event.type === "run-finished");
  const found = { text: result.text, finish: result.finish, ledger: result.ledger };
  const expected = recorded && { text: recorded.text, finish: recorded.finish, ledger: recorded.ledger };
  if (isDeepStrictEqual(found, expected)) return result;
  throw new StepwrightError("trace-diverged", `${path} replays to another result than it records`, {
    subject: path,
    remedy: "replay it with the version of stepwright that wrote it",
  });
}

/** The same output as when the run was live. */
export async function printRecorded(
  context: CommandContext,
  recorded: RecordedRun,
  form: OutputForm,
): Promise<void> {
  const result = await replayed(recorded);
  if (form === "json") return context.printJson(contractObject(result));
  if (form === "events") {
    for (const event of recorded.events) context.host.out.write(`${JSON.stringify(event)}\n`);
    return;
  }
  showSteps(context, recorded);
  printResult(context, result, recorded.events);
}

/** Every step, the rejected ones too; undecided ones last. */
export function showSteps({ host, style }: CommandContext, { events }: RecordedRun): void {
  const view = createView(host.out, style, false);
  for (const event of events) view.take(event);
  view.close();
}
