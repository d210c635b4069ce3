import { z } from "zod";
import { type RepeatRow, repeatRows, type Share } from "../../bench/analysis/repeats.js";
import { percent } from "../../bench/figures-text.js";
import { benchOperand, printTable, repeatedLabels } from "../analysis.js";
import { defineCommand } from "../command.js";
import { jsonField } from "../fields.js";

export default defineCommand({
  operands: "DIR",
  operandLimit: 1,
  description:
    "What more samples bring, for every method of a bench that answered each question several times: the average, the majority vote, pass@k without bias (an oracle chooses: a bound, not a score), and the share of questions of which all k samples are right. Intervals are of 95 %, by bootstrap over questions.",
  examples: ["stepwright analyze pass runs/pair", "stepwright analyze pass runs/pair --json"],
  schema: z.object({ json: jsonField }),
  async run(context, { json }, operands) {
    const folder = await benchOperand(context, operands);
    const found = repeatedLabels(folder, 2).map(({ label, questions }) => ({
      label,
      questions: questions.length,
      rows: repeatRows(questions),
    }));
    if (json) context.printJson(found);
    else {
      const cells = (label: string, { samples, average, majority, oracle, worst }: RepeatRow) => [
        label,
        String(samples),
        ...[average, majority, oracle, worst].map(shareText),
      ];
      printTable(
        context,
        ["method", "k", "average", "majority", "pass@k (oracle)", "all right"],
        found.flatMap(({ label, rows }) => rows.map((row) => cells(label, row))),
      );
    }
    return 0;
  },
});

function shareText({ value, ci95: [low, high] }: Share): string {
  return `${percent(value)} [${(low * 100).toFixed(0)}, ${(high * 100).toFixed(0)}]`;
}
