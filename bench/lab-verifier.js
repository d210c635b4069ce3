// A trained verifier beside the free reward: a model of the draft's size with a head, read at each step's end, taught by
// binary cross-entropy which of the draft's steps the task's checker calls right. Trained below index 500,000 twice, from the
// draft's weights and from nothing; the better of the two by AUROC on development questions meets the steps of lab-reward.js.
//   npm run build && node bench/lab-verifier.js [--answers FILE.json]     the draft's answers, kept for another training
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { fitLogistic, logisticValue } from "../dist/core/logistic-regression.js";
import { spanFlops } from "../dist/core/model.js";
import { auroc } from "../dist/core/reliability.js";
import { readHeader } from "../dist/models/gguf/read.js";
import { fileSource } from "../dist/models/gguf/source.js";
import { resolveModelFile } from "../dist/models/hub-inventory.js";
import { openLlama } from "../dist/models/llama/index.js";
import { loadNative } from "../dist/native/load.js";
import { certainties } from "../dist/rewards/certainty.js";
import { findTask } from "../dist/tasks/index.js";
import { headBiasName, headWeightName } from "../dist/train/binary-heads.js";
import { binaryHeadMethod, initialWeights, trainModel } from "../dist/train/index.js";
import { labFamily } from "../dist/train/lab/family.js";
import { wordTokenizer } from "../dist/train/lab/vocabulary.js";
import { PackedModel } from "../dist/train/packed-model.js";
import { batchRoom, packBatch } from "../dist/train/packing.js";
import { comparison, draftAnswers, stepCounts } from "./lab-steps.js";

const { values } = parseArgs({
  options: {
    greedy: { type: "string", default: "300000:10000" },
    sampled: { type: "string", default: "400000:10000" },
    temperature: { type: "string", default: "1" },
    choose: { type: "string", default: "500000:1500" },
    compare: { type: "string", default: "550000:2000" },
    // Of each of the two trainings.
    tokens: { type: "string", default: "4000000" },
    "learning-rate": { type: "string", default: "2e-3" },
    answers: { type: "string" },
  },
});
const range = (text) => {
  const [from, count] = text.split(":").map(Number);
  return { from, count };
};
const isWithin = ({ from, count }, first, end) => from >= first && from + count <= end;
if (
  ![values.greedy, values.sampled].every((text) => isWithin(range(text), 0, 500_000)) ||
  ![values.choose, values.compare].every((text) => isWithin(range(text), 500_000, 600_000))
) {
  console.error("trained on indices below 500000, chosen and compared on 500000 to 599999");
  process.exit(2);
}

const path = await resolveModelFile("lab:draft");
const task = await findTask("lab");
const draft = await openLlama(path, { keptPrompts: 0 });
const { recipe } = labFamily.draft();
const { sizes } = recipe;
// Sampled answers may ramble; those longer than a row are left out of the training.
const rowLength = 128;

const { training, choosing, comparing } = await answers();
console.log(`training: ${stepCounts(stepsOf(training))}`);
const examples = balanced(training.map(example).filter(({ tokens }) => tokens.length <= rowLength));
const plan = {
  ...recipe.plan,
  tokens: Number(values.tokens),
  learningRate: Number(values["learning-rate"]),
  rowLength,
};

const verifiers = [];
for (const [start, weights] of [
  ["from the draft", await draftWeights()],
  ["from nothing", initialWeights(sizes, 1)],
]) {
  const method = binaryHeadMethod(sizes, weights, { frozen: false, identity: start });
  const options = {
    logSteps: 200,
    onProgress: ({ tokens, loss, accuracy, secondsLeft }) =>
      process.stderr.write(
        `\r${start}: ${tokens} tokens, loss ${loss.toFixed(4)}, right ${accuracy.toFixed(4)}, ${secondsLeft.toFixed(0)} s left  `,
      ),
  };
  const trained = await trainModel({ sizes, plan }, examples, options, method);
  const scores = await scoresOf(trained.weights, choosing);
  const area = auroc(stepsOf(choosing).map(({ right }, at) => ({ reward: scores[at], right })));
  console.log(
    `${start}: ${trained.steps} steps, ${trained.tokens} tokens, ${trained.seconds.toFixed(0)} s, ${trained.hash.slice(0, 12)}; AUROC on ${values.choose}: ${area.toFixed(4)}`,
  );
  verifiers.push({ start, area, weights: trained.weights, chosenBy: scores });
}
const best = verifiers.reduce((one, other) => (other.area > one.area ? other : one));

// Both together, for what the one says that the other does not.
const together = (step, score) => Float32Array.of(certainties.least(step), certainties.mean(step), score);
const choosers = stepsOf(choosing);
const fit = fitLogistic({
  rows: choosers.map((step, at) => together(step, best.chosenBy[at])),
  labels: choosers.map(({ right }) => (right ? 1 : 0)),
});
const compared = stepsOf(comparing);
for (const verifier of verifiers) {
  const scores = await scoresOf(verifier.weights, comparing);
  for (const [at, step] of compared.entries()) step.scores = { ...step.scores, [verifier.start]: scores[at] };
}
console.log(`\nchosen: ${best.start}\ncompared: ${stepCounts(compared)}\n`);
console.log(
  comparison(
    {
      "confidence least": (step) => certainties.least(step),
      ...Object.fromEntries(
        verifiers.map(({ start }) => [`verifier ${start}`, ({ scores }) => scores[start]]),
      ),
      "confidence least and mean with the verifier, logistic": (step) =>
        logisticValue(fit, together(step, step.scores[best.start])),
    },
    compared,
  ),
);

// The verifier reads question and answer once, and has a head of one row in place of the output matrix.
const size = {
  ...draft.size,
  multiplied: draft.size.multiplied - sizes.width * sizes.vocabulary + sizes.width,
};
const lengths = comparing.map((answer) => example(answer).tokens.length);
const mean = (numbers) => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
const [verifying, drafting] = [size, draft.size].map((one) =>
  mean(lengths.map((length) => spanFlops(one, 0, length))),
);
console.log(
  `\nper question: verifier ${(verifying / 1e6).toFixed(2)} MFLOPs, the draft's own passes ${(drafting / 1e6).toFixed(2)}, confidence 0`,
);
process.exit(0);

function stepsOf(found) {
  return found.flatMap(({ steps }) => steps);
}

async function answers() {
  if (values.answers && existsSync(values.answers)) return JSON.parse(readFileSync(values.answers, "utf8"));
  const write = (text, request) => draftAnswers({ task, draft, ...range(text), ...request });
  const sampling = { temperature: Number(values.temperature) };
  const found = {
    training: [
      ...(await write(values.greedy)),
      ...(await write(values.sampled, { sampling, maxTokens: rowLength })),
    ],
    choosing: await write(values.choose),
    comparing: await write(values.compare),
  };
  if (values.answers) writeFileSync(values.answers, JSON.stringify(found));
  return found;
}

/** All steps of an answer at once: each has its label where its last token has been read. */
function example({ question, steps }) {
  const { encode, control } = wordTokenizer;
  const prompt = [control.question, ...encode(question), control.answer];
  const nothing = (tokens) => new Array(tokens).fill(null);
  return {
    tokens: [...prompt, ...steps.flatMap(({ tokens }) => tokens)],
    labels: [
      ...nothing(prompt.length),
      ...steps.flatMap(({ tokens, right }) => [...nothing(tokens.length - 1), right ? 1 : 0]),
    ],
    lossFrom: 0,
  };
}

/** As many answers with a wrong step as without, by turns, over and over. */
function balanced(found) {
  const isWrong = ({ labels }) => labels.includes(0);
  const halves = [found.filter(isWrong), found.filter((one) => !isWrong(one))];
  console.log(`answers: ${halves[0].length} with a wrong step, ${halves[1].length} without`);
  return (index) => {
    const half = halves[index % 2];
    return half[Math.floor(index / 2) % half.length];
  };
}

async function draftWeights() {
  const source = await fileSource(path);
  const { tensors } = await readHeader(source);
  const weights = new Map();
  // The lab's weights are F32; sliced, so that the numbers begin at a whole word.
  for (const { name, offset, bytes } of tensors) {
    const data = await source.read(offset, bytes);
    weights.set(name, new Float32Array(data.buffer.slice(data.byteOffset, data.byteOffset + bytes)));
  }
  await source.close();
  return weights;
}

/** The head's score of every step, before the sigmoid, in order. */
async function scoresOf(trained, found) {
  // The head takes the place of the output matrix's first row.
  const output = new Float32Array(sizes.width * sizes.vocabulary);
  output.set(trained.get(headWeightName));
  const reader = { sizes, plan: { ...plan, rows: 32 } };
  // Every answer fills a row, so that the places of a batch are in the order of the answers.
  const rows = found.map(example).map(({ tokens, labels }) => ({
    tokens: [...tokens, ...new Array(rowLength - tokens.length).fill(wordTokenizer.control.end)],
    labels: [...labels, ...new Array(rowLength - labels.length).fill(null)],
    lossFrom: 0,
  }));
  // The first answer again fills the last batch.
  const set = (index) => rows[index] ?? rows[0];
  const room = batchRoom(reader, set);
  const weights = new Map([...trained, ["output.weight", output]]);
  const model = new PackedModel(loadNative(), sizes, weights, room, rowLength);
  const scores = [];
  for (let next = 0; next < rows.length; ) {
    const batch = packBatch(reader, set, next, room);
    const logits = await model.logits(batch);
    for (let place = 0; place < batch.labels.length; place++)
      scores.push(logits[place * sizes.vocabulary] + trained.get(headBiasName)[0]);
    next = batch.next;
  }
  model.free();
  return scores.slice(0, stepsOf(found).length);
}
