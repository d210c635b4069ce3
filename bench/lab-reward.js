// The free reward of the lab: labels steps of the draft by the task's checker, compares what could tell right steps
// from wrong ones, and calibrates `lab:reward` on the draft's own token probabilities. Development indices only.
//   npm run build && node bench/lab-reward.js [--write lab/models/reward.safetensors]
//   node bench/lab-reward.js --threshold 0.9 --write FILE    notes the threshold that bench/lab-headline.js chose
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { auroc } from "../dist/bench/reliability.js";
import { addUsage, noUsage } from "../dist/core/model.js";
import { startRun } from "../dist/core/run.js";
import { methods } from "../dist/methods/index.js";
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
import { fitLogistic } from "../dist/train/logistic.js";

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
const method = await methods.get("draft");
const atOnce = 16;

/** Every step that the draft writes, with the task's verdict, and what further readers say of it. */
async function stepsOf([from, count], readers = {}) {
  const found = [];
  for (let start = from; start < from + count; start += atOnce) {
    const indices = Array.from({ length: Math.min(atOnce, from + count - start) }, (_, at) => start + at);
    found.push(...(await Promise.all(indices.map((index) => judged(index, readers)))).flat());
    process.stderr.write(`\r${start + indices.length - from}/${count} questions`);
  }
  process.stderr.write("\n");
  return found;
}

async function judged(index, readers) {
  const question = task.generate(index);
  const run = startRun({ method, question: question.question, roles: { draft } });
  const steps = [];
  for await (const event of run) if (event.type === "step-written") steps.push(event);
  const texts = steps.map(({ text }) => text);
  const scores = {};
  for (const [name, reward] of Object.entries(readers))
    scores[name] = await scored(reward, question.question, steps);
  return steps.map((step, place) => ({
    right: task.checkStep(question, texts.slice(0, place), step.text),
    // What a run with a good reward meets: the steps before are right.
    first: texts.slice(0, place).every((text, at) => task.checkStep(question, texts.slice(0, at), text)),
    figures: { logprobs: step.logprobs, entropies: step.entropies },
    scores: Object.fromEntries(Object.entries(scores).map(([name, all]) => [name, all[place]])),
  }));
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
const head = fitLogistic(
  fitted.map(({ right, figures }) => ({ right, features: statisticsOf(stepStatisticNames, figures) })),
);
const chance = (figures) => {
  const features = statisticsOf(stepStatisticNames, figures);
  return 1 / (1 + Math.exp(-features.reduce((sum, value, at) => sum + value * head.weights[at], head.bias)));
};

const context = {
  openModel: async () => target,
  loadHead: async () => new Map(),
  loadHeadFacts: async () => new Map(),
};
const compared = await stepsOf(ranges[1], {
  "likelihood:target": await openReward("likelihood:target", context),
});
const candidates = {
  ...Object.fromEntries(
    Object.entries(certainties).map(([name, score]) => [
      `confidence ${name}`,
      ({ figures }) => score(figures),
    ]),
  ),
  "lab:reward (all statistics, logistic)": ({ figures }) => chance(figures),
  "likelihood:target": ({ scores }) => scores["likelihood:target"],
  oracle: ({ right }) => (right ? 1 : 0),
};

const met = compared.filter(({ first }) => first);
const share = (part, whole) => `${((100 * part) / whole).toFixed(1)} %`;
const wrong = compared.filter(({ right }) => !right).length;
console.log(
  `${task.name}: ${compared.length} steps of ${draft.name}, ${share(wrong, compared.length)} wrong`,
);
console.log(
  `after right steps: ${met.length} steps, ${share(met.filter(({ right }) => !right).length, met.length)} wrong\n`,
);
console.log("| reward | AUROC | AUROC after right steps | kept at 99.5 % right | kept at 99.9 % right |");
console.log("|---|---|---|---|---|");
for (const [name, score] of Object.entries(candidates)) {
  const all = compared.map((step) => ({ reward: score(step), right: step.right }));
  const own = met.map((step) => ({ reward: score(step), right: step.right }));
  const kept = [0.995, 0.999].map((precision) => share(keptAt(own, precision), own.length));
  console.log(`| ${name} | ${auroc(all)?.toFixed(4)} | ${auroc(own)?.toFixed(4)} | ${kept.join(" | ")} |`);
}

/** The most steps that a threshold lets pass while at least this share of them is right. */
function keptAt(steps, precision) {
  const sorted = steps.toSorted((one, other) => other.reward - one.reward);
  let [rights, best] = [0, 0];
  for (const [at, { right, reward }] of sorted.entries()) {
    if (right) rights++;
    const isBorder = sorted[at + 1]?.reward !== reward;
    if (isBorder && rights / (at + 1) >= precision) best = at + 1;
  }
  return best;
}

const gaps = met.map(({ figures, right }) => chance(figures) - (right ? 1 : 0));
console.log(
  `\nlab:reward, mean chance minus share right: ${(gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length).toFixed(4)}`,
);
for (const [name, { prefillTokens }] of spent) {
  console.log(`${name} read ${(prefillTokens / compared.length).toFixed(1)} tokens per step`);
}

if (values.write) {
  const tensors = new Map([
    ["score.weight", { shape: [1, head.weights.length], values: head.weights }],
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
