// Draws the figures of docs/speculative-decoding.md from exact laws, from simulation with keyed random numbers, and from
// the pass times in docs/images/pass-times.json: the same files on every machine.
//   npm run build && node bench/speculation-figures.js [--out docs/images]
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { drawMark, marksOf } from "../dist/bench/report/marks.js";
import { frameOf, path, placeLabels, plot } from "../dist/bench/report/plot.js";
import { linearScale } from "../dist/bench/report/scale.js";
import { element, figure, line, text } from "../dist/bench/report/svg.js";
import { standalone } from "../dist/bench/report/theme.js";
import { greedy } from "../dist/core/model.js";
import { DraftTree, ResidualLaw, root, rules } from "../dist/speculation/index.js";
import { plainLaw, sampleTexts, speculatedLaw, totalVariation } from "../dist/testing/index.js";

const images = new URL("../docs/images/", import.meta.url);
const { values } = parseArgs({ options: { out: { type: "string", default: fileURLToPath(images) } } });
const sampling = { ...greedy, temperature: 1 };
const lawOf = (probabilities) => ({ tokens: probabilities.map((_, token) => token), probabilities });
const recursive = (await rules.get("recursive")).open({});

// ---- tokens per pass: the formula and a simulation

const target = lawOf([0.4, 0.3, 0.2, 0.1]);
const flat = lawOf([0.25, 0.25, 0.25, 0.25]);
const reversed = lawOf([0.05, 0.1, 0.25, 0.6]);
const acceptanceOf = (q) =>
  target.tokens.reduce((sum, token) => sum + Math.min(target.probabilities[token], q[token]), 0);
const pairs = [
  mixture(flat, 0.1, target),
  mixture(flat, 0.5, target),
  mixture(reversed, 0.3, target),
  reversed,
];
const lengths = Array.from({ length: 10 }, (_, index) => index + 1);
const expected = (acceptance, length) => (1 - acceptance ** (length + 1)) / (1 - acceptance);

function mixture(a, share, b) {
  return lawOf(
    a.tokens.map((token) => share * a.probabilities[token] + (1 - share) * b.probabilities[token]),
  );
}

function chainOf(law, depth) {
  return (_tokens, draw) =>
    DraftTree.chain(
      Array.from({ length: depth }, (_, place) => ({
        token: draw(law, String(place)),
        proposal: { kind: "independent", law },
        origin: "toy",
      })),
    );
}

function tokensPerPass(law, depth) {
  const given = {
    target: () => target,
    drafter: chainOf(law, depth),
    rule: recursive,
    sampling,
    length: 400,
  };
  const { blocks } = sampleTexts(given, 5);
  return (5 * 400) / blocks;
}

function tokensFigure() {
  const frame = frameOf(720);
  const x = linearScale([0.5, 12.9], [frame.left, frame.right], String);
  const y = linearScale([1, 10.5], [frame.bottom, frame.top], String);
  const words = pairs.map((law) => `acceptance ${acceptanceOf(law.probabilities).toFixed(2)}`);
  const marks = marksOf(words);
  const drawn = pairs.map((law, index) => {
    const acceptance = acceptanceOf(law.probabilities);
    const mark = marks.get(words[index]);
    const curve = path(
      lengths.map((length) => [x.at(length), y.at(expected(acceptance, length))]),
      `curve s${mark.colour}`,
    );
    const dots = lengths.map((length) => drawMark(mark, x.at(length), y.at(tokensPerPass(law, length)), 4));
    return curve + dots.join("");
  });
  const labels = pairs.map((law, index) => ({
    x: x.at(10),
    y: y.at(expected(acceptanceOf(law.probabilities), 10)),
    words: words[index],
  }));
  const axes = { x, y, xTitle: "drafted tokens", yTitle: "tokens per pass of the target" };
  return plot(frame, axes, "Tokens per pass by draft length", drawn.join("") + placeLabels(labels, frame));
}

// ---- speed-up: the same acceptance where passes cost differently

function speedFigure() {
  const { curves } = JSON.parse(readFileSync(new URL("pass-times.json", images), "utf8"));
  const acceptance = 0.8;
  const draftCost = 0.1;
  const costs = [["any width costs the same", { 1: 1, 16: 1 }], ...Object.entries(curves)];
  const frame = frameOf(720);
  const x = linearScale([0.5, 13.9], [frame.left, frame.right], String);
  const y = linearScale([0, 3], [frame.bottom, frame.top], (value) => `${value}x`);
  const marks = marksOf(costs.map(([name]) => name));
  const speedUp = (curve, length) =>
    expected(acceptance, length) / (draftCost * length + passTime(curve, length + 1));
  const drawn = costs.map(([name, curve]) =>
    path(
      lengths.map((length) => [x.at(length), y.at(speedUp(curve, length))]),
      `curve s${marks.get(name).colour}`,
    ),
  );
  const labels = costs.map(([name, curve]) => ({ x: x.at(10), y: y.at(speedUp(curve, 10)), words: name }));
  const even = line(frame.left, y.at(1), frame.right, y.at(1), "diagonal");
  const axes = { x, y, xTitle: "drafted tokens", yTitle: "speed-up" };
  return plot(frame, axes, "Speed-up by draft length", even + drawn.join("") + placeLabels(labels, frame));
}

/** Between the measured widths, as a straight line. */
function passTime(curve, width) {
  const points = Object.entries(curve).map(([tokens, time]) => [Number(tokens), time]);
  const above = points.findIndex(([tokens]) => tokens >= width);
  const [right, rightTime] = points[above];
  const [left, leftTime] = points[Math.max(0, above - 1)];
  return right === left ? rightTime : leftTime + ((rightTime - leftTime) * (width - left)) / (right - left);
}

// ---- wrong rules: how far each one's law lies from the target's

const p = lawOf([0.3, 0.05, 0.2, 0.1, 0.05, 0.15, 0.05, 0.1]);
const q = lawOf([0.1, 0.25, 0.1, 0.2, 0.15, 0.05, 0.1, 0.05]);

/** A rule by how it tests a draft, and what is left of a law after a refusal. */
const ruleOf = (passes, after) => ({
  topK: 0,
  decide(place) {
    let left = ResidualLaw.ofRow(place.row, place.asked);
    for (const [index, child] of place.children.entries()) {
      const { law } = child.proposal;
      const chance = law.probabilities[law.tokens.indexOf(child.token)];
      const whole = ResidualLaw.ofRow(place.row, place.asked);
      if (
        passes(
          place.uniform(`accept:${index}`),
          chance,
          left.probability(child.token),
          whole.probability(child.token),
        )
      )
        return { child: child.node };
      left = after(left, law, whole);
    }
    return { write: left.write(place.row, place.uniform("recover")) };
  },
});
const ratio = (coin, chance, left) => coin * chance < left;
const minus = (left, law) => left.minus(law);
const siblings =
  (count, drawn = q) =>
  (_tokens, draw) => {
    const tree = new DraftTree();
    for (let sibling = 0; sibling < count; sibling++) {
      const proposal = { kind: "independent", law: q };
      tree.add({ token: draw(drawn, String(sibling)), parent: root, proposal, origin: "toy" });
    }
    return tree;
  };
const squared = q.probabilities.map((probability) => probability ** 2);
const sharper = lawOf(squared.map((each) => each / squared.reduce((sum, other) => sum + other, 0)));
const wrong = [
  ["the right rule, one draft", recursive, siblings(1)],
  ["the right rule, two drafts", recursive, siblings(2)],
  ["writes from p, not from the residual", ruleOf(ratio, (left) => left), siblings(1)],
  ["accepts wherever p is not below q", ruleOf((_, chance, left) => left >= chance, minus), siblings(1)],
  ["drafts sharper than the q it tests", recursive, siblings(1, sharper)],
  [
    "tests two drafts as if each were alone",
    ruleOf(
      (coin, chance, _, whole) => coin * chance < whole,
      (_, law, whole) => whole.minus(law),
    ),
    siblings(2),
  ],
].map(([words, rule, drafter]) => {
  const given = { target: () => p, drafter, rule, sampling, length: 1 };
  return { words, variation: totalVariation(speculatedLaw(given), plainLaw(given)) };
});

function wrongFigure() {
  const [width, row, left] = [720, 34, 270];
  const height = wrong.length * row + 40;
  const x = linearScale([0, 0.3], [left, width - 70], String);
  const bars = wrong.map(({ words, variation }, index) => {
    const top = 14 + index * row;
    const right = variation < 1e-9;
    return [
      text(left - 10, top + 15, words, { "text-anchor": "end" }),
      element("rect", {
        ...{ x: left, y: top, width: Math.max(2, x.at(variation) - left), height: 20, rx: 3 },
        class: right ? "c2" : "c1",
      }),
      text(x.at(variation) + 8, top + 15, right ? "0" : variation.toFixed(3), { class: "tick" }),
    ].join("");
  });
  const axis = text((left + width - 70) / 2, height - 8, "total variation from the target's law", {
    ...{ class: "axis-title", "text-anchor": "middle" },
  });
  return figure(width, height, "Right and wrong acceptance rules", bars.join("") + axis);
}

mkdirSync(values.out, { recursive: true });
for (const [name, drawing] of Object.entries({
  "tokens-per-pass": tokensFigure(),
  "speed-up": speedFigure(),
  "wrong-rules": wrongFigure(),
})) {
  writeFileSync(join(values.out, `${name}.svg`), standalone(drawing));
}
