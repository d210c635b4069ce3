// Whether RSD decides the same with models behind servers as with the same weights in this process: each question is
// answered by the first set of roles and by each further one, step by step compared.
//   npm run build && node bench/remote-decisions.js --limit 100 --local lab:draft,lab:target,confidence \
//     --roles http://127.0.0.1:8081/v1#draft,http://127.0.0.1:8082/v1#target,confidence [--roles ...]
import { parseArgs } from "node:util";
import { ModelStore } from "../dist/cli/model-store.js";
import { startRun } from "../dist/core/run.js";
import { methods } from "../dist/methods/index.js";
import { findTask } from "../dist/tasks/index.js";

const { values } = parseArgs({
  options: {
    task: { type: "string", default: "lab" },
    offset: { type: "string", default: "600000" },
    limit: { type: "string", default: "20" },
    threshold: { type: "string", default: "0.9" },
    local: { type: "string", default: "lab:draft,lab:target,confidence" },
    // DRAFT,TARGET,REWARD
    roles: { type: "string", multiple: true, default: [] },
  },
});
const task = await findTask(values.task);
const questions = Array.from({ length: Number(values.limit) }, (_, index) =>
  task.generate(Number(values.offset) + index),
);
const method = await methods.get("rsd");

async function openRoles(text) {
  const [draft, target, reward] = text.split(",");
  const store = new ModelStore({ draft, target, reward, threads: 1, exact: false });
  const roles = {
    draft: await store.model("draft"),
    target: await store.model("target"),
    reward: await store.reward(),
  };
  return { text, roles, store, seconds: 0, recomputed: 0, different: [], greatest: 0 };
}

const sets = [];
for (const text of [values.local, ...values.roles]) sets.push(await openRoles(text));
for (const { id, question } of questions) {
  const results = [];
  for (const set of sets) {
    const run = startRun({
      method,
      options: { threshold: Number(values.threshold) },
      question,
      system: null,
      roles: set.roles,
    });
    const result = await run.result;
    set.seconds += result.ledger.total.seconds;
    for (const role of ["draft", "target", "reward"])
      set.recomputed += result.ledger[role]?.read.recomputed ?? 0;
    results.push(result);
  }
  for (const [index, set] of sets.entries()) {
    const difference = compare(results[0].steps, results[index].steps, set);
    if (difference) set.different.push({ id, ...difference });
  }
}
for (const { text, seconds, recomputed, different, greatest } of sets) {
  console.log(
    JSON.stringify({ roles: text, questions: questions.length, seconds, recomputed, different, greatest }),
  );
}
for (const { store } of sets) await store[Symbol.asyncDispose]();
process.exit(0);

/** The first step that differs in writer, text or decision, with both rewards; null without one. */
function compare(one, other, set) {
  for (let step = 0; step < Math.max(one.length, other.length); step++) {
    const [a, b] = [one[step], other[step]].map((each) => each && decisions(each));
    if (JSON.stringify(a?.map(({ what }) => what)) !== JSON.stringify(b?.map(({ what }) => what)))
      return { step, local: a, remote: b };
    for (const [index, { reward }] of a.entries())
      if (reward !== null) set.greatest = Math.max(set.greatest, Math.abs(reward - b[index].reward));
  }
  return null;
}

function decisions({ origin, text, reward, rejected }) {
  return [...rejected, { origin, text, reward }].map((each) => ({
    what: `${each.origin}: ${each.text}`,
    reward: each.reward,
  }));
}
