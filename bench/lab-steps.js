// Steps that the lab's draft writes, with the task's verdicts, and how well a score tells the right ones from the wrong.
import { auroc } from "../dist/core/reliability.js";
import { startRun } from "../dist/core/run.js";
import { methods } from "../dist/methods/index.js";

const atOnce = 16;

/**
 * The draft's answers to `count` questions from index `from` on, in order: each the question and its steps, every step
 * its event with `right` (the task's verdict) and `first` (whether all steps before it are right, which is what a run with
 * a good reward meets). `note(question, steps)` may add scores to each step.
 */
export async function draftAnswers({ task, draft, from, count, note, ...request }) {
  const method = await methods.get("draft");
  const answer = async (index) => {
    const question = task.generate(index);
    const run = startRun({ method, question: question.question, roles: { draft }, seed: index, ...request });
    const steps = [];
    for await (const event of run) if (event.type === "step-written") steps.push(event);
    const texts = steps.map(({ text }) => text);
    const rights = texts.map((text, place) => task.checkStep(question, texts.slice(0, place), text));
    const scores = await note?.(question.question, steps);
    return {
      question: question.question,
      steps: steps.map((step, place) => ({
        ...step,
        right: rights[place],
        first: rights.slice(0, place).every(Boolean),
        scores: scores?.[place],
      })),
    };
  };
  const found = [];
  for (let start = from; start < from + count; start += atOnce) {
    const indices = Array.from({ length: Math.min(atOnce, from + count - start) }, (_, at) => start + at);
    found.push(...(await Promise.all(indices.map(answer))));
    process.stderr.write(`\r${start + indices.length - from}/${count} questions`);
  }
  process.stderr.write("\n");
  return found;
}

export const share = (part, whole) => `${((100 * part) / whole).toFixed(1)} %`;

/** What there is to tell apart. */
export function stepCounts(steps) {
  const met = steps.filter(({ first }) => first);
  const wrong = (some) => share(some.filter(({ right }) => !right).length, some.length);
  return `${steps.length} steps, ${wrong(steps)} wrong; after right steps ${met.length}, ${wrong(met)} wrong`;
}

/** The table's lines, of scores by name. */
export function comparison(candidates, steps) {
  const met = steps.filter(({ first }) => first);
  const lines = Object.entries(candidates).map(([name, score]) => {
    const [all, own] = [steps, met].map((some) =>
      some.map((step) => ({ reward: score(step), right: step.right })),
    );
    const kept = [0.995, 0.999].map((precision) => share(keptAt(own, precision), own.length));
    return `| ${name} | ${auroc(all)?.toFixed(4)} | ${auroc(own)?.toFixed(4)} | ${kept.join(" | ")} |`;
  });
  return [
    "| reward | AUROC | AUROC after right steps | kept at 99.5 % right | kept at 99.9 % right |",
    "|---|---|---|---|---|",
    ...lines,
  ].join("\n");
}

/** The most steps that a threshold lets pass while at least this share of them is right. */
function keptAt(steps, precision) {
  const sorted = steps.toSorted((one, other) => other.reward - one.reward);
  let [rights, best] = [0, 0];
  for (const [at, { right, reward }] of sorted.entries()) {
    if (right) rights++;
    const isBorder = sorted[at + 1]?.reward !== reward;
    if (isBorder && rights / (at + 1) >= precision) best = at + 1;
  }
  return best;
}
