// What each set of features tells of stored answers, by cross-validation over their questions, and what a fit costs.
//   npm run build && node bench/reward-heads.js --work DIR [--labels monte-carlo] [--kind mlp] [--questions gsm8k] [--seeds 3]
//     [--truth numbers] judges steps by other labels than the heads were fitted to; [--among spare] takes only answers that
//     have those labels, too; [--features both,chain] only these sets
//     DIR is a work folder of `stepwright train reward`, also of one that is still under way; with --answers FILE.jsonl alone
//     only what the steps carry themselves is looked at
//   node bench/reward-heads.js --synthetic 4000x2700 [--kind mlp]      rows and inputs, made up
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { generator } from "../dist/core/generator.js";
import { auroc } from "../dist/core/reliability.js";
import { evaluateScores } from "../dist/train/reward/evaluate.js";
import { featureSets } from "../dist/train/reward/feature-sets.js";
import { groupedFolds } from "../dist/train/reward/folds.js";
import { partsOf, readingsOf } from "../dist/train/reward/readings-file.js";
import { headTrainers, trainHead } from "../dist/train/reward/train-head.js";

const { values } = parseArgs({
  options: {
    work: { type: "string" },
    answers: { type: "string" },
    labels: { type: "string", default: "outcome" },
    truth: { type: "string" },
    among: { type: "string" },
    features: { type: "string" },
    kind: { type: "string", default: "linear" },
    // Only questions whose ids begin so.
    questions: { type: "string", default: "" },
    seeds: { type: "string", default: "3" },
    synthetic: { type: "string" },
  },
});

const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

if (values.synthetic) {
  const [count, width] = values.synthetic.split("x").map(Number);
  const examples = madeUp(count, width);
  const trainer = headTrainers.find(({ kind }) => kind === values.kind);
  const folds = groupedFolds(examples.groups, examples.labels, 5, 0);
  const before = process.cpuUsage().user;
  const { chosen, outOfFold, loss } = await trainer.train({
    ...{ examples, folds, ofState: new Array(width).fill(true), seed: 0 },
  });
  const seconds = (process.cpuUsage().user - before) / 1e6;
  const judged = [...outOfFold].map((reward, row) => ({ reward, right: examples.labels[row] === 1 }));
  console.log(
    `${count} x ${width}, ${values.kind}: ${seconds.toFixed(1)} s of processor time; ${JSON.stringify(chosen)}, loss ${loss.toFixed(4)}, AUROC ${auroc(judged).toFixed(4)}`,
  );
  process.exit(0);
}

const stored = (path) =>
  existsSync(path)
    ? readFileSync(path, "utf8")
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line).record)
    : [];
const key = ({ question, sample }) => `${sample}:${question}`;
const inWork = (name) => (values.work ? stored(join(values.work, name)) : []);
const records = new Map(inWork("readings.jsonl").map((record) => [`${record.part}:${key(record)}`, record]));
const parts = [...new Set([...records.values()].map(({ part }) => part))];
const labelsOf = (source) =>
  new Map(inWork(`labels-${source}.jsonl`).map((record) => [key(record), record.values]));
const labels = labelsOf(values.labels);
const truth = values.truth ? labelsOf(values.truth) : labels;
const among = labelsOf(values.among ?? values.labels);
const file = { get: (name) => records.get(name) };
const answers = stored(values.answers ?? join(values.work, "answers.jsonl"))
  .filter(({ question }) => question.startsWith(values.questions))
  .filter((answer) => parts.every((part) => records.has(`${part}:${key(answer)}`)))
  .filter((answer) => values.labels === "outcome" || labels.has(key(answer)))
  .filter((answer) => !values.among || among.has(key(answer)))
  .map((answer) => ({
    ...answer,
    readings: readingsOf(file, answer, parts),
    labels: labels.get(key(answer)) ?? answer.steps.map(() => Number(answer.right)),
  }));
const questions = new Set(answers.map(({ question }) => question)).size;
const judged = answers.map((answer) => ({ ...answer, labels: truth.get(key(answer)) ?? answer.labels }));
const steps = answers.reduce((sum, answer) => sum + answer.steps.length, 0);
console.log(
  `${questions} questions, ${answers.length} answers (${(100 * mean(answers.map(({ right }) => Number(right)))).toFixed(0)} % right), ${steps} steps, labels ${values.labels}, judged by ${values.truth ?? "the same"}, kind ${values.kind}\n`,
);
console.log("| features | AUROC, steps | loss, nats | AUROC, answers by mean | s |\n|---|---|---|---|---|");
for (const { name, features, needs } of featureSets) {
  if (partsOf(needs).some((part) => !parts.includes(part))) continue;
  if (values.features && !values.features.split(",").includes(name)) continue;
  const before = process.cpuUsage().user;
  const heads = [];
  for (let seed = 0; seed < Number(values.seeds); seed++) {
    heads.push(await trainHead({ answers, features, kind: values.kind, seed }));
  }
  const seconds = (process.cpuUsage().user - before) / 1e6 / heads.length;
  const over = (figure) => mean(heads.map(({ figures }) => figure(figures)));
  const row = [
    mean(heads.map(({ crossValidated }) => evaluateScores(crossValidated, judged).steps.auroc)).toFixed(3),
    over(({ crossEntropy }) => crossEntropy).toFixed(4),
    over(({ answers }) => answers.mean).toFixed(3),
    seconds.toFixed(1),
  ];
  console.log(`| ${name} | ${row.join(" | ")} |`);
}

/** Labels by a law of forty directions in many inputs, eight rows a question. */
function madeUp(count, width) {
  const random = generator("reward heads");
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const directions = Array.from({ length: 40 }, () => Float32Array.from({ length: width }, normal));
  const law = directions.map(() => 0.3 * normal());
  const rows = [];
  const drawn = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    const causes = directions.map(normal);
    const inputs = Float32Array.from({ length: width }, () => 3 * normal());
    for (const [index, direction] of directions.entries()) {
      for (let at = 0; at < width; at++) inputs[at] += 0.5 * causes[index] * direction[at];
    }
    rows.push(inputs);
    const odds = causes.reduce((sum, cause, index) => sum + cause * law[index], 0);
    drawn[row] = random() < 1 / (1 + Math.exp(-odds)) ? 1 : 0;
  }
  const groups = rows.map((_, row) => `question ${row >> 3}`);
  return { rows, labels: drawn, weights: new Float64Array(count).fill(1), groups };
}
