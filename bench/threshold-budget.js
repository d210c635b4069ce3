// What `rsd --threshold auto` makes of a limit of target tokens, on the lab's pair: against the same threshold fixed until
// nothing is left (then the draft goes on, or the limit cuts the run), and against keeping by chance as often as the
// limit allows.
//   npm run build && node bench/threshold-budget.js [--questions 200] [--reward lab:reward] [--threshold 0.9]
// The reward's advice is made on development questions, the figures on others. All rows of a question run side by side.
import { parseArgs } from "node:util";
import { differenceOf } from "../dist/bench/paired-difference.js";
import { startRun } from "../dist/core/run.js";
import { closeGrader, grade } from "../dist/grade/index.js";
import { methods } from "../dist/methods/index.js";
import { loadHead, loadHeadFacts } from "../dist/models/head-file.js";
import { resolveModelFile } from "../dist/models/hub-inventory.js";
import { openLlama } from "../dist/models/llama/index.js";
import { openReward } from "../dist/rewards/index.js";
import { findTask } from "../dist/tasks/index.js";

const { values } = parseArgs({
  options: {
    task: { type: "string", default: "lab" },
    draft: { type: "string", default: "lab:draft" },
    target: { type: "string", default: "lab:target" },
    reward: { type: "string", default: "lab:reward" },
    threshold: { type: "string", default: "0.9" },
    // Hot, the draft errs more than once in an answer: only then is there something to choose.
    temperature: { type: "string", default: "0" },
    development: { type: "string", default: "300" },
    questions: { type: "string", default: "200" },
    // Of the mean length of the draft's answers.
    budgets: { type: "string", default: "0.05|0.1|0.2|0.3|0.5" },
  },
});
const task = await findTask(values.task);
const file = async (reference) => resolveModelFile(reference);
const open = async (reference) => openLlama(await file(reference));
const models = { draft: await open(values.draft), target: await open(values.target) };
const reward = await openReward(values.reward, {
  openModel: async (word) => models[word],
  loadHead: async (reference, names) => loadHead(await file(reference), names),
  loadHeadFacts: async (reference) => loadHeadFacts(await file(reference)),
});
const rsd = await methods.get("rsd");

async function run({ question, reference, seed }, options, { advice, budget = {} } = {}) {
  const roles = { ...models, reward: advice ? Object.assign(Object.create(reward), { advice }) : reward };
  const { steps, ...result } = await startRun({
    ...{ method: rsd, options, question, roles, budget, seed },
    sampling: { temperature: Number(values.temperature) },
  }).result;
  const { correct } = await grade({ prediction: result.text, reference, task: task.grading });
  return { ...result, steps, correct, tokens: result.ledger.target.decodeTokens };
}

/** The first development indices that no other calibration of the lab uses. */
const known = await each(580_000, Number(values.development), (question) => run(question, { threshold: 0 }));
const scored = known.flatMap(({ steps }) => steps).sort((one, other) => one.reward - other.reward);
const lengths = known.map(({ steps }) => sum(steps.map(({ tokens }) => tokens))).sort((a, b) => a - b);
const advice = {
  threshold: Number(values.threshold),
  shares: table(scored.flatMap(({ reward, tokens }) => Array.from({ length: tokens }, () => reward))),
  lengths: table(lengths),
};
/** The same threshold at every step, until nothing is left. */
const unpaced = { ...advice, shares: advice.shares.map((_, index) => (index < 32 ? 0 : 1)) };
const meanLength = sum(lengths) / lengths.length;
console.log(`${known.length} development answers of ${meanLength.toFixed(1)} tokens`);

const budgets = values.budgets.split("|").map((share) => Math.round(Number(share) * meanLength));
const rows = [
  { name: "draft", options: { threshold: 0 } },
  ...budgets.flatMap((tokens) => {
    const given = { advice, budget: { "target-tokens": tokens } };
    const probability = Math.max(0, 1 - tokens / meanLength);
    return [
      { name: "auto", tokens, options: { threshold: "auto" }, given },
      {
        name: "fixed, handed over",
        tokens,
        options: { threshold: "auto" },
        given: { ...given, advice: unpaced },
      },
      { name: "fixed, cut", tokens, options: { threshold: advice.threshold }, given },
      {
        name: "by chance",
        tokens,
        options: { threshold: "auto", weight: "constant", probability },
        given,
      },
    ];
  }),
  { name: "fixed, no limit", options: { threshold: advice.threshold } },
  { name: "target", options: { threshold: 2 } },
];
const found = rows.map(() => []);
await each(720_000, Number(values.questions), async (question) => {
  const all = await Promise.all(rows.map(({ options, given }) => run(question, options, given)));
  for (const [index, result] of all.entries()) found[index].push({ id: question.id, ...result });
});

console.log("| limit | rows | right | cut | target tokens | most | auto less this, 95 % |");
console.log("|---|---|---|---|---|---|---|");
for (const [index, { name, tokens }] of rows.entries()) {
  const results = found[index];
  const rightBy = (some) => new Map(some.map(({ id, correct }) => [id, Number(correct)]));
  const auto = rows.findIndex((row) => row.name === "auto" && row.tokens === tokens);
  const against = auto >= 0 && auto !== index && differenceOf(rightBy(found[auto]), rightBy(results));
  const written = results.map((result) => result.tokens);
  const cells = [
    tokens ?? "",
    name,
    percent(results.filter(({ correct }) => correct).length / results.length),
    percent(results.filter(({ finish }) => finish === "budget").length / results.length),
    (sum(written) / written.length).toFixed(1),
    Math.max(...written),
    against ? `${percent(against.difference)} (${against.ci95.map(percent).join(" to ")})` : "",
  ];
  console.log(`| ${cells.join(" | ")} |`);
}
closeGrader();
for (const model of Object.values(models)) await model[Symbol.asyncDispose]();

/** Eight questions at once. */
async function each(from, count, ask) {
  const results = [];
  for (let start = from; start < from + count; start += 8) {
    const indices = Array.from({ length: Math.min(8, from + count - start) }, (_, at) => start + at);
    // Coins are keyed by seed and place: with one seed for all questions they would fall alike.
    const questions = indices.map((seed) => ({ ...task.generate(seed), seed }));
    results.push(...(await Promise.all(questions.map(ask))));
    process.stderr.write(`\r${start + indices.length - from}/${count} questions`);
  }
  process.stderr.write("\n");
  return results;
}

/** Every 32nd of sorted values, from the least to the greatest. */
function table(sorted) {
  return Array.from({ length: 33 }, (_, index) => sorted[Math.round((index * (sorted.length - 1)) / 32)]);
}

function sum(numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}
