// What step labels cost and how well they agree: labels answers by one source, and prints tokens, seconds and, beside
// another label file, the agreement. What is labelled already is not labelled again.
//   npm run build && node bench/label-cost.js --questions Q.jsonl --answers A.jsonl --source monte-carlo --draft M.gguf \
//     --out labels.jsonl --rollouts 4 --concurrency 12 [--limit N] [--truth other-labels.jsonl]
//   ... --source spare --annotator M.gguf
import { parseArgs } from "node:util";
import { mathsSystem } from "../dist/core/run.js";
import { blankLine } from "../dist/core/step.js";
import { grade } from "../dist/grade/index.js";
import { resolveModelFile } from "../dist/models/hub-inventory.js";
import { openLlama } from "../dist/models/llama/index.js";
import { readLocalQuestion } from "../dist/tasks/local-task.js";
import { readQuestions } from "../dist/tasks/questions.js";
import { openAnswers } from "../dist/train/reward/answers.js";
import { agreement } from "../dist/train/reward/labels/agreement.js";
import { labelSources } from "../dist/train/reward/labels/index.js";
import { labelAnswers, labelTotals, openLabels } from "../dist/train/reward/labels/label-file.js";

const { values } = parseArgs({
  options: {
    questions: { type: "string" },
    answers: { type: "string" },
    source: { type: "string" },
    out: { type: "string" },
    draft: { type: "string" },
    annotator: { type: "string" },
    // The source's own options, such as {"temperature":1}.
    options: { type: "string", default: "{}" },
    rollouts: { type: "string" },
    // Answers in flight; with rollouts, so many times as many sequences.
    concurrency: { type: "string", default: "8" },
    context: { type: "string", default: "16384" },
    "max-tokens": { type: "string", default: "400" },
    offset: { type: "string", default: "0" },
    limit: { type: "string" },
    // Answers of every question, counted from the greedy one.
    samples: { type: "string" },
    seed: { type: "string", default: "1" },
    truth: { type: "string" },
    "wrong-below": { type: "string", default: "0.5" },
  },
});
for (const needed of ["questions", "answers", "source", "out"]) {
  if (values[needed] === undefined) {
    console.error(`--${needed} is missing; the head of this file shows a whole call`);
    process.exit(2);
  }
}

const { questions } = await readQuestions(values.questions, { readQuestion: readLocalQuestion });
const source = await labelSources.get(values.source);
const samples = Number(values.samples ?? Number.POSITIVE_INFINITY);
const stored = await openAnswers(values.answers);
const offset = Number(values.offset);
const asked = new Set(questions.map(({ id }) => id));
const answers = stored
  .values()
  .filter(({ question, sample }) => asked.has(question) && sample < samples)
  .slice(offset, values.limit && offset + Number(values.limit));
const concurrency = Number(values.concurrency);
const rollouts = Number(values.rollouts ?? 1);
const open = async (reference) =>
  reference &&
  openLlama(await resolveModelFile(reference), {
    context: Number(values.context),
    sequences: Math.min(256, concurrency * (rollouts + 1) + 2),
    keptPrompts: 0,
  });
const context = {
  draft: await open(values.draft),
  annotator: await open(values.annotator),
  ...{ system: mathsSystem, splitter: blankLine, maxTokens: Number(values["max-tokens"]) },
  seed: Number(values.seed),
  grade: ({ reference }, text) => grade({ prediction: text, reference, task: "math" }),
};

const file = await openLabels(values.out);
const started = performance.now();
await labelAnswers(file, {
  ...{ answers, questions, source, context, concurrency },
  options: { ...JSON.parse(values.options), ...(values.rollouts && { rollouts }) },
  onLabels: (done, of) => {
    process.stderr.write(`\r${done}/${of} answers, ${((performance.now() - started) / 1000).toFixed(0)} s `);
  },
});
process.stderr.write("\n");

const wanted = new Set(answers.map(({ question, sample }) => `${question} ${sample}`));
const records = file.values().filter(({ question, sample }) => wanted.has(`${question} ${sample}`));
const notes = records.flatMap(({ note }) => (note?.valid === undefined ? [] : [note]));
const count = (holds) => notes.filter(holds).length;
console.log(
  JSON.stringify(
    {
      source: source.name,
      ...labelTotals(records),
      wallSeconds: (performance.now() - started) / 1000,
      ...(notes.length > 0 && {
        annotations: notes.length,
        validJson: count(({ valid }) => valid),
        allStepsGraded: count(({ alignment }) => alignment.every((one) => one !== null)),
        lastStepAgreesWithOutcome: count(({ agreesWithOutcome }) => agreesWithOutcome),
        wrongAnswersGradedAllRight: count(({ hidesError }) => hidesError),
      }),
      ...(values.truth && {
        agreement: agreement(
          (await openLabels(values.truth)).values(),
          records,
          Number(values["wrong-below"]),
        ),
      }),
    },
    null,
    2,
  ),
);
process.exit(0);
