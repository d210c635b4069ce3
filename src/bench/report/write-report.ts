/** Everything that a bench folder shows besides its results. */
import { join } from "node:path";
import { replaceFile } from "../../core/replace-file.js";
import { readBenchFile } from "../configuration.js";
import { readPrediction } from "../prediction.js";
import type { BenchResult } from "../result.js";
import type { BenchPlan } from "../run-bench.js";
import type { BenchSummary } from "../summary.js";
import { csvOf, markdownOf } from "../tables.js";
import { benchReport } from "./bench-report.js";
import { figuresOf } from "./figures.js";
import { htmlOf } from "./html.js";
import { standalone } from "./theme.js";

export async function writeReport(
  folder: string,
  summary: BenchSummary,
  plan: BenchPlan,
  results: readonly BenchResult[],
): Promise<void> {
  const prediction = await readPrediction(join(folder, "prediction.json"));
  const file = await readBenchFile(join(folder, "bench.json"));
  const report = benchReport(summary, plan, results, { file, prediction });
  const files: [string, string][] = [
    ["rows.json", `${JSON.stringify(summary, null, 2)}\n`],
    ["rows.md", markdownOf(summary, prediction)],
    ["rows.csv", csvOf(summary)],
    ["report.html", htmlOf(report)],
    ...figuresOf(report).map(({ name, draw }): [string, string] => [
      `figures/${name}.svg`,
      standalone(draw(720)),
    ]),
  ];
  for (const [name, text] of files) await replaceFile(join(folder, name), text);
}
