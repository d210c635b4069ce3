// What the engine costs on top of libllama, and what its branches gain. Both sides of each comparison are
// interleaved in one run, on the same file, with one thread; only the ratios mean anything on a shared machine.
//   npm run build && node bench/decode.js MODEL.gguf [--blocks 12] [--tokens 24] [--json]
import { readFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { greedy } from "../dist/core/model.js";
import { openLlama, sharedEngine } from "../dist/models/llama/index.js";
import { loadNative } from "../dist/native/load.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    blocks: { type: "string", default: "12" },
    tokens: { type: "string", default: "24" },
    json: { type: "boolean", default: false },
  },
});
const [path] = positionals;
if (!path) {
  console.error("usage: node bench/decode.js MODEL.gguf [--blocks N] [--tokens N] [--json]");
  process.exit(2);
}
const blocks = Number(values.blocks);
const tokens = Number(values.tokens);
const context = 2048;
const text =
  "A farmer has 17 fields with 23 rows of corn each, and every row has 41 plants. Some rows are lost to the wind. ".repeat(
    3,
  );

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const residentBytes = (pid) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? Number.NaN) * 1024;
const results = { file: path.split("/").at(-1), blocks, tokens };

const model = await openLlama(path, { context });
const prompt = await model.tokenize(text);
const passage = { text, tokens: prompt, vocabulary: model.vocabulary };
const writing = (maxTokens, key = "bench") => ({
  splitter: { kind: "none" },
  maxTokens,
  sampling: greedy,
  key,
});

// ---- libllama driven bare in this process: the same file, the same prompt, no sampling at all
const native = loadNative();
const bareModel = native.llama_model_load_from_file(path, native.llama_model_default_params());
const bareContext = native.llama_init_from_model(bareModel, {
  ...native.llama_context_default_params(),
  n_ctx: context,
  n_batch: 512,
  n_ubatch: 512,
  n_seq_max: 1,
  n_threads: 1,
  n_threads_batch: 1,
  no_perf: true,
});
const memory = native.llama_get_memory(bareContext);
function bareDecode(ids) {
  const batch = {
    n_tokens: ids.length,
    token: Int32Array.from(ids),
    embd: null,
    pos: null,
    n_seq_id: null,
    seq_id: null,
    logits: null,
  };
  if (native.llama_decode(bareContext, batch) !== 0) throw new Error("bare decode failed");
}

// ---- 1. one stream: ours against bare, the order changed from block to block
const root = await model.open(passage);
await root.append(" ");
bareDecode(prompt.slice(0, -1));
const ratios = [];
const speeds = { ours: [], bare: [] };
let next = prompt.slice(0, 1);
for (let block = 0; block < blocks + 1; block++) {
  const sides = {
    ours: async () => {
      const branch = root.fork();
      await branch.extend(writing(1));
      const started = performance.now();
      next = (await branch.extend(writing(tokens))).tokens;
      const seconds = (performance.now() - started) / 1000;
      branch.drop();
      return next.length / seconds;
    },
    bare: async () => {
      native.llama_memory_seq_rm(memory, 0, prompt.length, -1);
      bareDecode([next[0]]);
      const ids = Array.from({ length: tokens }, (_, index) => next[index % next.length]);
      const started = performance.now();
      for (const id of ids) bareDecode([id]);
      return tokens / ((performance.now() - started) / 1000);
    },
  };
  const order = block % 2 === 0 ? ["ours", "bare"] : ["bare", "ours"];
  const speed = {};
  for (const side of order) speed[side] = await sides[side]();
  // The first block warms up.
  if (block === 0) continue;
  ratios.push(speed.ours / speed.bare);
  for (const side of order) speeds[side].push(speed[side]);
}
results.singleStream = {
  ours: median(speeds.ours),
  bare: median(speeds.bare),
  ratio: median(ratios),
  // The fastest block of each side: what is left when nobody else takes the core away.
  ratioOfBest: Math.max(...speeds.ours) / Math.max(...speeds.bare),
  ratios: ratios.map((ratio) => Number(ratio.toFixed(3))),
};
native.llama_free(bareContext);
native.llama_model_free(bareModel);

// ---- 2. sixteen branches from one prefix, together and one after another
const width = 16;
const together = [];
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();
for (let block = 0; block < Math.max(3, Math.ceil(blocks / 4)); block++) {
  const run = async (sequential) => {
    const branches = Array.from({ length: width }, () => root.fork());
    const started = performance.now();
    const write = (branch, index) =>
      branch.extend({
        ...writing(tokens),
        sampling: { ...greedy, temperature: 1 },
        key: `${block}.${index}`,
      });
    let written = 0;
    if (sequential)
      for (const [index, branch] of branches.entries()) written += (await write(branch, index)).tokens.length;
    else for (const { tokens } of await Promise.all(branches.map(write))) written += tokens.length;
    const seconds = (performance.now() - started) / 1000;
    for (const branch of branches) branch.drop();
    return written / seconds;
  };
  const [first, second] = [await run(block % 2 === 0), await run(block % 2 === 1)];
  const [alone, batch] = block % 2 === 0 ? [first, second] : [second, first];
  together.push({ alone, batch, ratio: batch / alone });
}
delay.disable();
results.eventLoopDelayMilliseconds = { greatest: delay.max / 1e6, p99: delay.percentile(99) / 1e6 };
results.branches16 = {
  alone: median(together.map(({ alone }) => alone)),
  together: median(together.map(({ batch }) => batch)),
  ratio: median(together.map(({ ratio }) => ratio)),
};

// ---- 3. forks and rollbacks: 10,000 of them, their cost and what they leave behind
const base = await root.fork();
await base.append(text);
// Warm up, so that what grows afterwards is a leak and not a buffer's first use.
for (let cycle = 0; cycle < 5000; cycle++) base.fork().drop();
const before = {
  cells: (await model.statistics()).freeCells,
  bytes: residentBytes(sharedEngine().processId),
};
const cycles = 10_000;
const forkSeconds = [];
for (let round = 0; round < 20; round++) {
  const started = performance.now();
  for (let cycle = 0; cycle < cycles / 20; cycle++) {
    const branch = base.fork();
    branch.trim(prompt.length);
    branch.drop();
  }
  await model.statistics();
  forkSeconds.push((performance.now() - started) / 1000 / (cycles / 20));
}
let settled = await model.statistics();
while (settled.branches > 2) settled = await model.statistics();
results.forks = {
  cycles,
  prefixTokens: base.length,
  microsecondsPerForkTrimDrop: median(forkSeconds) * 1e6,
  freeCellsBefore: before.cells,
  freeCellsAfter: settled.freeCells,
  residentBytesBefore: before.bytes,
  residentBytesAfter: residentBytes(sharedEngine().processId),
};
await sharedEngine()[Symbol.asyncDispose]();

if (values.json) console.log(JSON.stringify(results, null, 2));
else {
  const { singleStream, branches16, forks, eventLoopDelayMilliseconds: loop } = results;
  console.log(`${results.file}, one thread`);
  console.log(
    `one stream      ours ${singleStream.ours.toFixed(1)} tok/s, bare libllama ${singleStream.bare.toFixed(1)}: ratio ${singleStream.ratio.toFixed(3)} (median of ${blocks} interleaved pairs), ${singleStream.ratioOfBest.toFixed(3)} (best block of each)`,
  );
  console.log(
    `16 branches     together ${branches16.together.toFixed(1)} tok/s, one after another ${branches16.alone.toFixed(1)}: ratio ${branches16.ratio.toFixed(2)}`,
  );
  console.log(
    `fork+trim+drop  ${forks.microsecondsPerForkTrimDrop.toFixed(1)} us for all three, over a prefix of ${forks.prefixTokens} tokens`,
  );
  console.log(
    `10,000 cycles   free cells ${forks.freeCellsBefore} -> ${forks.freeCellsAfter}, resident ${(forks.residentBytesBefore / 2 ** 20).toFixed(1)} -> ${(forks.residentBytesAfter / 2 ** 20).toFixed(1)} MiB`,
  );
  console.log(
    `event loop      greatest delay ${loop.greatest.toFixed(1)} ms, p99 ${loop.p99.toFixed(1)} ms while the engine decodes`,
  );
}
