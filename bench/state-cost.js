// What it costs that hidden states ride along with what is written: the same steps written with and without them, one
// branch alone and eight at a time, and a prompt read beside a writer. Both sides interleaved in one run on the same
// file, one thread. Times are processor time of this process and the engine's, so that what else runs on the machine
// takes nothing away. Then, with the scheduler in this process, how many rows of logits each side computed.
//   npm run build && node bench/state-cost.js MODEL.gguf [--rounds 12] [--steps 3] [--tokens 24] [--json]
import { parseArgs } from "node:util";
import { greedy } from "../dist/core/model.js";
import { openLlama, sharedEngine } from "../dist/models/llama/index.js";
import { Scheduler } from "../dist/models/llama/scheduler.js";
import { loadLlamaNativeModel } from "../dist/native/llama-native-model.js";
import { spentSoFar } from "./processor-time.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "12" },
    steps: { type: "string", default: "3" },
    tokens: { type: "string", default: "24" },
    json: { type: "boolean", default: false },
  },
});
const [path] = positionals;
if (!path) {
  console.error("usage: node bench/state-cost.js MODEL.gguf [--rounds N] [--steps N] [--tokens N] [--json]");
  process.exit(2);
}
const [rounds, steps, tokens] = [values.rounds, values.steps, values.tokens].map(Number);
const text = "A farmer has 17 fields with 23 rows of corn each, and every row has 41 plants. ".repeat(10);
const writing = (states, key) => ({
  splitter: { kind: "none" },
  maxTokens: tokens,
  sampling: { ...greedy, temperature: 0.7 },
  key,
  states,
});

const model = await openLlama(path, { context: 2048, keptPrompts: 0 });
const root = await model.open(text);
await root.append("");
const long = await model.tokenize(text);
// Another start, so that nothing of it is in the cache.
const prompt = { text: "", tokens: [...long.slice(7), ...long].slice(0, 300), vocabulary: model.vocabulary };

/** Writes the steps in so many branches at a time; how many tokens, and with how many states. */
async function write(branches, states) {
  const counts = await Promise.all(
    Array.from({ length: branches }, async (_, index) => {
      const branch = root.fork();
      let [written, withStates] = [0, 0];
      for (let step = 0; step < steps; step++) {
        const extension = await branch.extend(writing(states, `${index}/${step}`));
        written += extension.tokens.length;
        if (extension.states) withStates += extension.tokens.length;
      }
      branch.drop();
      return [written, withStates];
    }),
  );
  return counts.reduce(([a, b], [c, d]) => [a + c, b + d], [0, 0]);
}

async function readBeside(states) {
  const reader = await model.open("Then");
  const read = reader.append(prompt);
  const counts = await write(1, states);
  await read;
  reader.drop();
  return counts;
}

const cases = {
  "one branch": (states) => write(1, states),
  "eight branches": (states) => write(8, states),
  "a prompt of 300 beside one": readBeside,
};
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const results = { file: path.split("/").at(-1), rounds, steps, tokens, cases: {} };

const spent = Object.fromEntries(
  Object.keys(cases).map((name) => [name, { plain: [], states: [], again: [] }]),
);
for (let round = -1; round < rounds; round++) {
  for (const [name, run] of Object.entries(cases)) {
    // Plain twice: what differs between the two is noise.
    const sides = ["plain", "states", "again"];
    const order = [0, 1, 2].map((place) => sides[(place + Math.max(0, round)) % 3]);
    for (const side of order) {
      const before = spentSoFar();
      const [written, withStates] = await run(side === "states");
      const per = (spentSoFar() - before) / written;
      if ((withStates === written) !== (side === "states")) throw new Error(`${name}: states are missing`);
      if (round >= 0) spent[name][side].push(per);
    }
  }
}
for (const [name, { plain, states, again }] of Object.entries(spent)) {
  const ratios = (list) => list.map((value, round) => (2 * value) / (plain[round] + again[round]));
  results.cases[name] = {
    milliseconds: median([...plain, ...again]),
    ratio: median(ratios(states)),
    ratios: ratios(states).map((ratio) => Number(ratio.toFixed(4))),
    noise: median(plain.map((value, round) => again[round] / value)),
  };
}
await model[Symbol.asyncDispose]();
await sharedEngine()[Symbol.asyncDispose]();

/** Rows of logits for a prompt that is read, and a prompt and a step that are written, at the same time. */
async function rowsComputed(states) {
  const native = await loadLlamaNativeModel({ path, cells: 2048, sequences: 8 });
  const counts = { tokens: 0, rows: 0, passes: 0 };
  const decode = native.decode.bind(native);
  native.decode = (batch, options) => {
    counts.tokens += batch.length;
    counts.rows += batch.filter(({ output }) => output).length;
    counts.passes++;
    return decode(batch, options);
  };
  const scheduler = new Scheduler(native, { keptPrompts: 0 });
  scheduler.open(1, long);
  scheduler.open(2, prompt.tokens);
  const call = (kind, branch, operation) =>
    new Promise((resolve, reject) => scheduler[kind](branch, { kind, resolve, reject, ...operation }));
  await Promise.all([
    call("extend", 1, { call: 1, ...writing(states, "rows"), onText: null }),
    call("append", 2, { call: 2, passage: prompt.tokens, want: null }),
  ]);
  native.close();
  return counts;
}
results.rows = { plain: await rowsComputed(false), states: await rowsComputed(true) };

if (values.json) console.log(JSON.stringify(results));
else {
  console.log(`${results.file}: ${rounds} rounds of ${steps} steps of ${tokens} tokens`);
  for (const [name, { milliseconds, ratio, noise, ratios }] of Object.entries(results.cases)) {
    const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
    console.log(
      `  ${name.padEnd(28)} ${milliseconds.toFixed(2)} ms a token; with states ${ratio.toFixed(3)} of it (${least.toFixed(3)} to ${most.toFixed(3)}), plain again ${noise.toFixed(3)}`,
    );
  }
  for (const side of ["plain", "states"]) {
    const { rows, tokens: passed, passes } = results.rows[side];
    console.log(`  ${side.padEnd(28)} ${rows} rows of logits for ${passed} tokens in ${passes} passes`);
  }
}
