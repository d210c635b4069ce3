// A compute-optimal policy from a bench folder: rows are strategies, one of them (with several seeds) the probes.
//   stepwright bench ... --seeds 4 --method 'best-of-n:samples=1,best-of-n:samples=8,beam' --out FOLDER
//   node bench/fit-policy.js FOLDER --probe best-of-n:samples=1 [--bins 5] [--cost-limit FLOPS] [--solve-rate]
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fitPolicy, outcomeOf, twoFold } from "../dist/methods/compute-optimal/fit.js";
import { printPolicy, printStrategy } from "../dist/methods/compute-optimal/policy.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    probe: { type: "string" },
    bins: { type: "string", default: "5" },
    // Mean FLOPs of a question.
    "cost-limit": { type: "string", default: "Infinity" },
    // Difficulty by the probes' solve rate, which needs labels: an upper bound, not a policy for use.
    "solve-rate": { type: "boolean", default: false },
  },
});
const [folder] = positionals;
if (!folder || !values.probe) {
  console.error(
    "usage: node bench/fit-policy.js FOLDER --probe ROW [--bins N] [--cost-limit FLOPS] [--solve-rate]",
  );
  process.exit(2);
}
const results = readFileSync(join(folder, "results.jsonl"), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line).record);
const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
const cells = new Map();
for (const result of results) cells.set(keyOf(result), [...(cells.get(keyOf(result)) ?? []), result]);
const labels = [...new Set(results.map(({ method }) => method))].filter((label) => label !== "target");
const ids = [...new Set(results.map(({ question }) => question))].filter((id) =>
  [...labels, values.probe].every((label) => cells.has(keyOf({ method: label, question: id }))),
);

/** The last step's reward of each probe, or whether it was right. */
const estimateOf = (id) =>
  mean(
    cells
      .get(keyOf({ method: values.probe, question: id }))
      .map(({ correct, steps }) => (values["solve-rate"] ? Number(correct) : (steps.at(-1)?.reward ?? 0))),
  );
const strategies = labels.map((label) => {
  const [name, ...rest] = label.split(":");
  const options = rest.join(":").split(";").filter(Boolean);
  return { name, options: Object.fromEntries(options.map((option) => option.split(/=(.*)/s).slice(0, 2))) };
});
const questions = ids.map((id) => ({
  id,
  estimate: estimateOf(id),
  outcomes: labels.map((label) => {
    const runs = cells.get(keyOf({ method: label, question: id }));
    return {
      correct: mean(runs.map(({ correct }) => Number(correct))),
      cost: mean(runs.map(({ ledger }) => ledger.total.flops)),
    };
  }),
}));
const options = { bins: Number(values.bins), costLimit: Number(values["cost-limit"]) };
const policy = fitPolicy(strategies, questions, options);
const show = ({ correct, cost }) =>
  `${(100 * correct).toFixed(1)} % right, ${cost.toExponential(2)} FLOPs a question`;
console.log(
  `${questions.length} questions, ${strategies.length} strategies; the probes' own cost is not in these figures`,
);
for (const strategy of strategies) {
  console.log(
    `  ${printStrategy(strategy)}: ${show(outcomeOf([{ from: 0, strategy }], strategies, questions))}`,
  );
}
console.log(`fitted to all: ${show(outcomeOf(policy, strategies, questions))}`);
console.log(`each half's on the other: ${show(twoFold(strategies, questions, options))}`);
console.log(printPolicy(policy));

function keyOf({ method, question }) {
  return JSON.stringify([method, question]);
}
