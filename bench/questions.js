// Methods side by side on the same questions with real models: one process, every question answered by all methods
// before the next one. Results are appended as JSON Lines; the same command goes on where it was cut.
//   npm run build && node bench/questions.js --task FILE.jsonl --draft M.gguf --target M.gguf --limit 10 --out FILE
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { startRun } from "../dist/core/run.js";
import { extractAnswer } from "../dist/grade/extract.js";
import { methods } from "../dist/methods/index.js";
import { openLlama, sharedEngine } from "../dist/models/llama/index.js";
import { openReward } from "../dist/rewards/index.js";

const { values } = parseArgs({
  options: {
    task: { type: "string" },
    draft: { type: "string" },
    target: { type: "string" },
    limit: { type: "string", default: "10" },
    offset: { type: "string", default: "0" },
    "max-tokens": { type: "string", default: "512" },
    // NAME or NAME/REWARD/THRESHOLD
    row: {
      type: "string",
      multiple: true,
      default: ["draft", "target", "rsd/judge:target/0.5", "rsd/judge:draft/0.5"],
    },
    out: { type: "string" },
  },
});
if (!values.task || !values.draft || !values.target || !values.out) {
  console.error(
    "usage: node bench/questions.js --task FILE --draft M --target M --out FILE [--limit N] [--row ...]",
  );
  process.exit(2);
}
const offset = Number(values.offset);
const questions = readFileSync(values.task, "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line))
  .slice(offset, offset + Number(values.limit));
const done = existsSync(values.out)
  ? readFileSync(values.out, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line))
  : [];

// No prompt stays in the cache: otherwise the first row pays for reading it, and the others have it for nothing.
const opening = { context: 4096, keptPrompts: 0 };
const draft = await openLlama(values.draft, opening);
const target = await openLlama(values.target, opening);
const openModel = async (reference) => (reference === "draft" ? draft : target);
const loadHead = () => Promise.reject(new Error("no head files here"));
const rewards = new Map();
const rewardNamed = async (name) => {
  if (!rewards.has(name)) rewards.set(name, await openReward(name, { openModel, loadHead }));
  return rewards.get(name);
};

const number = (text) => Number(String(text).replace(/[,$%\s]|\\(?:!|,|\$|%)|\.$/g, ""));

for (const [index, { id, question, answer }] of questions.entries()) {
  // The order turns, so that no row always runs on a warm or a cold cache.
  const rows = values.row.map((_, at) => values.row[(at + index) % values.row.length]);
  for (const row of rows) {
    if (done.some((entry) => entry.id === id && entry.row === row)) continue;
    const [name, reward, threshold] = row.split("/");
    const run = startRun({
      method: await methods.get(name),
      options: threshold === undefined ? {} : { threshold: Number(threshold) },
      question,
      roles: { draft, target, ...(reward ? { reward: await rewardNamed(reward) } : {}) },
      maxTokens: Number(values["max-tokens"]),
    });
    const result = await run.result;
    const extracted = extractAnswer(result.text);
    const correct = Math.abs(number(extracted) - number(answer)) < 1e-6;
    const scores = result.steps.flatMap((step) => [step, ...step.rejected]).map(({ reward }) => reward);
    const entry = {
      id,
      row,
      correct,
      extracted,
      answer,
      finish: result.finish,
      scores,
      ledger: result.ledger,
    };
    done.push(entry);
    appendFileSync(values.out, `${JSON.stringify(entry)}\n`);
    console.error(
      `${index + 1}/${questions.length} ${row}: ${extracted} (${answer}) ${correct ? "right" : "wrong"}`,
    );
  }
}
await sharedEngine()[Symbol.asyncDispose]();

// ---- the table
const sum = (entries, read) => entries.reduce((total, entry) => total + (read(entry) ?? 0), 0);
const trillions = (flops) => (flops / 1e12).toFixed(2);
console.log(
  "| row | right | draft written (discarded) | draft read | target written | target read | reward read | accepted | generated TFLOPs | full TFLOPs | seconds |",
);
console.log("|---|---|---|---|---|---|---|---|---|---|---|");
for (const row of values.row) {
  const entries = done.filter((entry) => entry.row === row && questions.some(({ id }) => id === entry.id));
  const of = (role, field) => sum(entries, ({ ledger }) => ledger[role]?.[field]);
  const written = of("draft", "decodeTokens");
  const discarded = of("draft", "discardedTokens");
  const guided = row.includes("/");
  console.log(
    `| ${[
      row,
      `${entries.filter(({ correct }) => correct).length}/${entries.length}`,
      `${written} (${discarded})`,
      of("draft", "prefillTokens"),
      of("target", "decodeTokens"),
      of("target", "prefillTokens"),
      of("reward", "prefillTokens"),
      guided ? `${Math.round((100 * (written - discarded)) / Math.max(1, written))} %` : "",
      trillions(sum(entries, ({ ledger }) => ledger.total.generatedFlops)),
      trillions(sum(entries, ({ ledger }) => ledger.total.flops)),
      sum(entries, ({ ledger }) => ledger.total.seconds).toFixed(0),
    ].join(" | ")} |`,
  );
}
