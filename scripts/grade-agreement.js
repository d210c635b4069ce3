// Agreement of `stepwright grade` with labelled pairs: node scripts/grade-agreement.js FILE [LABELS]
// FILE: JSON Lines {"task","kind","prediction","reference","correct","extracted"}. LABELS: strict verdicts by row, where
// they differ from "correct" (test/grade/strict-labels.json, made for grading-dev.jsonl, unless another is named).
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Grader } from "../dist/grade/index.js";

const [file, labelFile] = process.argv.slice(2);
if (file === undefined) {
  console.error("usage: node scripts/grade-agreement.js FILE [LABELS]");
  process.exit(2);
}
const plainKinds = new Set(["base", "wrapper", "choice", "notation", "fraction", "decimal", "wrong"]);
const pairs = readFileSync(file, "utf8")
  .split("\n")
  .filter((line) => line.trim() !== "")
  .map((line) => JSON.parse(line));
// Our own labels belong to one file; another file's rows have none.
const ownLabels = file.endsWith("grading-dev.jsonl")
  ? fileURLToPath(new URL("../test/grade/strict-labels.json", import.meta.url))
  : undefined;
const labelPath = labelFile ?? ownLabels;
const labels = labelPath === undefined ? undefined : JSON.parse(readFileSync(labelPath, "utf8")).rows;

const grader = new Grader();
await grader.grade(pairs[0]); // starts the process
const start = performance.now();
const grades = await Promise.all(pairs.map((pair) => grader.grade(pair)));
const seconds = (performance.now() - start) / 1000;
grader.close();

const tallies = new Map();
const count = (name, agrees) => {
  const tally = tallies.get(name) ?? { agree: 0, all: 0 };
  tally.all++;
  if (agrees) tally.agree++;
  tallies.set(name, tally);
};
const differences = [];
const compact = (text) => text.replaceAll(" ", "");
pairs.forEach((pair, row) => {
  const grade = grades[row];
  const kind = pair.kind.split(":", 1)[0];
  const agrees = grade.correct === pair.correct;
  count("overall", agrees);
  if (plainKinds.has(kind)) count("plain kinds", agrees);
  count(`  ${kind}`, agrees);
  count("extracted string", compact(grade.extracted) === compact(pair.extracted));
  if (!agrees) differences.push(`row ${row} ${pair.kind}: official ${pair.correct}, here ${grade.correct}`);
  if (labels === undefined) return;
  const strict = labels[row]?.strict ?? pair.correct;
  count("strict", grade.strict === strict);
  if (grade.strict !== strict)
    differences.push(`row ${row} ${pair.kind}: strict label ${strict}, here ${grade.strict}`);
});
const order = ["overall", "plain kinds", "strict", "extracted string"];
const names = [
  ...order.filter((name) => tallies.has(name)),
  ...[...tallies.keys()].filter((n) => n.startsWith(" ")).sort(),
];
for (const name of names) {
  const { agree, all } = tallies.get(name);
  console.log(
    `${name.padEnd(18)} ${String(agree).padStart(5)} of ${String(all).padStart(5)}  ${((100 * agree) / all).toFixed(1)}%`,
  );
}
if (labels === undefined) console.log("strict             no labels for this file");
for (const difference of differences) console.log(difference);
console.log(`${((1000 * seconds) / pairs.length).toFixed(2)} s per thousand pairs`);
