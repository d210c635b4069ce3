import { resolve } from "node:path";
import { z } from "zod";
import { extrapolate, fitLogLinear } from "../../bench/analysis/log-linear.js";
import { readBenchFolder } from "../../bench/bench-folder.js";
import { readRows, type StoredRow } from "../../bench/stored-rows.js";
import { StepwrightError } from "../../core/errors.js";
import { printTable } from "../analysis.js";
import { defineCommand } from "../command.js";
import { jsonField } from "../fields.js";
import { metric } from "../numbers.js";
import { requiredOperand } from "../operands.js";

export default defineCommand({
  operands: "DIR...",
  operandLimit: 100,
  description:
    "Fits y = a + b ln x over the rows of one or more benches (Scylla), with intervals, and says where the law does not hold: too few values, less than a decade, R² below 0.95, or a bend. x and y are figures of a row (accuracy, flops, generatedFlops, seconds, acceptance, ...), options of the method (option:n), or sizes of the models (draft:parameters, target:multiplied). It foretells no further than a decade without a warning.",
  examples: [
    "stepwright analyze scaling runs/sweep --x option:n --y accuracy --method best-of-n",
    "stepwright analyze scaling runs/small runs/large --x draft:parameters --y acceptance --at 1e9",
  ],
  schema: z.object({
    x: z.string().default("flops").describe("What the law is a law of.").meta({ placeholder: "FIGURE" }),
    y: z.string().default("accuracy").describe("What it foretells.").meta({ placeholder: "FIGURE" }),
    method: z.string().optional().describe("Rows of this method only.").meta({ placeholder: "NAME" }),
    at: z.number().gt(0).optional().describe("Foretell y at this x."),
    json: jsonField,
  }),
  async run(context, { x, y, method, at, json }, operands) {
    requiredOperand(operands, "DIR", "one or more folders of benches");
    const rows: StoredRow[] = [];
    for (const operand of operands) {
      const path = resolve(context.host.workingFolder, operand);
      const { file } = await readBenchFolder(path);
      rows.push(...(await readRows(path, file)));
    }
    const points = rows
      .filter((row) => method === undefined || row.method === method)
      .flatMap((row) => {
        const [px, py] = [row.figure(x), row.figure(y)];
        return px === undefined || py === undefined ? [] : [{ label: row.label, x: px, y: py }];
      });
    if (points.length === 0) {
      throw new StepwrightError("invalid-option", `no row has both ${x} and ${y}`, {
        subject: "--x",
        remedy: `figures are: ${[...new Set(rows.flatMap(({ names }) => names))].join(", ")}`,
      });
    }
    const fit = fitLogLinear(points);
    const foretold = at === undefined ? undefined : extrapolate(fit, at);
    if (json) context.printJson({ x, y, ...fit, ...(foretold && { at, foretold }), data: points });
    else {
      const end = (value: number) => value.toPrecision(4);
      printTable(
        context,
        ["", "value", "95 %"],
        [
          ["a", end(fit.intercept), fit.interceptCi95.map(end).join(" to ")],
          ["b", end(fit.slope), fit.slopeCi95.map(end).join(" to ")],
          ["R²", fit.rSquared.toFixed(4), ""],
          ...(foretold ? [[`${y} at ${metric(at!)}`, end(foretold.y), ""]] : []),
        ],
      );
      context.print(
        fit.holds
          ? `The law holds over ${fit.points} rows, x from ${metric(fit.range[0])} to ${metric(fit.range[1])}.`
          : `The law does not hold here: ${fit.bends ? "it bends within the range" : "R² is below 0.95"}.`,
      );
      if (foretold?.isFar)
        context.say("That is more than a decade outside the range: such a law breaks somewhere.");
    }
    return 0;
  },
});
