// Token-level speculation on real weights: drafters, rules and controllers side by side with plain decoding, over three
// kinds of text: questions of a file, edits of this repository's own code, summaries of its own pages. Rows take turns
// on every prompt, one thread, greedy. Times are processor time of both processes, so that what else runs on the
// machine takes nothing away; wall seconds stand beside them. Predictions come from pass times measured in the same run.
//   npm run build && node bench/speculation.js --target T.gguf [--draft D.gguf] --questions FILE.jsonl [--prompts 2]
//     [--offset 0] [--tokens 96] [--row 'DRAFTER RULE CONTROLLER' ...] [--peer PROGRAM] [--out FILE.jsonl]
// With --out, what the file holds already is not measured again, and the tables are over all of it.
// PROGRAM: llama.cpp's llama-speculative-simple, built against the same libraries; it runs in the same round.
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { greedy } from "../dist/core/model.js";
import { openLlama, sharedEngine } from "../dist/models/llama/index.js";
import { speculate } from "../dist/speculation/index.js";

const { values } = parseArgs({
  options: {
    target: { type: "string" },
    draft: { type: "string" },
    questions: { type: "string" },
    prompts: { type: "string", default: "2" },
    offset: { type: "string", default: "0" },
    tokens: { type: "string", default: "96" },
    kinds: { type: "string", default: "maths,editing,summary" },
    row: { type: "string", multiple: true },
    peer: { type: "string" },
    out: { type: "string" },
  },
});
if (!values.target || !values.questions) {
  console.error("usage: node bench/speculation.js --target T.gguf [--draft D.gguf] --questions FILE.jsonl");
  process.exit(2);
}
const tokens = Number(values.tokens);
const offset = Number(values.offset);
const count = offset + Number(values.prompts);
const withDraft = [
  "model agreement fixed?depth=3",
  "model agreement fixed?depth=15",
  "model agreement confidence?depth=15",
  "model-tree agreement fixed?nodes=15&depth=3",
  "model agreement auto",
];
const alone = [
  "lookup agreement fixed?depth=15",
  "suffix agreement fixed?depth=15",
  "recycling agreement fixed?nodes=15&depth=4",
  "suffix agreement auto",
  "recycling agreement auto",
];
const rowNames = values.row ?? [...(values.draft ? withDraft : []), ...alone];

// ---- the texts
const own = (path) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
const firstWords = (text, words) =>
  text
    .split(/(?<=\s)/)
    .slice(0, words)
    .join("");
const edits = [
  ["src/core/vote.ts", "Rename `answers` to `candidates` wherever it stands"],
  ["src/core/weights.ts", "Write `total` for `sum` wherever it stands"],
  ["src/core/survivors.ts", "Remove all comments"],
  ["src/core/chains.ts", "Translate the comments into French"],
];
const pages = ["docs/training.md", "docs/white-box.md", "docs/grading.md", "docs/lab.md"];
const texts = {
  maths: readFileSync(values.questions, "utf8")
    .trim()
    .split("\n")
    .slice(0, count)
    .map((line) => `${JSON.parse(line).question}\n\nThink step by step.`),
  editing: edits
    .slice(0, count)
    .map(
      ([path, wish]) =>
        `${wish}. Answer with the whole file and nothing else.\n\n\`\`\`ts\n${firstWords(own(path), 260)}\`\`\``,
    ),
  summary: pages
    .slice(0, count)
    .map(
      (path) =>
        `Summarise this page in six sentences, with its own words where you can.\n\n${firstWords(own(path), 220)}`,
    ),
};

// ---- measuring
/** Processor seconds of this process and the engine's so far. */
function processorSeconds() {
  const { user, system } = process.cpuUsage();
  const tasks = `/proc/${sharedEngine().processId}/task`;
  let nanoseconds = 0;
  for (const task of readdirSync(tasks)) {
    nanoseconds += Number(readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ")[0]);
  }
  return (user + system) / 1e6 + nanoseconds / 1e9;
}
async function timed(work) {
  const [wall, processor] = [performance.now(), processorSeconds()];
  const result = await work();
  return { result, processor: processorSeconds() - processor, wall: (performance.now() - wall) / 1000 };
}
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const writing = (maxTokens) => ({ splitter: { kind: "none" }, maxTokens, sampling: greedy, key: "bench" });

const target = await openLlama(values.target, { context: 2048 });
const draft = values.draft ? await openLlama(values.draft, { context: 2048 }) : undefined;

/** Processor seconds of passes by width, best of some, and of one written token. */
async function passTimes(model, widths) {
  const prompt = await model.tokenize(own("README.md"));
  const branch = await model.open({
    text: "",
    tokens: prompt.slice(0, 300),
    vocabulary: model.vocabulary,
  });
  await branch.extend(writing(1));
  const start = branch.length;
  const written = [];
  const passes = new Map(widths.map((width) => [width, []]));
  for (let round = 0; round < 4; round++) {
    const { processor } = await timed(() => branch.extend(writing(6)));
    branch.trim(start);
    if (round > 0) written.push(processor / 6);
    for (const width of widths) {
      const tree = Array.from({ length: width - 1 }, (_, at) => ({ token: prompt[at], parent: at - 1 }));
      const ask = Array.from({ length: width }, () => []);
      const pass = await timed(() => branch.readTree(tree, { sampling: greedy, key: "bench", ask }));
      branch.keep(-1);
      if (round > 0) passes.get(width).push(pass.processor);
    }
  }
  branch.drop();
  return { one: median(written), curve: [...passes].map(([width, list]) => [width, median(list)]) };
}
const costs = await passTimes(target, [1, 2, 3, 4, 6, 8, 12, 15, 16, 17, 32]);
const draftCosts = draft && (await passTimes(draft, [1]));
function passSeconds(width) {
  const { curve } = costs;
  const above = Math.max(
    1,
    curve.findIndex(([known]) => known >= width),
  );
  const [[low, lowSeconds], [high, highSeconds]] = [curve[above - 1], curve[above]];
  return lowSeconds + ((highSeconds - lowSeconds) * (width - low)) / (high - low);
}
console.log(`# ${values.target.split("/").at(-1)}, one thread, greedy, ${tokens} tokens a prompt\n`);
const inTokens = costs.curve.map(([width, seconds]) => `${width}: ${(seconds / costs.one).toFixed(2)}`);
console.log(
  `one token ${(1000 * costs.one).toFixed(0)} ms; a pass by its width, in tokens: ${inTokens.join(", ")}`,
);
if (draft) console.log(`one token of the draft model: ${(draftCosts.one / costs.one).toFixed(2)}`);

/** Tokens of the target's passes over trees, as they are made. */
let widths = [];
const observed = (object, changes) =>
  new Proxy(object, {
    get(inner, name) {
      if (Object.hasOwn(changes, name)) return changes[name];
      const value = inner[name];
      return typeof value === "function" ? value.bind(inner) : value;
    },
  });
const observedBranch = (branch) =>
  observed(branch, {
    fork: () => observedBranch(branch.fork()),
    readTree(tree, options) {
      widths.push(1 + tree.length);
      return branch.readTree(tree, options);
    },
  });
const observedTarget = observed(target, {
  open: async (...given) => observedBranch(await target.open(...given)),
});
const models = new Map([["plain", target]]);
for (const name of rowNames) {
  const [drafter, rule, controller] = name.split(" ");
  models.set(name, await speculate(observedTarget, { drafter, rule, controller, draft }));
}

/** Where two texts part, how sure the target was there: the gap between its best two, in nats. */
async function parting(prompt, plain, other) {
  const at = plain.findIndex((token, index) => other[index] !== token);
  if (at < 0) return null;
  const before = {
    text: "",
    tokens: [...prompt.tokens, ...plain.slice(0, at)],
    vocabulary: target.vocabulary,
  };
  const branch = await target.open(before);
  const { topK } = await branch.append("", { topK: 2 });
  branch.drop();
  return { at, gap: topK[0].logprob - topK[1].logprob };
}

const cells =
  values.out && existsSync(values.out)
    ? readFileSync(values.out, "utf8")
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    : [];
function note(cell) {
  cells.push(cell);
  if (values.out) appendFileSync(values.out, `${JSON.stringify(cell)}\n`);
  console.error(
    `${cell.kind} ${cell.index} ${cell.row}: ${cell.processor.toFixed(2)} s for ${cell.written} tokens`,
  );
}

const peers = {
  "llama.cpp, nothing drafted": ["--spec-type", "ngram-simple", "--spec-ngram-simple-size-n", "200"],
  "llama.cpp ngram-simple n=3 m=15": [
    ...["--spec-type", "ngram-simple", "--spec-ngram-simple-size-n", "3"],
    ...["--spec-ngram-simple-size-m", "15"],
  ],
  ...(values.draft && {
    "llama.cpp draft-simple n=3": [
      "-md",
      values.draft,
      "--spec-type",
      "draft-simple",
      "--spec-draft-n-max",
      "3",
    ],
  }),
};
/** One run of the peer: what it wrote, and all its processor seconds. */
function peerRun(prompt, flags, most) {
  const common = ["-m", values.target, "-t", "1", "-tb", "1", "-c", "2048", "-b", "2048", "-n", `${most}`];
  const run = spawnSync(
    "bash",
    [
      ...["-c", 'time "$0" "$@"', values.peer, ...common, ...flags],
      ...["--temp", "0", "--no-escape", "-p", prompt.text, "-fit", "off"],
    ],
    { encoding: "utf8", env: { ...process.env, TIMEFORMAT: "processor %U %S" }, maxBuffer: 2 ** 26 },
  );
  const words = `${run.stdout}\n${run.stderr}`;
  const number = (pattern) => Number(pattern.exec(words)?.[1] ?? Number.NaN);
  const [, user, system] = /processor ([\d.]+) ([\d.]+)/.exec(words) ?? [];
  const [, decoded, wall] = /decoded\s+(\d+) tokens in\s+([\d.]+) seconds/.exec(words) ?? [];
  if (decoded === undefined) throw new Error(`the peer failed: ${words.slice(-600)}`);
  return {
    written: Number(decoded),
    wall: Number(wall),
    processor: Number(user) + Number(system),
    drafted: number(/n_drafted\s*=\s*(\d+)/),
    accepted: number(/n_accept\s*=\s*(\d+)/),
  };
}
/** Loading and reading the prompt are taken away by a second run that writes next to nothing. */
function runPeer(prompt, flags) {
  const long = peerRun(prompt, flags, tokens);
  const short = peerRun(prompt, flags, 1);
  const difference = (field) => long[field] - short[field];
  const fields = ["written", "wall", "processor", "drafted", "accepted"];
  return Object.fromEntries(fields.map((field) => [field, difference(field)]));
}

let turn = 0;
for (const kind of values.kinds.split(",")) {
  for (const [index, content] of texts[kind].entries()) {
    if (index < offset || cells.some((cell) => cell.kind === kind && cell.index === index)) continue;
    turn = index;
    const prompt = await target.renderChat([{ role: "user", content }]);
    // Held open, so that no row pays for reading the prompt.
    const held = [];
    for (const model of [target, ...(draft ? [draft] : [])]) {
      held.push(await model.open(prompt));
      await held.at(-1).extend(writing(1));
    }
    const names = [...models.keys()];
    const results = new Map();
    for (let step = 0; step < names.length; step++) {
      const name = names[(step + turn) % names.length];
      const branch = await models.get(name).open(prompt);
      const first = await branch.extend(writing(1));
      widths = [];
      const { result, processor, wall } = await timed(() => branch.extend(writing(tokens)));
      branch.drop();
      results.set(name, [...first.tokens, ...result.tokens]);
      const { drafted = 0, accepted = 0, draft: drafting } = result.speculation ?? {};
      const written = result.tokens.length;
      const read = widths.reduce((total, width) => total + passSeconds(width), 0);
      // Each pass over a tree writes a token beside the drafts that it accepts.
      const single = Math.max(0, written - accepted - widths.length);
      const predicted =
        single * costs.one +
        read +
        ((drafting?.prefillTokens ?? 0) + (drafting?.decodeTokens ?? 0)) * (draftCosts?.one ?? 0);
      const passes = single + widths.length;
      note({ kind, index, row: name, written, drafted, accepted, passes, predicted, processor, wall });
    }
    for (const name of rowNames) {
      const parted = await parting(prompt, results.get("plain"), results.get(name));
      if (!parted) continue;
      console.log(
        `${kind} ${index}, ${name}: another token at ${parted.at}, where the best two are ${parted.gap.toFixed(4)} nats apart`,
      );
    }
    for (const branch of held) branch.drop();
    if (values.peer && index === 0) {
      for (const [name, flags] of Object.entries(peers)) {
        try {
          const cell = runPeer(prompt, flags);
          const passes = cell.written - cell.accepted;
          note({ kind, index, row: name, passes, predicted: Number.NaN, ...cell });
        } catch (error) {
          console.log(`${kind} ${index}, ${name}: ${error.message}`);
        }
      }
    }
  }
}
await sharedEngine()[Symbol.asyncDispose]();

// ---- the table
const sum = (list, field) => list.reduce((total, cell) => total + cell[field], 0);
const share = (value) => (Number.isFinite(value) ? value.toFixed(2) : "");
for (const kind of values.kinds.split(",")) {
  console.log(`\n## ${kind}\n`);
  console.log(
    "| drafter, rule, controller | drafted | accepted | acceptance | tokens per pass | predicted speed-up | measured | wall | ms per token |",
  );
  console.log("|---|---|---|---|---|---|---|---|---|");
  for (const name of [...models.keys(), ...(values.peer ? Object.keys(peers) : [])]) {
    const list = cells.filter((cell) => cell.kind === kind && cell.row === name);
    // Against the plain cells of the same prompts, by the token, because texts may part.
    const base = name.startsWith("llama.cpp") ? "llama.cpp, nothing drafted" : "plain";
    const same = cells.filter(
      (cell) => cell.kind === kind && cell.row === base && list.some(({ index }) => index === cell.index),
    );
    const perToken = (some, field) => sum(some, field) / sum(some, "written");
    const [drafted, accepted] = [sum(list, "drafted"), sum(list, "accepted")];
    const figures = [
      name,
      drafted,
      accepted,
      drafted ? share(accepted / drafted) : "",
      share(sum(list, "written") / sum(list, "passes")),
      name === base ? "" : share(perToken(same, "processor") / perToken(list, "predicted")),
      name === base ? "" : share(perToken(same, "processor") / perToken(list, "processor")),
      name === base ? "" : share(perToken(same, "wall") / perToken(list, "wall")),
      (1000 * perToken(list, "processor")).toFixed(0),
    ];
    console.log(`| ${figures.join(" | ")} |`);
  }
}
