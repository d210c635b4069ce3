// What a verified block costs: one pass over k tokens with all k rows read, against one written token. Ours (readTree,
// with what a rule asks) and bare libllama without any reading of rows, interleaved on the same file, one thread. Times
// are processor time of all threads of both processes, so that what else runs on the machine takes nothing away.
//   npm run build && node bench/block-cost.js MODEL.gguf [--rounds 12] [--sizes 1,2,4,8,16] [--context 200] [--kinds LIST] [--json]
import { parseArgs } from "node:util";
import { greedy } from "../dist/core/model.js";
import { openLlama, sharedEngine } from "../dist/models/llama/index.js";
import { loadNative } from "../dist/native/load.js";
import { spentSoFar } from "./processor-time.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "12" },
    sizes: { type: "string", default: "1,2,3,4,6,8,12,16" },
    context: { type: "string", default: "200" },
    kinds: { type: "string", default: "greedy,sampled,recycling" },
    json: { type: "boolean", default: false },
  },
});
const [path] = positionals;
if (!path) {
  console.error("usage: node bench/block-cost.js MODEL.gguf [--rounds N] [--sizes LIST] [--context N]");
  process.exit(2);
}
const sizes = values.sizes.split(",").map(Number);
const length = Number(values.context);
const text = "A farmer has 17 fields with 23 rows of corn each, and every row has 41 plants. ".repeat(60);

const model = await openLlama(path, { context: 2048 });
const prompt = (await model.tokenize(text)).slice(0, length);
const branch = await model.open({ text, tokens: prompt, vocabulary: model.vocabulary });
await branch.append(" ");
const start = branch.length;

const native = loadNative();
const bareModel = native.llama_model_load_from_file(path, native.llama_model_default_params());
const bareContext = native.llama_init_from_model(bareModel, {
  ...native.llama_context_default_params(),
  n_ctx: 2048,
  n_batch: 512,
  n_ubatch: 512,
  n_seq_max: 1,
  n_threads: 1,
  n_threads_batch: 1,
  no_perf: true,
});
const memory = native.llama_get_memory(bareContext);
function bareDecode(ids, outputs) {
  const logits = new Int8Array(ids.length).fill(outputs ? 1 : 0);
  logits[ids.length - 1] = 1;
  const batch = {
    n_tokens: ids.length,
    token: Int32Array.from(ids),
    embd: null,
    pos: null,
    n_seq_id: null,
    seq_id: null,
    logits,
  };
  if (native.llama_decode(bareContext, batch) !== 0) throw new Error("bare decode failed");
}
bareDecode(prompt, false);

const draft = (size) => prompt.slice(20, 20 + size - 1).map((token, index) => ({ token, parent: index - 1 }));
/** Sampling, how many tokens are asked about at each place, and how many of the most probable are wanted. */
const everyKind = {
  greedy: { sampling: greedy, asked: 1, topK: 0 },
  sampled: { sampling: { ...greedy, temperature: 0.8, topP: 0.95 }, asked: 64, topK: 0 },
  recycling: { sampling: greedy, asked: 8, topK: 8 },
};
const kinds = Object.fromEntries(values.kinds.split(",").map((kind) => [kind, everyKind[kind]]));
async function ours(size, { sampling, asked, topK }) {
  const tree = draft(size);
  const ask = Array.from({ length: size }, (_, place) =>
    Array.from({ length: asked }, (_, each) => prompt[(place + each) % prompt.length] + each),
  );
  const started = spentSoFar();
  await branch.readTree(tree, { sampling, key: "bench", ask, topK });
  branch.keep(-1);
  return spentSoFar() - started;
}
const sides = {
  plain: async () => {
    const started = spentSoFar();
    await branch.extend({ splitter: { kind: "none" }, maxTokens: 4, sampling: greedy, key: "bench" });
    const spent = (spentSoFar() - started) / 4;
    branch.trim(start);
    return spent;
  },
};
for (const size of sizes) {
  for (const [name, kind] of Object.entries(kinds)) sides[`${name} ${size}`] = () => ours(size, kind);
  sides[`bare ${size}`] = () => {
    const ids = prompt.slice(20, 20 + size);
    const started = spentSoFar();
    bareDecode(ids, true);
    const spent = spentSoFar() - started;
    native.llama_memory_seq_rm(memory, 0, prompt.length, -1);
    return spent;
  };
}
const seen = new Map(Object.keys(sides).map((name) => [name, []]));
for (let round = 0; round <= Number(values.rounds); round++) {
  // Another order each round; the first round warms up.
  const names = Object.keys(sides);
  for (let index = 0; index < names.length; index++) {
    const name = names[(index * 7 + round * 5) % names.length];
    const spent = await sides[name]();
    if (round > 0) seen.get(name).push(spent);
  }
}
await sharedEngine()[Symbol.asyncDispose]();
native.llama_free(bareContext);
native.llama_model_free(bareModel);

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const best = (name) => Math.min(...seen.get(name));
const middle = (name) => median(seen.get(name));
const rows = sizes.map((size) => ({
  size,
  milliseconds: Object.fromEntries(
    ["bare", ...Object.keys(kinds)].map((kind) => [kind, best(`${kind} ${size}`)]),
  ),
  medians: Object.fromEntries(
    ["bare", ...Object.keys(kinds)].map((kind) => [kind, middle(`${kind} ${size}`)]),
  ),
}));
const plain = best("plain");
if (values.json) {
  console.log(
    JSON.stringify({
      file: path.split("/").at(-1),
      context: length,
      plain,
      plainMedian: middle("plain"),
      rows,
    }),
  );
} else {
  console.log(
    `${path.split("/").at(-1)}, context ${length}, one thread, processor time, best of ${values.rounds} rounds (medians in brackets)`,
  );
  console.log(`one written token: ${plain.toFixed(1)} ms (${middle("plain").toFixed(1)})\n`);
  const [first, ...others] = Object.keys(kinds);
  const figures = ["k", "bare pass, ms", `${first} block, ms`, "v(k)", "ours / bare"];
  console.log(`| ${[...figures, ...others.map((kind) => `${kind} block, ms`)].join(" | ")} |`);
  console.log(`|${"---|".repeat(figures.length + others.length)}`);
  for (const { size, milliseconds, medians } of rows) {
    const show = (kind) => `${milliseconds[kind].toFixed(1)} (${medians[kind].toFixed(1)})`;
    const v = (milliseconds[first] / plain).toFixed(2);
    const ratio = (milliseconds[first] / milliseconds.bare).toFixed(2);
    console.log(`| ${[size, show("bare"), show(first), v, ratio, ...others.map(show)].join(" | ")} |`);
  }
}
