// RSD rows against mixing by chance at equal target tokens: the rows of several bench folders on the questions that all of
// them have, and for each row the difference in right answers to the line through the rows that mix by chance (draft and
// target alone are its ends), where that line spends as many target tokens. Intervals: paired bootstrap over questions,
// line and all.
//   npm run build && node bench/equal-target.js DIR|NAME=DIR... [--questions gsm8k] [--rounds 4000]
//     NAME stands before the labels of the folder's rows; folders of one name are one
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readResults } from "../dist/bench/result-file.js";
import { generator } from "../dist/core/generator.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    // Only questions whose ids begin so.
    questions: { type: "string", default: "" },
    rounds: { type: "string", default: "4000" },
  },
});
if (positionals.length === 0) {
  console.error("usage: node bench/equal-target.js DIR|NAME=DIR... [--questions PREFIX] [--rounds N]");
  process.exit(2);
}

const rows = new Map();
for (const place of positionals) {
  const equals = place.indexOf("=");
  const [name, folder] = equals < 0 ? ["", place] : [`${place.slice(0, equals)}: `, place.slice(equals + 1)];
  for (const record of await readResults(join(folder, "results.jsonl"))) {
    if (!record.question.startsWith(values.questions)) continue;
    const label = name + record.method;
    const row = rows.get(label) ?? new Map();
    rows.set(label, row.set(record.question, record));
  }
}
const all = [...rows.values()];
const shared = [...all[0].keys()].filter((question) => all.every((row) => row.has(question)));
console.log(`${shared.length} questions that all rows have\n`);

const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
const figures = {
  right: ({ correct }) => 100 * Number(correct),
  tokens: ({ ledger }) => ledger.target?.decodeTokens ?? 0,
  flops: ({ ledger }) => ledger.total.flops / 1e12,
  generated: ({ ledger }) => ledger.total.generatedFlops / 1e12,
  engine: ({ ledger }) =>
    ["draft", "target", "reward"].reduce((sum, role) => sum + (ledger[role]?.seconds ?? 0), 0),
};
const over = (row, questions) =>
  Object.fromEntries(
    Object.entries(figures).map(([name, of]) => [name, mean(questions.map((one) => of(row.get(one))))]),
  );

/** Right answers of the line at so many target tokens, straight between its points; undefined beyond its ends. */
function lineAt(tokens, points) {
  const sorted = points.toSorted((one, other) => one.tokens - other.tokens);
  const next = sorted.findIndex((point) => point.tokens >= tokens);
  if (next < 0 || (next === 0 && sorted[0].tokens > tokens)) return undefined;
  const [low, high] = [sorted[Math.max(0, next - 1)], sorted[next]];
  const way = high.tokens === low.tokens ? 0 : (tokens - low.tokens) / (high.tokens - low.tokens);
  return low.right + way * (high.right - low.right);
}

const isOfLine = (label) => /^(draft|target)$|weight=constant/.test(label);
const line = [...rows].filter(([label]) => isOfLine(label)).map(([, row]) => row);
const difference = (row, questions) => {
  const points = line.map((one) => over(one, questions));
  const own = over(row, questions);
  const there = lineAt(own.tokens, points);
  return there === undefined ? undefined : own.right - there;
};
const random = generator("equal target tokens");
const samples = Array.from({ length: Number(values.rounds) }, () =>
  shared.map(() => shared[Math.floor(random() * shared.length)]),
);

console.log(
  "| row | right, % | target tokens | FLOPs, 1e12 | generated | engine s | against the line [95 %] |",
);
console.log("|---|---|---|---|---|---|---|");
for (const [label, row] of rows) {
  const { right, tokens, flops, generated, engine } = over(row, shared);
  let against = "";
  const own = isOfLine(label) || line.length < 2 ? undefined : difference(row, shared);
  if (own !== undefined) {
    const drawn = samples.flatMap((questions) => difference(row, questions) ?? []).sort((a, b) => a - b);
    const at = (share) => drawn[Math.floor(share * (drawn.length - 1))].toFixed(1);
    const above = (100 * drawn.filter((value) => value > 0).length) / drawn.length;
    against = `${own.toFixed(1)} [${at(0.025)}, ${at(0.975)}], above in ${above.toFixed(0)} %`;
  }
  const cells = [
    right.toFixed(1),
    tokens.toFixed(0),
    flops.toFixed(2),
    generated.toFixed(2),
    engine.toFixed(1),
  ];
  console.log(`| ${[label, ...cells, against].join(" | ")} |`);
}
