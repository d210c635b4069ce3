// What a score by a head costs beside what its models read: gathering the inputs, and the head itself. Processor time, one
// thread, the cases interleaved.
//   npm run build && node bench/head-cost.js [--width 896] [--tokens 60] [--rounds 20]
import { parseArgs } from "node:util";
import { createHead } from "../dist/rewards/head.js";
import { featureNames, featuresOf } from "../dist/rewards/readings/features.js";

const { values } = parseArgs({
  options: {
    width: { type: "string", default: "896" },
    tokens: { type: "string", default: "60" },
    rounds: { type: "string", default: "20" },
  },
});
const [width, tokens, rounds] = [values.width, values.tokens, values.rounds].map(Number);

const figures = () => ({
  logprobs: Array.from({ length: tokens }, () => -Math.random()),
  entropies: Array.from({ length: tokens }, () => Math.random()),
});
const state = () => Float32Array.from({ length: width }, () => Math.random());
const { logprobs } = figures();
const readings = {
  step: { text: "a step", tokens: new Array(tokens).fill(1), stop: "delimiter", ...figures() },
  index: 4,
  earlier: Array.from({ length: 4 }, figures),
  likelihoods: { draft: logprobs, target: logprobs },
  states: { draft: { least: state(), mean: state(), end: state() } },
  judges: { draft: 0.5, target: 0.5 },
};
const tensor = (rows, columns) => ({
  shape: [rows, columns],
  values: Float32Array.from({ length: rows * columns }, () => 0.01 * Math.random()),
});
const all = featureNames.filter((name) => !name.startsWith("state:target"));
const cases = Object.entries({
  statistics: all.filter((name) => name.startsWith("statistic:")),
  "all, one layer": all,
  "all, 64 hidden": all,
}).map(([name, features]) => {
  const { length } = featuresOf(features, readings);
  const layers = name.endsWith("hidden")
    ? [
        ["score.0.weight", tensor(64, length)],
        ["score.2.weight", tensor(1, 64)],
      ]
    : [["score.weight", tensor(1, length)]];
  return { name, features, inputs: length, head: createHead(new Map(layers), name), times: [] };
});

const scoresPerRound = 200;
for (let round = 0; round < rounds; round++) {
  for (const { features, head, times } of cases) {
    const before = process.cpuUsage();
    for (let score = 0; score < scoresPerRound; score++) await head.apply(featuresOf(features, readings));
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000 / scoresPerRound);
  }
}
for (const { name, inputs, times } of cases) {
  const median = times.sort((one, other) => one - other)[times.length >> 1];
  console.log(`${name.padEnd(16)} ${String(inputs).padStart(5)} inputs  ${median.toFixed(3)} ms a score`);
}
