// Draws lab/training/loss.svg from the logs beside it: node scripts/lab-training-figure.js (after npm run build).
import { readdir, readFile, writeFile } from "node:fs/promises";
import { frameOf, path, placeLabels, plot } from "../dist/bench/report/plot.js";
import { linearScale, logScale, padded } from "../dist/bench/report/scale.js";
import { standalone } from "../dist/bench/report/theme.js";

const folder = new URL("../lab/training/", import.meta.url);
const ending = ".log.jsonl";

/** Steps are noisy: each point is the mean of so many lines of the log. */
const window = 10;

const courses = [];
for (const file of (await readdir(folder)).filter((name) => name.endsWith(ending)).sort()) {
  const lines = (await readFile(new URL(file, folder), "utf8")).trim().split("\n").map(JSON.parse);
  const points = [];
  for (let first = 0; first + window <= lines.length; first += window) {
    const some = lines.slice(first, first + window);
    points.push({
      tokens: some.at(-1).tokens,
      loss: some.reduce((sum, { loss }) => sum + loss, 0) / window,
    });
  }
  courses.push({ name: file.slice(0, -ending.length), points });
}

const frame = frameOf(720);
const all = courses.flatMap(({ points }) => points);
const x = linearScale(
  [0, Math.max(...all.map(({ tokens }) => tokens)) * 1.12],
  [frame.left, frame.right],
  (tokens) => `${short(tokens / 1e6)} M`,
);
const y = logScale(
  padded(
    all.map(({ loss }) => loss),
    { log: true },
  ),
  [frame.bottom, frame.top],
  short,
);
const curves = courses.map(({ points }, index) =>
  path(
    points.map(({ tokens, loss }) => [x.at(tokens), y.at(loss)]),
    `curve s${index}`,
  ),
);
const labels = courses.map(({ name, points }) => {
  const { tokens, loss } = points.at(-1);
  return { x: x.at(tokens), y: y.at(loss), words: name };
});
const axes = { x, y, xTitle: "tokens of training", yTitle: "loss on answers (nats per token)" };
const drawing = plot(
  frame,
  axes,
  "Training loss of the lab's models",
  curves.join("") + placeLabels(labels, frame),
);
await writeFile(new URL("loss.svg", folder), standalone(drawing));

function short(value) {
  return String(Number(value.toPrecision(3)));
}
