// How fast the white box writes and reads beside libllama: the same file, prompt and engine, one thread, interleaved.
//   npm run build && node bench/white-box.js MODEL.gguf [--blocks 12] [--tokens 24] [--json]
import { parseArgs } from "node:util";
import { greedy } from "../dist/core/model.js";
import { openLlama, sharedEngine } from "../dist/models/llama/index.js";

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
  console.error("usage: node bench/white-box.js MODEL.gguf [--blocks N] [--tokens N] [--json]");
  process.exit(2);
}
const blocks = Number(values.blocks);
const tokens = Number(values.tokens);
const text =
  "A farmer has 17 fields with 23 rows of corn each, and every row has 41 plants. Some rows are lost to the wind. ".repeat(
    3,
  );
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

const models = {
  white: await openLlama(path, { context: 2048, whiteBox: true }),
  black: await openLlama(path, { context: 2048 }),
};
const prompt = await models.black.tokenize(text);
const passage = { text, tokens: prompt, vocabulary: models.black.vocabulary };
const roots = {};
for (const [side, model] of Object.entries(models)) {
  roots[side] = await model.open(passage);
  await roots[side].append(" ");
}

const timed = async (work) => {
  const started = performance.now();
  const count = await work();
  return count / ((performance.now() - started) / 1000);
};
const kinds = {
  /** One stream, greedy. */
  write: async (side) => {
    const branch = roots[side].fork();
    const writing = { splitter: { kind: "none" }, sampling: greedy, key: "bench" };
    await branch.extend({ ...writing, maxTokens: 1 });
    const speed = await timed(
      async () => (await branch.extend({ ...writing, maxTokens: tokens })).tokens.length,
    );
    branch.drop();
    return speed;
  },
  /** A passage of the prompt's length, read in one go. */
  read: async (side) => {
    const branch = roots[side].fork();
    const speed = await timed(async () => {
      await branch.append(passage, { topK: 1 });
      return prompt.length;
    });
    branch.drop();
    return speed;
  },
};
const results = { file: path.split("/").at(-1), blocks, tokens, promptTokens: prompt.length };
for (const [kind, run] of Object.entries(kinds)) {
  const speeds = { white: [], black: [] };
  for (let block = 0; block <= blocks; block++) {
    const order = block % 2 === 0 ? ["white", "black"] : ["black", "white"];
    for (const side of order) {
      const speed = await run(side);
      // The first block warms up.
      if (block > 0) speeds[side].push(speed);
    }
  }
  results[kind] = {
    white: median(speeds.white),
    black: median(speeds.black),
    ratio: median(speeds.white.map((speed, block) => speed / speeds.black[block])),
    ratioOfBest: Math.max(...speeds.white) / Math.max(...speeds.black),
  };
}
await sharedEngine()[Symbol.asyncDispose]();

if (values.json) console.log(JSON.stringify(results, null, 2));
else {
  console.log(`${results.file}, one thread, ${blocks} interleaved pairs`);
  for (const kind of Object.keys(kinds)) {
    const { white, black, ratio, ratioOfBest } = results[kind];
    console.log(
      `${kind.padEnd(6)} white box ${white.toFixed(1)} tok/s, libllama ${black.toFixed(1)}: ratio ${ratio.toFixed(3)} (median of pairs), ${ratioOfBest.toFixed(3)} (best of each)`,
    );
  }
}
