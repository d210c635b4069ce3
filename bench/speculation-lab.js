// Acceptance and tokens per pass of the drafters on the lab's pair. Its laws are short enough to be listed, so what a
// first draft's acceptance must be is computed beside what was measured: the mean, over all places of the target's plain
// texts, of the sum that the rule stands for.
//   npm run build && node bench/speculation-lab.js [--questions 30] [--depth 4] [--nodes 8] [--temperatures 0,1,2]
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { mathsSystem } from "../dist/core/run.js";
import { headLaw, probabilityOf } from "../dist/core/sparse-law.js";
import { openLlama } from "../dist/models/llama/index.js";
import { speculate } from "../dist/speculation/index.js";
import { findTask } from "../dist/tasks/index.js";

const { values } = parseArgs({
  options: {
    questions: { type: "string", default: "30" },
    depth: { type: "string", default: "4" },
    nodes: { type: "string", default: "8" },
    temperatures: { type: "string", default: "0,1,2" },
  },
});
const first = 700_000;
const cap = 160;
const temperatures = values.temperatures.split(",").map(Number);
const lab = (name) => fileURLToPath(new URL(`../lab/models/${name}.gguf`, import.meta.url));
const [draft, target] = [await openLlama(lab("draft")), await openLlama(lab("target"))];
const task = await findTask("lab");
const questions = await Promise.all(
  Array.from({ length: Number(values.questions) }, (_, index) => task.generate(first + index)),
);
const prompts = await Promise.all(
  questions.map(({ question }) =>
    target.renderChat([
      { role: "system", content: mathsSystem },
      { role: "user", content: question },
    ]),
  ),
);

const samplingAt = (temperature) => ({ temperature, topK: 0, topP: 1, minP: 0, seed: 1 });
const writing = (temperature, index) => ({
  splitter: { kind: "none" },
  maxTokens: cap,
  sampling: samplingAt(temperature),
  key: `question ${index}`,
});

// ---- what first drafts must come to
/** The whole law of each place of a text, in order: ids are indices. */
async function lawsAlong(model, prompt, tokens, sampling) {
  const branch = await model.open(prompt);
  const laws = [];
  for (const next of [null, ...tokens]) {
    const passage = { text: "", tokens: next === null ? [] : [next], vocabulary: model.vocabulary };
    const { row } = await branch.append(passage, { row: true });
    const candidates = [...row].map((logprob, token) => ({ token, logprob }));
    laws.push(headLaw(candidates, sampling));
  }
  branch.drop();
  return laws.slice(0, -1);
}
/** q as a draft has it: of the most probable tokens alone. */
function headOf(law, size) {
  const order = [...law.tokens.keys()]
    .sort((a, b) => law.probabilities[b] - law.probabilities[a])
    .slice(0, size);
  const total = order.reduce((sum, index) => sum + law.probabilities[index], 0);
  const kept = order.sort((a, b) => a - b);
  return {
    tokens: kept.map((index) => law.tokens[index]),
    probabilities: kept.map((index) => law.probabilities[index] / total),
  };
}
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const best = (law) => law.tokens[law.probabilities.indexOf(Math.max(...law.probabilities))];

/** Where two cumulative laws, ids ascending, give the same token to the same uniform number. */
function overlap(p, q) {
  const ends = ({ tokens, probabilities }) => {
    const intervals = new Map();
    let start = 0;
    for (const [index, token] of tokens.entries()) {
      const end = start + probabilities[index];
      intervals.set(token, [start, end]);
      start = end;
    }
    return intervals;
  };
  const other = ends(q);
  return sum(
    [...ends(p)].map(([token, [from, to]]) => {
      const [start, end] = other.get(token) ?? [0, 0];
      return Math.max(0, Math.min(to, end) - Math.max(from, start));
    }),
  );
}
/** Recursive rejection of two drafts without replacement: over all ordered pairs. */
function twoWithout(p, q) {
  let accepted = 0;
  for (const [index, first] of q.tokens.entries()) {
    const chance = q.probabilities[index];
    if (chance < 1e-6) continue;
    const keep = Math.min(1, probabilityOf(first, p) / chance);
    accepted += chance * keep;
    if (keep >= 1) continue;
    const residual = new Map(
      p.tokens.map((token, at) => [token, Math.max(0, p.probabilities[at] - probabilityOf(token, q))]),
    );
    const mass = sum([...residual.values()]);
    const rest = 1 - chance;
    if (mass <= 0 || rest <= 0) continue;
    const second = q.tokens.map((token, at) =>
      token === first ? 0 : Math.min(q.probabilities[at] / rest, (residual.get(token) ?? 0) / mass),
    );
    accepted += chance * (1 - keep) * sum(second);
  }
  return accepted;
}
const enumerated = {
  "model?draws=sampled recursive": (p, q) =>
    sum(q.tokens.map((token, at) => Math.min(q.probabilities[at], probabilityOf(token, p)))),
  "model?draws=sampled agreement": (p, q) =>
    sum(q.tokens.map((token, at) => q.probabilities[at] * probabilityOf(token, p))),
  "model?draws=coupled agreement": overlap,
  "model?draws=top agreement": (p, q) => probabilityOf(best(q), p),
  "model-tree?branching=2 recursive": twoWithout,
};

// ---- measuring
async function measured(name, controller, temperature) {
  const [drafter, rule] = name.split(" ");
  const model = await speculate(target, { drafter, rule, controller, draft });
  const total = { blocks: 0, drafted: 0, accepted: 0, written: 0, passes: 0 };
  const texts = await Promise.all(
    prompts.map(async (prompt, index) => {
      const branch = await model.open(prompt);
      const { tokens, speculation } = await branch.extend(writing(temperature, index));
      branch.drop();
      const { blocks = 0, drafted = 0, accepted = 0 } = speculation ?? {};
      total.blocks += blocks;
      total.drafted += drafted;
      total.accepted += accepted;
      total.written += tokens.length;
      // Tokens that no block wrote took a pass each.
      total.passes += blocks + Math.max(0, tokens.length - accepted - blocks);
      return tokens.join();
    }),
  );
  return { ...total, texts };
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;
for (const temperature of temperatures) {
  const plain = await Promise.all(
    prompts.map(async (prompt, index) => {
      const branch = await target.open(prompt);
      const { tokens } = await branch.extend(writing(temperature, index));
      branch.drop();
      return tokens;
    }),
  );
  const places = [];
  for (const [index, tokens] of plain.entries()) {
    const [ofTarget, ofDraft] = await Promise.all(
      [target, draft].map((model) => lawsAlong(model, prompts[index], tokens, samplingAt(temperature))),
    );
    places.push(...ofTarget.map((p, at) => [p, headOf(ofDraft[at], 64)]));
  }
  console.log(`\n## Temperature ${temperature}: ${plain.length} questions, ${places.length} places\n`);
  console.log("A block of one draft (or two siblings) after every token:\n");
  console.log(
    "| drafter, rule | accepted blocks, enumerated | measured | two standard errors |\n|---|---|---|---|",
  );
  for (const [name, acceptance] of Object.entries(enumerated)) {
    const expected = sum(places.map(([p, q]) => acceptance(p, q))) / places.length;
    const nodes = name.startsWith("model-tree") ? 2 : 1;
    const { blocks, accepted } = await measured(name, `fixed?depth=1&nodes=${nodes}`, temperature);
    const share = accepted / blocks;
    const error = 2 * Math.sqrt((expected * (1 - expected)) / blocks);
    console.log(
      `| ${name.replace(" ", ", ")} | ${percent(expected)} | ${percent(share)} | ${percent(error)} |`,
    );
  }

  const depth = Number(values.depth);
  const shapes = {
    chain: `fixed?depth=${depth}&nodes=${depth}`,
    tree: `fixed?depth=${depth}&nodes=${values.nodes}`,
  };
  const rows = [
    ["model agreement", "chain"],
    ["model?draws=sampled recursive", "chain"],
    ["model-tree recursive", "tree"],
    ["model-tree?draws=independent multi-round", "tree"],
    ["model-tree?draws=independent k-seq", "tree"],
    ["dyspec recursive", "tree"],
    ["dyspec?builder=greedy recursive", "tree"],
    ["beam-forest recursive", "tree"],
    ["beam-forest?draws=independent recursive", "tree"],
    ["lookup agreement", "chain"],
    ["suffix agreement", "tree"],
    ["recycling agreement", "tree"],
    ["jacobi recursive", "chain"],
    ["fused?drafters=lookup%2Bmodel agreement", "tree"],
    ["retrieval recursive", "tree"],
  ];
  console.log(`\nDepth ${depth}; chains of ${depth} nodes, trees of at most ${values.nodes}:\n`);
  console.log(
    "| drafter, rule | drafted | accepted of them | tokens per pass | the plain texts |\n|---|---|---|---|---|",
  );
  for (const [name, shape] of rows) {
    const { drafted, accepted, written, passes, texts } = await measured(name, shapes[shape], temperature);
    const same = texts.filter((text, index) => text === plain[index].join()).length;
    console.log(
      `| ${name.replace(" ", ", ")} | ${drafted} | ${percent(accepted / Math.max(1, drafted))} | ${(written / passes).toFixed(2)} | ${same} of ${plain.length} |`,
    );
  }
}
for (const model of [draft, target]) await model[Symbol.asyncDispose]();
