import { resolve } from "node:path";
import { z } from "zod";
import { defineCommand } from "../command.js";
import { jsonField } from "../fields.js";
import { requiredOperand } from "../operands.js";
import { replayed } from "../recorded-run.js";
import { readRun } from "../resume.js";
import { contractObject, printResult } from "../run-session.js";

export default defineCommand({
  operands: "FILE",
  operandLimit: 1,
  description:
    "Runs the method of a trace again on the recorded answers, without any model, and checks that text, end and ledger come out as recorded. Fails if they do not, or if the run was never finished.",
  examples: ["stepwright trace replay run.jsonl", "stepwright trace replay run.jsonl --json"],
  schema: z.object({ json: jsonField }),
  async run(context, { json }, operands) {
    const file = requiredOperand(operands, "FILE", "a trace");
    const { recorded } = await readRun(context, resolve(context.host.workingFolder, file));
    const result = await replayed(recorded);
    if (json) {
      context.printJson(contractObject(result));
    } else {
      context.print(`The replay equals the record: ${recorded.events.length} records.`);
      printResult(context, result, recorded.events);
    }
    return 0;
  },
});
