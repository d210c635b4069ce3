// Where AdaDec should pause with one model file, learned from reference solutions (JSON Lines of question and solution).
//   npm run build && node bench/learn-threshold.js MODEL.gguf SOLUTIONS.jsonl [--limit 30] [--seed 42]
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { mathsSystem } from "../dist/core/run.js";
import { forceSolution, learnThreshold } from "../dist/methods/adadec/threshold.js";
import { openLlama, sharedEngine } from "../dist/models/llama/index.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    limit: { type: "string", default: "30" },
    seed: { type: "string", default: "42" },
    system: { type: "string", default: mathsSystem },
  },
});
const [file, solutions] = positionals;
if (!file || !solutions) {
  console.error(
    "usage: node bench/learn-threshold.js MODEL.gguf SOLUTIONS.jsonl [--limit N] [--seed N] [--system TEXT]",
  );
  process.exit(2);
}
const pairs = readFileSync(solutions, "utf8")
  .trim()
  .split("\n")
  .slice(0, Number(values.limit))
  .map((line) => JSON.parse(line));

const model = await openLlama(file, { context: 4096 });
const tokens = [];
for (const [index, { question, solution }] of pairs.entries()) {
  const messages = [
    ...(values.system === "" ? [] : [{ role: "system", content: values.system }]),
    { role: "user", content: question },
  ];
  tokens.push(...(await forceSolution(model, messages, solution)));
  console.error(`${index + 1}/${pairs.length} solutions, ${tokens.length} tokens`);
}
console.log(
  JSON.stringify({ tokens: tokens.length, ...learnThreshold(tokens, Number(values.seed)) }, null, 2),
);
await sharedEngine()[Symbol.asyncDispose]();
