// Label sources beside the exact checker, in the lab (the card's smallest honest experiment): the lab's draft writes
// answers; a scripted comparator that errs in every tenth step stands for SPARE's annotator; the draft's own ends are the
// Monte Carlo control. Development indices only.
//   npm run build && node bench/label-lab.js [--count 100] [--noise 0.1] [--tokenizer M.gguf]
// With a tokenizer, the comparator's bytes are given as tokens of that model.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { keyedUniform } from "../dist/core/random.js";
import { mathsSystem } from "../dist/core/run.js";
import { blankLine } from "../dist/core/step.js";
import { grade } from "../dist/grade/index.js";
import { methods } from "../dist/methods/index.js";
import { resolveModelFile } from "../dist/models/hub-inventory.js";
import { openLlama } from "../dist/models/llama/index.js";
import { findTask } from "../dist/tasks/index.js";
import { scriptedAnnotator } from "../dist/testing/scripted-annotator.js";
import { openAnswers, writeAnswers } from "../dist/train/reward/answers.js";
import { agreement } from "../dist/train/reward/labels/agreement.js";
import { labelSources } from "../dist/train/reward/labels/index.js";
import { labelAnswers, labelTotals, openLabels } from "../dist/train/reward/labels/label-file.js";
import { gradingsText, spareMessages } from "../dist/train/reward/labels/spare-prompt.js";

const { values } = parseArgs({
  options: {
    task: { type: "string", default: "lab:5" },
    from: { type: "string", default: "500000" },
    count: { type: "string", default: "100" },
    noise: { type: "string", default: "0.1" },
    seed: { type: "string", default: "1" },
    temperature: { type: "string", default: "0.7" },
    tokenizer: { type: "string" },
  },
});
const [from, count, seed] = [values.from, values.count, values.seed].map(Number);
const task = await findTask(values.task);
const questions = Array.from({ length: count }, (_, index) => task.generate(from + index));
const open = async (reference) =>
  openLlama(await resolveModelFile(reference), { keptPrompts: 0, sequences: 160, caches: "fitting" });
const draft = await open("lab:draft");
const folder = await mkdtemp(join(tmpdir(), "label-lab-"));
const gradeText = ({ reference }, text) => grade({ prediction: text, reference, task: task.grading });

const answerFile = await openAnswers(join(folder, "answers.jsonl"));
await writeAnswers(answerFile, {
  ...{ questions, samples: () => 1, temperature: 0, seed, concurrency: 16, grade: gradeText },
  request: { method: await methods.get("draft"), roles: { draft } },
});
await answerFile[Symbol.asyncDispose]();
const answers = answerFile.values().filter(({ steps }) => steps.length > 0);

const noise = Number(values.noise);
const annotator = scriptedAnnotator({
  isRight({ question, steps }, place) {
    const isRight = task.checkStep({ question }, steps.slice(0, place), steps[place]);
    return isRight !== keyedUniform(seed, question, place, "flip") < noise;
  },
});
const context = {
  ...{ draft, annotator, system: mathsSystem, splitter: blankLine, maxTokens: 2048, seed, grade: gradeText },
  checkStep: task.checkStep,
};
async function label(name, options = {}) {
  const file = await openLabels(join(folder, `${name}${JSON.stringify(options).replace(/\W/g, "")}.jsonl`));
  const source = await labelSources.get(name);
  await labelAnswers(file, { answers, questions, source, options, context, concurrency: 16 });
  await file[Symbol.asyncDispose]();
  return file.values();
}

const checked = await label("check");
// What a rollout can know: whether the answer can still end right, so no step after a wrong one.
const reachable = checked.map((record) => {
  const first = record.values.indexOf(0);
  return { ...record, values: record.values.map((_, place) => (first < 0 || place < first ? 1 : 0)) };
});
const { temperature } = values;
const rollouts = (some) => ({ rollouts: some, temperature: Number(temperature) });
/** The same ends, read as Math-Shepherd's hard estimate. */
const anyRight = (records) =>
  records.map((record) => ({
    ...record,
    values: record.values.map(Math.ceil),
  }));
const [four, eight] = [await label("monte-carlo", rollouts(4)), await label("monte-carlo", rollouts(8))];
const rows = [
  ["outcome", await label("outcome")],
  ["numbers", await label("numbers")],
  [`spare, ${noise} flipped`, await label("spare", { stepTokens: 1000 })],
  ["monte-carlo 4, soft", four],
  ["monte-carlo 8, soft", eight],
  ["monte-carlo 4, any right", anyRight(four)],
  ["monte-carlo 8, any right", anyRight(eight)],
  ["omega 4", await label("omega", rollouts(4))],
  ["omega 8", await label("omega", rollouts(8))],
];

/** Bytes per token, of what a comparator reads and of what it writes. */
async function bytesPerToken() {
  if (!values.tokenizer) return undefined;
  const model = await open(values.tokenizer);
  const bytes = { read: 0, written: 0 };
  const tokens = { read: 0, written: 0 };
  for (const { question, steps } of questions.slice(0, 20)) {
    const texts = {
      read: spareMessages("short", { question, reference: steps, steps }).at(-1).content,
      written: gradingsText(
        "short",
        steps.map((_, place) => ({
          ...{ step: place + 1, reference: [place + 1], errors: [], label: "CORRECT" },
          why: "It says what the reference says.",
        })),
      ),
    };
    for (const [kind, text] of Object.entries(texts)) {
      bytes[kind] += Buffer.byteLength(text);
      tokens[kind] += (await model.tokenize(text)).length;
    }
  }
  return { read: bytes.read / tokens.read, written: bytes.written / tokens.written };
}
const ratio = (await bytesPerToken()) ?? { read: 1, written: 1 };

const right = answers.filter((answer) => answer.right).length;
const wrongSteps = checked.flatMap((record) => record.values).filter((value) => value === 0).length;
const { steps } = labelTotals(checked);
console.log(
  `${answers.length} answers (${right} right), ${steps} steps (${wrongSteps} wrong by the checker); tokens per answer\n`,
);
console.log("| labels | truth | agree | precision | recall | first-error F1 | read | written | calls |");
console.log("|---|---|---|---|---|---|---|---|---|");
const shown = (figure) => (figure === null ? "-" : figure.toFixed(3));
for (const [name, records] of rows) {
  const totals = labelTotals(records);
  const scale = name.startsWith("spare") ? ratio : { read: 1, written: 1 };
  const cost = [totals.prefillTokens / scale.read, totals.decodeTokens / scale.written, totals.calls];
  for (const [truth, reference] of Object.entries({ "the step": checked, "so far": reachable })) {
    const { accuracy, precision, recall, firstErrorF1 } = agreement(reference, records);
    const figures = [accuracy, precision, recall, firstErrorF1].map(shown);
    const costs = cost.map((figure) => (figure / answers.length).toFixed(1));
    console.log(`| ${[name, truth, ...figures, ...costs].join(" | ")} |`);
  }
}
await rm(folder, { recursive: true });
process.exit(0);
