// The free reward of the lab: labels steps of the draft by the task's checker, compares what could tell right steps
// from wrong ones, and calibrates `lab:reward` on the draft's own token probabilities. Development indices only.
//   npm run build && node bench/lab-reward.js [--write lab/models/reward.safetensors]
//   node bench/lab-reward.js --threshold 0.9 --write FILE    notes the threshold that bench/lab-headline.js chose
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { fitLogistic, logisticValue } from "../dist/core/logistic-regression.js";
import { addUsage, noUsage } from "../dist/core/model.js";
import { loadHead, loadHeadFacts } from "../dist/models/head-file.js";
import { resolveModelFile } from "../dist/models/hub-inventory.js";
import { openLlama } from "../dist/models/llama/index.js";
import { encodeSafetensors } from "../dist/models/safetensors-writer.js";
import { certainties } from "../dist/rewards/certainty.js";
import { headTensorNames } from "../dist/rewards/head.js";
import { openReward } from "../dist/rewards/index.js";
import { headFact } from "../dist/rewards/statistics-head.js";
import { statisticsOf, stepStatisticNames } from "../dist/rewards/step-statistics.js";
import { findTask } from "../dist/tasks/index.js";
import { comparison, draftAnswers, stepCounts } from "./lab-steps.js";

const { values } = parseArgs({
  options: {
    task: { type: "string", default: "lab" },
    draft: { type: "string", default: "lab:draft" },
    target: { type: "string", default: "lab:target" },
    // Fitted on the first, compared on the second: both among the development indices 500,000 to 599,999.
    fit: { type: "string", default: "500000:3000" },
    compare: { type: "string", default: "550000:2000" },
    write: { type: "string" },
    threshold: { type: "string" },
  },
});
const ranges = [values.fit, values.compare].map((text) => text.split(":").map(Number));
if (ranges.some(([from, count]) => !(from >= 500_000 && from + count <= 600_000))) {
  console.error("thresholds and calibrations are made on indices 500000 to 599999");
  process.exit(2);
}

if (values.threshold) {
  const facts = Object.fromEntries(await loadHeadFacts(values.write));
  const tensors = await loadHead(values.write, headTensorNames);
  writeFileSync(values.write, encodeSafetensors(tensors, { ...facts, threshold: values.threshold }));
  process.exit(0);
}

const task = await findTask(values.task);
const open = async (reference) => openLlama(await resolveModelFile(reference), { keptPrompts: 0 });
const draft = await open(values.draft);
const target = await open(values.target);
/** Every step that the draft writes, with the task's verdict, and what further readers say of it. */
async function stepsOf([from, count], readers = {}) {
  const note = async (question, steps) => {
    const scores = {};
    for (const [name, reward] of Object.entries(readers))
      scores[name] = await scored(reward, question, steps);
    return steps.map((_, place) =>
      Object.fromEntries(Object.entries(scores).map(([name, all]) => [name, all[place]])),
    );
  };
  const found = await draftAnswers({ task, draft, from, count, note });
  return found.flatMap(({ steps }) => steps);
}

async function scored(reward, question, steps) {
  const scorer = await reward.open(question, { system: null });
  const found = [];
  for (const step of steps) {
    const { value, usage } = await scorer.append({
      ...step,
      vocabulary: step.vocabulary ?? draft.vocabulary,
    });
    spent.set(reward.name, addUsage(spent.get(reward.name) ?? noUsage, usage));
    found.push(value);
  }
  scorer.drop();
  return found;
}
const spent = new Map();

const fitted = await stepsOf(ranges[0]);
const head = fitLogistic({
  rows: fitted.map((step) => statisticsOf(stepStatisticNames, step)),
  labels: fitted.map(({ right }) => (right ? 1 : 0)),
});
const chance = (step) => logisticValue(head, statisticsOf(stepStatisticNames, step));

const context = {
  openModel: async () => target,
  loadHead: async () => new Map(),
  loadHeadFacts: async () => new Map(),
};
const compared = await stepsOf(ranges[1], {
  "likelihood:target": await openReward("likelihood:target", context),
});
const candidates = {
  ...Object.fromEntries(Object.entries(certainties).map(([name, score]) => [`confidence ${name}`, score])),
  "lab:reward (all statistics, logistic)": chance,
  "likelihood:target": ({ scores }) => scores["likelihood:target"],
  oracle: ({ right }) => (right ? 1 : 0),
};

console.log(`${task.name}, ${draft.name}: ${stepCounts(compared)}\n`);
console.log(comparison(candidates, compared));

const met = compared.filter(({ first }) => first);
const gaps = met.map((step) => chance(step) - (step.right ? 1 : 0));
console.log(
  `\nlab:reward, mean chance minus share right: ${(gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length).toFixed(4)}`,
);
for (const [name, { prefillTokens }] of spent) {
  console.log(`${name} read ${(prefillTokens / compared.length).toFixed(1)} tokens per step`);
}

if (values.write) {
  const tensors = new Map([
    ["score.weight", { shape: [1, head.weights.length], values: Float32Array.from(head.weights) }],
    ["score.bias", { shape: [1], values: Float32Array.of(head.bias) }],
  ]);
  const facts = {
    [headFact.statistics]: stepStatisticNames.join(","),
    [headFact.fingerprint]: draft.fingerprint,
    "made-by": `bench/lab-reward.js --fit ${values.fit}`,
    examples: String(fitted.length),
  };
  writeFileSync(values.write, encodeSafetensors(tensors, facts));
  console.log(`wrote ${values.write}`);
}
process.exit(0);
