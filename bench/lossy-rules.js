// What the lossy acceptance rules change, on the lab's pair: the total variation of one written token's law from the
// target's, and how many questions are answered right, beside the target alone and a lossless rule.
//   npm run build && node bench/lossy-rules.js [--questions 100] [--places 150] [--out FILE.jsonl] [--control]
// Thresholds and counts that a rule wants from its model pair are taken from other questions first.
// --control: drafts of random tokens instead; a reflective rule that accepts them only repeats what it reads.
import { appendFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { z } from "zod";
import { openRescue } from "../dist/accept/calibrated-rescue.js";
import { rules } from "../dist/accept/index.js";
import { PairCounts } from "../dist/accept/shared/pair-counts.js";
import { DraftTree, pointProposal } from "../dist/core/draft-tree.js";
import { greedy } from "../dist/core/model.js";
import { keyedUniform } from "../dist/core/random.js";
import { startRun } from "../dist/core/run.js";
import { probabilityOf, processed } from "../dist/core/sparse-law.js";
import { closeGrader, grade } from "../dist/grade/index.js";
import { methods } from "../dist/methods/index.js";
import { openLlama, sharedEngine } from "../dist/models/llama/index.js";
import { exactRow, mostProbable } from "../dist/models/scripted-tree.js";
import { speculate } from "../dist/speculation/index.js";
import { findTask } from "../dist/tasks/index.js";
import { everyCoin, totalVariation } from "../dist/testing/index.js";

const { values } = parseArgs({
  options: {
    questions: { type: "string", default: "100" },
    places: { type: "string", default: "150" },
    calibration: { type: "string", default: "400" },
    depth: { type: "string", default: "4" },
    out: { type: "string" },
    control: { type: "boolean", default: false },
  },
});
const development = 560_000;
const measured = 700_000;
const atOnce = 8;
const temperatures = [0, 1];
/** Tokens below it are left out of the laws that are compared. */
const least = 1e-4;

const lab = (name) => fileURLToPath(new URL(`../lab/models/${name}.gguf`, import.meta.url));
const [draft, target] = [await openLlama(lab("draft")), await openLlama(lab("target"))];
const task = await findTask("lab");
const method = await methods.get("target");
const speculating = (rule) =>
  speculate(target, {
    ...{ draft, drafter: "model?draws=sampled", controller: `fixed?depth=${values.depth}`, rule },
  });

/** How many of the questions from an index on are answered right, and what speculation did. */
async function answer(model, from, count, temperature) {
  const sum = { right: 0, blocks: 0, drafted: 0, accepted: 0, tokens: 0 };
  const one = async (index) => {
    const question = await task.generate(index);
    const { result } = startRun({
      ...{ method, question: question.question, roles: { target: model }, seed: index },
      sampling: { temperature },
    });
    const { text, ledger } = await result;
    const { blocks = 0, drafted = 0, accepted = 0 } = ledger.target?.speculation ?? {};
    const { correct } = await grade({ prediction: text, reference: question.reference, task: task.grading });
    sum.right += correct ? 1 : 0;
    for (const [name, figure] of Object.entries({ blocks, drafted, accepted })) sum[name] += figure;
    sum.tokens += ledger.target.decodeTokens;
  };
  for (let start = from; start < from + count; start += atOnce) {
    const indices = Array.from({ length: Math.min(atOnce, from + count - start) }, (_, at) => start + at);
    await Promise.all(indices.map(one));
  }
  return sum;
}

// ---- the control

const random = {
  ...{ name: "random", shape: "chain", proposals: ["point"], needsDraft: false, schema: z.object({}) },
  async open() {
    const propose = ({ tokens, depth, key, sampling }) => {
      const token = (at) =>
        Math.floor(keyedUniform(sampling.seed, key, tokens.length + at, "random") * target.size.vocabulary);
      const nodes = Array.from({ length: depth }, (_, at) => ({
        token: token(at),
        proposal: pointProposal,
        origin: "random",
      }));
      return Promise.resolve({ tree: DraftTree.chain(nodes) });
    };
    const session = { propose, fork: () => session, drop() {} };
    return { topK: 0, begin: () => session };
  },
};
if (values.control) {
  console.log("| alpha | random drafts accepted | right |\n|---|---|---|");
  const reflective = await rules.get("reflective");
  for (const alpha of [0, 0.1, 0.3, 0.5]) {
    const rule = { use: reflective, options: { alpha } };
    const model = await speculate(target, {
      drafter: random,
      controller: `fixed?depth=${values.depth}`,
      rule,
    });
    const { right, drafted, accepted } = await answer(model, measured, Number(values.questions), 0);
    console.log(`| ${alpha} | ${accepted} of ${drafted} | ${right}/${values.questions} |`);
  }
  await sharedEngine()[Symbol.asyncDispose]();
  closeGrader();
  process.exit(0);
}

// ---- what the rules want to know of the pair, from other questions

const plainRescue = await rules.get("calibrated-rescue");
const recursive = (await rules.get("recursive")).open({});
const counts = PairCounts.empty();
const counting = { ...plainRescue, open: () => openRescue(counts, { minimum: 1e9, ratio: 1, online: true }) };
await answer(await speculating(counting), development, Number(values.calibration), 0);

const entropies = { target: [], draft: [] };
const listening = {
  ...(await rules.get("recursive")),
  open: () => ({
    topK: 0,
    decide(place) {
      const decision = recursive.decide(place);
      const child = place.children.find(({ node }) => node === decision.child);
      if (child?.row) {
        entropies.target.push(place.row.entropy);
        entropies.draft.push(child.row.entropy);
      }
      return decision;
    },
  }),
};
await answer(await speculating(listening), development, Number(values.calibration), 1);
const quantile = (numbers, share) => numbers.sort((a, b) => a - b)[Math.floor(share * numbers.length)];
const thresholds = (share) => ({
  targetEntropy: quantile(entropies.target, share),
  draftEntropy: quantile(entropies.draft, share),
});
console.error(
  `${counts.size} pairs of tokens; entropies at the 0.9 quantile: ${JSON.stringify(thresholds(0.9))}`,
);

const rows = [
  ["agreement", {}],
  ["recursive", {}],
  ["typical", {}],
  ["calibrated-rescue", { table: counts.toText() }],
  ["entropy-veto", thresholds(0.9)],
  ["entropy-veto", thresholds(0.99)],
  ["reflective", { alpha: 0.1 }],
  ["reflective", { alpha: 0.3 }],
  ["reflective", { alpha: 0.5 }],
];
const label = ([name, { table: _, ...options }]) =>
  [name, ...Object.entries(options).map(([key, value]) => `${key}=${+value.toPrecision(3)}`)].join(" ");

// ---- the law of one written token, on texts that the target samples

/** The token laws of a place, cut to what is likely in one of them. */
async function placesOf(index, wanted) {
  const { question } = await task.generate(index);
  const prompt = await target.renderChat([{ role: "user", content: question }]);
  const branch = await target.open(prompt);
  const drafting = await draft.open(await draft.renderChat([{ role: "user", content: question }]));
  const warm = { ...greedy, temperature: 1, seed: index };
  let row = await branch.append("", { topK: 256 });
  let draftRow = await drafting.append("", { topK: 64 });
  const tokens = [...prompt.tokens];
  const places = [];
  for (let written = 0; written < 60; written++) {
    if (written % 3 === 1) places.push(await place(branch, row, draftRow, tokens));
    if (places.length >= wanted) break;
    const {
      rows: [{ draw }],
    } = await branch.readTree([], { sampling: warm, key: "text", ask: [[]] });
    if (target.endTokens?.has(draw.token)) break;
    const passage = { text: "", tokens: [draw.token], vocabulary: target.vocabulary };
    row = await branch.append(passage, { topK: 256 });
    draftRow = await drafting.append(passage, { topK: 64 });
    tokens.push(draw.token);
  }
  branch.drop();
  drafting.drop();
  return places;
}

const reviews = rows.filter(([name]) => name === "reflective").slice(0, 1);
const reviewPrompt = await target.tokenize((await rules.get("reflective")).schema.parse({}).prompt);

async function place(branch, row, draftRow, tokens) {
  const law = likely(row.topK);
  const drafts = likely(draftRow.topK);
  const listed = [...new Set([...law.tokens, ...drafts.tokens])].sort((a, b) => a - b);
  const logprob = new Map(row.topK.map((candidate) => [candidate.token, candidate.logprob]));
  const known = { tokens: listed, probabilities: listed.map((token) => Math.exp(logprob.get(token) ?? -30)) };
  const second = new Map();
  for (const token of reviews.length > 0 ? drafts.tokens : []) {
    const chain = [token, ...reviewPrompt, ...tokens.slice(-8)];
    const reading = await branch.readTree(
      chain.map((each, at) => ({ token: each, parent: at - 1 })),
      { sampling: greedy, key: "review", ask: [[], ...chain.map(() => listed)] },
    );
    second.set(
      token,
      normalised({ tokens: listed, probabilities: reading.rows.at(-1).logprobs.map(Math.exp) }),
    );
  }
  return { law: normalised(known), row, draftRow, drafts, second };
}

const likely = (candidates) => {
  const sorted = candidates
    .filter(({ logprob }) => logprob > Math.log(least))
    .sort((a, b) => a.token - b.token);
  return normalised({
    tokens: sorted.map(({ token }) => token),
    probabilities: sorted.map(({ logprob }) => Math.exp(logprob)),
  });
};
const normalised = ({ tokens, probabilities }) => {
  const total = probabilities.reduce((sum, p) => sum + p, 0);
  return { tokens, probabilities: probabilities.map((p) => p / total) };
};

/** The law of what a rule writes at a place, over all drafts and all falls of its coins. */
function writtenLaw(rule, { law, row, draftRow, drafts, second }, sampling) {
  const written = new Map();
  const proposal = { kind: "independent", law: processed(drafts, sampling) };
  for (const [index, token] of proposal.law.tokens.entries()) {
    const children = [{ node: 0, token, proposal, row: draftRow }];
    const decisions = everyCoin((uniform) => {
      const request = { sampling, asked: law.tokens, topK: rule.topK, uniform };
      const review = rule.review && {
        ...exactRow(second.get(token), request),
        topK: mostProbable(second.get(token), 64),
      };
      const decision = rule.decide({
        // Lists and entropies are the model's own; a mixed law stays with the tokens that are compared.
        row: { ...exactRow(law, request), ...(!rule.review && { topK: row.topK, entropy: row.entropy }) },
        review,
        asked: law.tokens,
        children,
        sampling,
        uniform,
      });
      return String("child" in decision ? token : decision.write.token);
    });
    const share = proposal.law.probabilities[index];
    for (const [text, p] of decisions) written.set(text, (written.get(text) ?? 0) + share * p);
  }
  return written;
}

const places = [];
for (let index = measured; places.length < Number(values.places); index++)
  places.push(...(await placesOf(index, 15)));

const variations = new Map();
for (const row of rows) {
  const rule = await rules.get(row[0]);
  for (const temperature of temperatures) {
    const sampling = { ...greedy, temperature };
    const found = places.map((each) => {
      const goal = processed(each.law, sampling);
      const wanted = new Map(goal.tokens.map((token) => [String(token), probabilityOf(token, goal)]));
      return totalVariation(writtenLaw(rule.open(rule.schema.parse(row[1])), each, sampling), wanted);
    });
    const mean = found.reduce((sum, variation) => sum + variation, 0) / found.length;
    variations.set(`${label(row)} ${temperature}`, { mean, most: Math.max(...found) });
  }
}

// ---- whole answers

const lines = [];
for (const temperature of temperatures) {
  const count = Number(values.questions);
  const plain = await answer(target, measured, count, temperature);
  lines.push({ row: "target alone", temperature, count, ...plain, mean: 0, most: 0 });
  for (const row of rows) {
    const rule = await rules.get(row[0]);
    const model = await speculating({ use: rule, options: row[1] });
    const found = await answer(model, measured, count, temperature);
    lines.push({
      row: label(row),
      temperature,
      count,
      ...found,
      ...variations.get(`${label(row)} ${temperature}`),
    });
    console.error(JSON.stringify(lines.at(-1)));
  }
}
if (values.out) appendFileSync(values.out, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
await sharedEngine()[Symbol.asyncDispose]();
closeGrader();

console.log(
  `Pair lab:draft, lab:target; ${values.places} places, ${values.questions} questions from index ${measured}, drafts of ${values.depth}.\n`,
);
console.log(
  "| rule | temperature | TV of a token, mean | most | right | drafts accepted | tokens per pass |",
);
console.log("|---|---|---|---|---|---|---|");
for (const { row, temperature, count, right, blocks, drafted, accepted, tokens, mean, most } of lines) {
  const cells = [row, temperature, mean.toFixed(4), most.toFixed(3), `${right}/${count}`];
  const share = drafted > 0 ? `${Math.round((100 * accepted) / drafted)} %` : "";
  console.log(`| ${[...cells, share, blocks > 0 ? (tokens / blocks).toFixed(2) : "1"].join(" | ")} |`);
}
