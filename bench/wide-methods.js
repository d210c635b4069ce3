/**
 * Wide methods as batches against the same calls one after another: tokens written per second, interleaved in one run.
 * Where other programs run beside it, trust the processor's seconds (Linux): the wall's are then theirs too.
 *
 *   npm run build && node bench/wide-methods.js --draft M.gguf [--rounds 4] [--max-tokens 96] [--threads 1]
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { startRun } from "../dist/core/run.js";
import { methods } from "../dist/methods/index.js";
import { openLlama, sharedEngine } from "../dist/models/llama/index.js";
import { openReward } from "../dist/rewards/index.js";

const { values } = parseArgs({
  options: {
    draft: { type: "string" },
    rounds: { type: "string", default: "4" },
    "max-tokens": { type: "string", default: "96" },
    threads: { type: "string", default: "1" },
  },
});
if (!values.draft) {
  console.error(
    "usage: node bench/wide-methods.js --draft M.gguf [--rounds 4] [--max-tokens 96] [--threads 1]",
  );
  process.exit(2);
}

const wide = {
  "best-of-16": ["best-of-n", { samples: 16 }],
  "beam-16": ["beam", { width: 4, expand: 4 }],
};
const questions = [
  "A shop sells pens in packs of 12. Ann buys 4 packs and gives 15 pens away. How many pens has she left?",
  "A train needs 3 hours for 240 kilometres. How far does it go in 5 hours at the same speed?",
  "Tom reads 25 pages a day. His book has 320 pages, and he has read 6 days. How many pages are left?",
  "A garden is 14 metres long and 9 metres wide. What is its area, and how long is the fence around it?",
];

/** The same search, where no call starts before the one ahead is through. */
function oneByOne(search) {
  let last = Promise.resolve();
  const inTurn = (call) => {
    const result = last.then(call);
    last = result.catch(() => {});
    return result;
  };
  const extend = (node, request) => inTurn(() => search.extend(node, request));
  const score = (node) => inTurn(() => search.score(node));
  const changed = {
    extend,
    score,
    extendAll: (requests) => Promise.all(requests.map(({ node, ...request }) => extend(node, request))),
    scoreAll: (nodes) => Promise.all(nodes.map(score)),
  };
  return new Proxy(search, {
    get(_, name) {
      const own = changed[name] ?? search[name];
      return typeof own === "function" ? own.bind(search) : own;
    },
  });
}

const threads = Number(values.threads);
const draft = await openLlama(values.draft, { threads, keptPrompts: 0 });
const reward = await openReward("confidence", {
  openModel: async () => draft,
  loadHead: () => Promise.reject(new Error("no head files here")),
});

/** Processor seconds so far, of this program and the engine's process. */
function processorSeconds() {
  const { user, system } = process.cpuUsage();
  try {
    const fields = readFileSync(`/proc/${sharedEngine().processId}/stat`, "utf8").split(") ")[1].split(" ");
    // Fields 14 and 15 of the file, in ticks of 10 ms.
    return (user + system) / 1e6 + (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return Number.NaN;
  }
}

async function measure(method, options, question, seed) {
  const started = performance.now();
  const busy = processorSeconds();
  const maxTokens = Number(values["max-tokens"]);
  const run = startRun({ method, options, question, seed, roles: { draft, reward }, maxTokens });
  const { ledger } = await run.result;
  return {
    tokens: ledger.draft.decodeTokens,
    wall: (performance.now() - started) / 1000,
    processor: processorSeconds() - busy,
  };
}

const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};

console.log(
  `${draft.name}, ${threads} thread${threads > 1 ? "s" : ""}, at most ${values["max-tokens"]} tokens an answer\n`,
);
for (const [label, [name, options]] of Object.entries(wide)) {
  const method = await methods.get(name);
  const alone = { ...method, run: (search, given) => method.run(oneByOne(search), given) };
  const measured = { batch: [], turn: [] };
  // Warm: the first decode of a process also builds its graphs.
  await measure(method, options, questions[0], 99);
  for (let round = 0; round < Number(values.rounds); round++) {
    const sides = [
      ["batch", method],
      ["turn", alone],
    ];
    for (const [side, variant] of round % 2 === 0 ? sides : sides.reverse()) {
      measured[side].push(await measure(variant, options, questions[round % questions.length], round));
    }
  }
  for (const clock of ["wall", "processor"]) {
    const rates = (side) => measured[side].map((one) => one.tokens / one[clock]);
    const ratios = rates("batch").map((rate, round) => rate / rates("turn")[round]);
    const list = ratios.map((ratio) => ratio.toFixed(2)).join(" ");
    console.log(
      `${label}, ${clock} seconds: ${median(rates("batch")).toFixed(0)} tokens/s as batches, ` +
        `${median(rates("turn")).toFixed(0)} one after another; by round ${list}, median ${median(ratios).toFixed(2)}`,
    );
  }
}
await draft[Symbol.asyncDispose]();
await sharedEngine()[Symbol.asyncDispose]();
