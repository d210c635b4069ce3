import { resolve } from "node:path";
import { z } from "zod";
import { ledgerOf } from "../../core/ledger.js";
import type { TraceEvent } from "../../core/trace-event.js";
import { type CommandContext, defineCommand } from "../command.js";
import { jsonField } from "../fields.js";
import { requiredOperand } from "../operands.js";
import { showSteps } from "../recorded-run.js";
import { readRun } from "../resume.js";
import { printLedger } from "../run-session.js";
import { harmless, paragraph } from "../terminal-text.js";

export default defineCommand({
  operands: "FILE",
  operandLimit: 1,
  description:
    "Shows a run from its trace: what was asked of which models, every step with its writer and reward, rejected ones included, and the ledger, which is summed up from the records. With --json: the records that stand, and whether the run was finished.",
  examples: ["stepwright trace show run.jsonl", "stepwright trace show run.jsonl --json"],
  schema: z.object({ json: jsonField }),
  async run(context, { json }, operands) {
    const file = requiredOperand(operands, "FILE", "a trace");
    const path = resolve(context.host.workingFolder, file);
    const { recorded, contents } = await readRun(context, path);
    const { events, finished } = recorded;
    if (json) {
      context.printJson({ path, finished, notices: contents.notices, ledger: ledgerOf(events), events });
      return 0;
    }
    const { print } = context;
    const first = events[0];
    if (first?.type === "run-started") showHeader(context, first);
    showSteps(context, recorded);
    print("");
    printLedger(context, ledgerOf(events));
    print(
      finished
        ? endLine(events)
        : "The run was not finished; stepwright solve --resume FILE goes on with it.",
    );
    return 0;
  },
});

function showHeader(
  { host, print, style }: CommandContext,
  start: Extract<TraceEvent, { type: "run-started" }>,
): void {
  const options = Object.entries(start.options).map(([name, value]) => `${name} ${String(value)}`);
  const roles = Object.entries(start.roles).map(([role, identity]) => `${role} ${identity?.name ?? "?"}`);
  print(paragraph(harmless(`Question: ${start.question}`), host.out));
  const summary = `run ${start.run}: method ${[start.method, ...options].join(", ")}; seed ${start.seed}`;
  print(style.dim(paragraph(summary, host.out)));
  print(style.dim(harmless(roles.join(", "))));
  print("");
}

function endLine(events: readonly TraceEvent[]): string {
  const end = events.findLast((event) => event.type === "run-finished");
  return `The run ended with "${end?.finish}".`;
}
