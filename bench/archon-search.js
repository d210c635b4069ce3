// The best architecture for a task under a limit of calls: Bayesian search or random, on some questions of it; the best
// few are tried again on others. Model outputs are graded by the task.
//   npm run build && node bench/archon-search.js --task FILE.jsonl --draft M.gguf --target M.gguf --call-limit 8 --tries 15
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { startRun } from "../dist/core/run.js";
import { closeGrader, grade } from "../dist/grade/index.js";
import { searchArchitecture } from "../dist/methods/archon/search.js";
import archon from "../dist/methods/archon.js";
import { openLlama, sharedEngine } from "../dist/models/llama/index.js";

const { values } = parseArgs({
  options: {
    task: { type: "string" },
    draft: { type: "string" },
    target: { type: "string" },
    limit: { type: "string", default: "20" },
    offset: { type: "string", default: "0" },
    "call-limit": { type: "string", default: "8" },
    tries: { type: "string", default: "15" },
    first: { type: "string", default: "5" },
    finalists: { type: "string", default: "3" },
    strategy: { type: "string", default: "bayesian" },
    seed: { type: "string", default: "0" },
  },
});
if (!values.task || !values.draft || !values.target) {
  console.error(
    "usage: node bench/archon-search.js --task FILE.jsonl --draft M.gguf --target M.gguf [--call-limit N]",
  );
  process.exit(2);
}
const count = Number(values.limit);
const questions = readFileSync(values.task, "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line))
  .slice(Number(values.offset), Number(values.offset) + 2 * count);
const draft = await openLlama(values.draft, { context: 8192 });
const target = values.target === values.draft ? draft : await openLlama(values.target, { context: 8192 });

async function accuracy(architecture, from, to) {
  let right = 0;
  for (const { question, answer } of questions.slice(from, to)) {
    const run = startRun({ method: archon, options: { architecture }, question, roles: { draft, target } });
    const { text } = await run.result;
    const { correct } = await grade({ prediction: text, reference: String(answer), task: "math" });
    if (correct) right++;
  }
  return right / (to - from);
}

const trials = await searchArchitecture(
  async (architecture) => {
    const score = await accuracy(architecture, 0, count);
    console.error(`${score.toFixed(3)} ${architecture}`);
    return score;
  },
  {
    callLimit: Number(values["call-limit"]),
    tries: Number(values.tries),
    first: Number(values.first),
    seed: Number(values.seed),
    strategy: values.strategy,
  },
);
console.log("| architecture | searched on | other questions |\n|---|---|---|");
for (const { architecture, score } of trials.slice(0, Number(values.finalists))) {
  console.log(
    `| ${architecture} | ${score.toFixed(3)} | ${(await accuracy(architecture, count, 2 * count)).toFixed(3)} |`,
  );
}
closeGrader();
await sharedEngine()[Symbol.asyncDispose]();
