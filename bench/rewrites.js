// What became of RSD's steps, by the score of the draft's step: how many were kept and how many rewritten, and what share of
// each is right by the labels `numbers`, as far as all steps before are. Rows of constant weight are the control: what is
// rewritten there was drawn by lot.
//   npm run build && node bench/rewrites.js DIR... --questions Q.jsonl [--stated]
//     --stated: only steps that state a number that the question does not
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readResults } from "../dist/bench/result-file.js";
import { readLocalQuestion } from "../dist/tasks/local-task.js";
import { readQuestions } from "../dist/tasks/questions.js";
import { labelSources } from "../dist/train/reward/labels/index.js";
import { impliedNumbers, statedNumbers } from "../dist/train/reward/labels/stated-numbers.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { questions: { type: "string" }, stated: { type: "boolean", default: false } },
});
if (positionals.length === 0 || !values.questions) {
  console.error("usage: node bench/rewrites.js DIR... --questions Q.jsonl [--stated]");
  process.exit(2);
}
const { questions } = await readQuestions(values.questions, { readQuestion: readLocalQuestion });
const asked = new Map(questions.map((question) => [question.id, question]));
const labeller = await (await labelSources.get("numbers")).open({}, {});
const bins = [0.35, 0.55, 0.75, 0.9, Number.POSITIVE_INFINITY];

/** The decided steps of a run, with their labels. */
async function stepsOf({ question: id, correct, text, steps }) {
  let at = 0;
  const texts = steps.map(({ length }) => {
    at += length;
    return text.slice(at - length, at);
  });
  const question = asked.get(id);
  const answer = { steps: texts.map((one) => ({ text: one })), right: correct };
  const labels = (await labeller.label(answer, question)).values;
  const given = new Set(impliedNumbers(question.question));
  return steps.flatMap(({ origin, reward, rejected }, place) => {
    if (labels[place] === null) return [];
    if (values.stated && statedNumbers(texts[place]).every((number) => given.has(number))) return [];
    return [
      { right: labels[place], rewritten: origin === "target", score: rejected[0]?.reward ?? reward ?? null },
    ];
  });
}

const share = (steps) =>
  steps.length === 0
    ? "-"
    : `${(steps.reduce((sum, { right }) => sum + right, 0) / steps.length).toFixed(2)} of ${steps.length}`;
console.log("| row | score below | kept, right | rewritten, right |\n|---|---|---|---|");
for (const folder of positionals) {
  const rows = new Map();
  for (const record of await readResults(join(folder, "results.jsonl"))) {
    if (!asked.has(record.question)) continue;
    rows.set(record.method, [...(rows.get(record.method) ?? []), ...(await stepsOf(record))]);
  }
  for (const [label, steps] of rows) {
    const scored = steps.filter(({ score }) => score !== null);
    for (const [index, below] of bins.entries()) {
      const from = bins[index - 1] ?? Number.NEGATIVE_INFINITY;
      const own = scored.filter(({ score }) => score >= from && score < below);
      const [kept, rewritten] = [false, true].map((side) => own.filter((one) => one.rewritten === side));
      console.log(
        `| ${[label, below === bins.at(-1) ? "1" : below, share(kept), share(rewritten)].join(" | ")} |`,
      );
    }
    const all = [false, true].map((side) => share(steps.filter((one) => one.rewritten === side)));
    console.log(`| ${[label, "all", ...all].join(" | ")} |`);
  }
}
