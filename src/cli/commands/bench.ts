import { runBenchSession } from "../bench-session.js";
import { benchSchema } from "../bench-settings.js";
import { defineCommand } from "../command.js";

export default defineCommand({
  operands: "",
  operandLimit: 0,
  description:
    "Lets methods answer the same questions in one run, question by question, and compares them: accuracy with intervals, FLOPs, seconds, tokens. Every finished run is on disk at once: the same command goes on where it was cut. The folder holds report.html with figures/*.svg, results.jsonl, bench.json, rows.json, rows.md and rows.csv.",
  examples: [
    "stepwright bench --task gsm8k --limit 30 --draft small.gguf --target large.gguf",
    "stepwright bench --task questions.jsonl --method target,rsd:threshold=0.5..0.9/0.1 --config pair.json",
    "stepwright bench --task math500 --method draft,target --temperature 0.7 --seeds 4 --out runs/pair --json",
  ],
  schema: benchSchema,
  layered: true,
  run: (context, settings) => runBenchSession(context, settings),
});
