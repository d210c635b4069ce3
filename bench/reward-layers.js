// Which layer's hidden states tell a right answer from a wrong one: reads stored answers through the white box, takes
// the state before each step's least probable token, the mean over the step and the state before its last token at
// several layers, and fits ridge logistic laws to the answer's outcome, cross-validated by question. States are kept in
// --states, so that a run that was cut goes on, and further layers or ridges cost no second reading.
//   npm run build && node bench/reward-layers.js MODEL.gguf --questions Q.jsonl --answers A.jsonl --states S.jsonl [--limit 60]
import { parseArgs } from "node:util";
import { GrowingStates } from "../dist/core/growing-states.js";
import { fitLogistic, logisticScore } from "../dist/core/logistic-regression.js";
import { RecordFile } from "../dist/core/record-file.js";
import { auroc } from "../dist/core/reliability.js";
import { mathsSystem } from "../dist/core/run.js";
import { GraphModel } from "../dist/models/graph/graph-model.js";
import { openLlama } from "../dist/models/llama/index.js";
import { readLocalQuestion } from "../dist/tasks/local-task.js";
import { readQuestions } from "../dist/tasks/questions.js";
import { openAnswers } from "../dist/train/reward/answers.js";
import { groupedFolds } from "../dist/train/reward/folds.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    questions: { type: "string" },
    answers: { type: "string" },
    states: { type: "string" },
    limit: { type: "string", default: "60" },
    ridges: { type: "string", default: "100,1000,10000" },
  },
});
const [path] = positionals;
if (!path || !values.questions || !values.answers || !values.states) {
  console.error("the head of this file shows a whole call");
  process.exit(2);
}
const places = ["least", "mean", "end"];
const stretch = 128;

const { questions } = await readQuestions(values.questions, { readQuestion: readLocalQuestion });
const textOf = new Map(questions.map(({ id, question }) => [id, question]));
const stored = await openAnswers(values.answers);
const answers = stored
  .values()
  .filter(({ question, steps }) => textOf.has(question) && steps.every(({ tokens }) => tokens.length > 0))
  .slice(0, Number(values.limit));
const keyOf = ({ question, sample }) => `${sample}:${question}`;
const kept = await RecordFile.open(values.states, {
  parse: (value) => value,
  key: keyOf,
  code: "checkpoint-invalid",
});

const missing = answers.filter((answer) => !kept.has(keyOf(answer)));
if (missing.length > 0) await read(missing);

async function read(unread) {
  const chat = await openLlama(path, { context: 256 });
  const model = await GraphModel.open(path, { rows: 2048, sequences: 1 });
  const { layers, width } = model.config;
  // Behind a quarter, a half, three quarters of the layers, and before and after the last norm.
  const depths = [
    ...new Set([1, 2, 3, 4].map((quarter) => Math.max(0, Math.round((quarter * layers) / 4) - 1))),
  ];
  const taps = depths.map((layer) => ({ point: "layer-output", layer }));
  const names = [...depths.map((layer) => `behind layer ${layer + 1}`), "after the last norm"];
  for (const [index, answer] of unread.entries()) {
    const messages = [
      { role: "system", content: mathsSystem },
      { role: "user", content: textOf.get(answer.question) },
    ];
    const prompt = (await chat.renderChat(messages)).tokens;
    const text = [...prompt, ...answer.steps.flatMap(({ tokens }) => tokens)];
    const first = prompt.length - 1;
    /** By name, then by position from the prompt's last token on. */
    const states = names.map(() => []);
    for (let from = 0; from < text.length - 1; ) {
      // What only leads up to the answer is no output.
      const end = from < first ? Math.min(first, from + stretch) : Math.min(text.length - 1, from + stretch);
      const output = from >= first;
      const batch = text
        .slice(from, end)
        .map((token, offset) => ({ token, position: from + offset, sequences: [0], output }));
      const status = await model.forward(batch, output ? { plan: { taps } } : {});
      if (status !== "done") throw new Error(`the pass ended as ${status}`);
      if (output) {
        const tapped = taps.map((tap) => model.tapped(tap).values);
        for (let at = 0; at < batch.length; at++) {
          for (const [number, all] of tapped.entries()) {
            states[number].push(all.slice(at * width, (at + 1) * width));
          }
          states.at(-1).push(model.hidden(at));
        }
      }
      from = end;
    }
    model.remove(0, 0);
    let position = 0;
    const steps = answer.steps.map(({ tokens, logprobs }) => {
      const ofStep = names.map((_, number) => {
        const growing = new GrowingStates();
        for (const [at, logprob] of logprobs.entries()) growing.add(states[number][position + at], logprob);
        const over = growing.over(tokens.length);
        return places.map((place) => Buffer.from(over[place].buffer).toString("base64"));
      });
      position += tokens.length;
      return ofStep;
    });
    const { question, sample, right } = answer;
    await kept.append({ question, sample, right, names, steps });
    process.stderr.write(`\r${index + 1} of ${unread.length} answers read`);
  }
  process.stderr.write("\n");
  model.close();
  await chat[Symbol.asyncDispose]();
}

const rows = answers.flatMap((answer) => {
  const { names, steps, right, question } = kept.get(keyOf(answer));
  return steps.map((states) => ({ names, states, right, question, answer: keyOf(answer) }));
});
const floats = (text) => {
  const bytes = Buffer.from(text, "base64");
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
};
const folds = groupedFolds(
  rows.map(({ question }) => question),
  rows.map(({ right }) => (right ? 1 : 0)),
  5,
  1,
);

/** Out-of-fold scores of steps; of answers, their mean over the answer's steps. */
function crossValidated(features, ridge) {
  const scores = new Float64Array(rows.length);
  for (const fold of new Set(folds)) {
    const inside = [...rows.keys()].filter((row) => folds[row] !== fold);
    const fit = fitLogistic(
      { rows: inside.map((row) => features[row]), labels: inside.map((row) => (rows[row].right ? 1 : 0)) },
      { ridge, tolerance: 1e-4 },
    );
    for (const row of rows.keys()) if (folds[row] === fold) scores[row] = logisticScore(fit, features[row]);
  }
  const ofAnswers = new Map();
  for (const [row, { answer, right }] of rows.entries()) {
    const known = ofAnswers.get(answer) ?? { sum: 0, count: 0, right };
    ofAnswers.set(answer, { sum: known.sum + scores[row], count: known.count + 1, right });
  }
  const squash = (score) => 1 / (1 + Math.exp(-score));
  return {
    steps: auroc(rows.map(({ right }, row) => ({ reward: squash(scores[row]), right }))),
    answers: auroc(
      [...ofAnswers.values()].map(({ sum, count, right }) => ({ reward: squash(sum / count), right })),
    ),
  };
}

const ridges = values.ridges.split(",").map(Number);
const right = answers.filter((answer) => answer.right).length;
console.log(`${answers.length} answers (${right} right), ${rows.length} steps; AUROC of steps / of answers`);
console.log(["state".padEnd(28), ...ridges.map((ridge) => `ridge ${ridge}`.padStart(15))].join(" "));
for (const [number, name] of rows[0].names.entries()) {
  for (const [place, word] of places.entries()) {
    const features = rows.map(({ states }) => floats(states[number][place]));
    const cells = ridges.map((ridge) => {
      const { steps, answers: whole } = crossValidated(features, ridge);
      return `${steps.toFixed(3)} / ${whole.toFixed(3)}`.padStart(15);
    });
    console.log([`${name}, ${word}`.padEnd(28), ...cells].join(" "));
  }
}
