// Trains one model of the lab here and in PyTorch side by side: same weights, batches and learning rates, one thread
// each, blocks of steps by turns. Prints the greatest difference of the loss and both speeds.
//
//   npm run build
//   python3 -m venv VENV && VENV/bin/pip install torch numpy
//   node scripts/train-against-pytorch.js --python VENV/bin/python [--model draft] [--steps 60] [--block 10]
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadNative } from "../dist/native/load.js";
import { crossEntropy } from "../dist/train/cross-entropy.js";
import { initialWeights, parameterCount, weightShapes } from "../dist/train/initial-weights.js";
import { labFamily } from "../dist/train/lab/family.js";
import { batchRoom, packBatch } from "../dist/train/packing.js";
import { learningRate } from "../dist/train/schedule.js";
import { TrainingGraph } from "../dist/train/training-graph.js";

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    model: { type: "string", default: "draft" },
    steps: { type: "string", default: "60" },
    block: { type: "string", default: "10" },
    sizes: { type: "string", default: "{}" },
  },
});
const steps = Number(values.steps);
const block = Number(values.block);
const subject = labFamily[values.model]();
const sizes = { ...subject.recipe.sizes, ...JSON.parse(values.sizes) };
const recipe = { ...subject.recipe, sizes, plan: { ...subject.recipe.plan, accumulate: 1 } };
const { plan } = recipe;

const room = batchRoom(recipe, subject.examples);
const batches = [];
const rates = [];
let tokens = 0;
for (let step = 0; step < steps; step++) {
  const batch = packBatch(recipe, subject.examples, batches.at(-1)?.next ?? 0, room);
  batches.push(batch);
  rates.push(learningRate(plan, step, tokens));
  tokens += batch.tokenCount;
}
const weights = initialWeights(sizes, plan.seed);

const folder = mkdtempSync(join(tmpdir(), "stepwright-pytorch-"));
const python = spawn(values.python, [fileURLToPath(new URL("train-against-pytorch.py", import.meta.url))], {
  stdio: ["pipe", "pipe", "inherit"],
  env: { ...process.env, OMP_NUM_THREADS: "1" },
});
const answers = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
const graph = new TrainingGraph(loadNative(), {
  sizes,
  room,
  rowLength: plan.rowLength,
  objective: crossEntropy(sizes.vocabulary),
});
try {
  const plain = (batch) =>
    Object.fromEntries(
      ["tokens", "positions", "starts", "lossPlaces", "targets"].map((key) => [key, [...batch[key]]]),
    );
  writeFileSync(
    join(folder, "weights"),
    Buffer.concat([...weights.values()].map((data) => Buffer.from(data.buffer))),
  );
  writeFileSync(join(folder, "batches"), JSON.stringify(batches.map(plain)));
  const setup = {
    sizes,
    plan,
    rates,
    shapes: [...weightShapes(sizes)],
    weights: join(folder, "weights"),
    batches: join(folder, "batches"),
  };
  python.stdin.write(`${JSON.stringify(setup)}\n`);
  graph.setWeights(weights);

  const ours = { losses: [], processor: 0, wall: 0 };
  const theirs = { losses: [], processor: 0, wall: 0 };
  let counted = 0;
  for (let from = 0; from < steps; from += block) {
    const to = Math.min(steps, from + block);
    const wall = performance.now();
    const processor = process.cpuUsage();
    for (let step = from; step < to; step++) {
      const { loss } = await graph.addGradients([batches[step]]);
      await graph.update({
        learningRate: rates[step],
        beta1: plan.beta1 ?? 0.9,
        beta2: plan.beta2 ?? 0.98,
        epsilon: plan.epsilon ?? 1e-8,
        weightDecay: plan.weightDecay ?? 0.05,
        stepsDone: step,
      });
      ours.losses.push(loss);
    }
    const { user, system } = process.cpuUsage(processor);
    const seconds = (performance.now() - wall) / 1000;
    python.stdin.write(`${JSON.stringify({ from, to })}\n`);
    const answer = JSON.parse((await answers.next()).value);
    theirs.losses.push(...answer.losses);
    // The first block of both warms caches and allocators.
    if (from === 0) continue;
    ours.wall += seconds;
    ours.processor += (user + system) / 1e6;
    theirs.wall += answer.wall;
    theirs.processor += answer.processor;
    for (let step = from; step < to; step++) counted += batches[step].tokenCount;
  }
  const difference = Math.max(...ours.losses.map((loss, step) => Math.abs(loss - theirs.losses[step])));
  const speed = (seconds) => Math.round(counted / seconds);
  const { layers, width, feedForward } = sizes;
  console.log(
    JSON.stringify({
      model: values.model,
      parameters: parameterCount(sizes),
      layers,
      width,
      feedForward,
      steps,
      firstLoss: ours.losses[0],
      lastLoss: [ours.losses.at(-1), theirs.losses.at(-1)],
      greatestDifference: difference,
      tokensPerSecond: { ours: speed(ours.wall), pytorch: speed(theirs.wall) },
      tokensPerProcessorSecond: { ours: speed(ours.processor), pytorch: speed(theirs.processor) },
      ratio: theirs.processor / ours.processor,
    }),
  );
} finally {
  python.kill();
  graph.free();
  rmSync(folder, { recursive: true });
}
