import { z } from "zod";
import { defineMethod } from "../core/method.js";
import { type Node, pathText, type Search } from "../core/search.js";
import { writeOn } from "../core/whole-answers.js";
import { chopsRequest, judge, pairRequest } from "./hedged/judge.js";

const schema = z.object({
  samples: z
    .int()
    .min(1)
    .max(26)
    .default(5)
    .describe("answers, of which one is greedy")
    .meta({ width: true }),
  sampleTemperature: z
    .number()
    .min(0)
    .max(10)
    .default(0.8)
    .describe("temperature of the others; published: 0.7 to 0.9"),
  select: z
    .enum(["chops", "mbr", "x-mbr"])
    .default("chops")
    .describe(
      "one judge call over all answers with a checklist; or the answer that agrees most with the others",
    ),
  utility: z
    .enum(["judge", "exact"])
    .default("judge")
    .describe("agreement of two answers for mbr: a digit from the target, or whether they mean the same"),
  evidence: z
    .int()
    .min(0)
    .max(16)
    .default(3)
    .describe("answers in another language that x-mbr compares with too"),
  language: z
    .string()
    .min(1)
    .max(64)
    .default("Chinese")
    .describe("language of that evidence; published: English, and Chinese for English questions"),
  shuffles: z
    .int()
    .min(1)
    .max(16)
    .default(1)
    .describe("chops calls, each with labels in another order; most votes win"),
  judgeTokens: z
    .int()
    .min(1)
    .max(4096)
    .default(512)
    .describe("greatest length of the judge's checklist and verdict"),
  excerpt: z
    .int()
    .min(16)
    .max(100_000)
    .default(4000)
    .describe("characters of each answer that a judge is shown"),
});

type Options = z.output<typeof schema>;

export default defineMethod({
  name: "hedged",
  essence: "one greedy answer beside a few samples; a judge's checklist or their consensus picks one",
  kind: "step",
  source:
    "Khairi et al., When Life Gives You Samples, EMNLP 2025, arXiv 2506.20544; the prompts are our wording",
  needs: { draft: ["text"], target: ["text"] },
  cost: "samples answers; one target call for chops, samples x (samples - 1 + evidence) short ones for mbr",
  use: "open questions in any language and a target that judges well; greedy stays as the safety net",
  schema,
  async run(search, options) {
    const pool = await write(search, search.root, options.samples, options);
    search.offer(pool[0]!);
    if (pool.length === 1) return search.finish(pool[0]!);
    const chosen =
      options.select === "chops" ? await chops(search, pool, options) : await mbr(search, pool, options);
    return search.finish(chosen);
  },
});

/** The greedy answer first, then samples. */
function write(search: Search, from: Node, count: number, options: Options): Promise<Node[]> {
  const temperatures = Array.from({ length: count }, (_, index) =>
    index === 0 ? 0 : options.sampleTemperature,
  );
  return writeOn(
    search,
    temperatures.map((temperature) => ({ node: from, role: "draft", sampling: { temperature } })),
  );
}

/** Checklisted one-pass selection: one call that sees all answers; without a valid verdict the greedy answer. */
async function chops(search: Search, pool: readonly Node[], options: Options): Promise<Node> {
  const orders = Array.from({ length: options.shuffles }, (_, round) => shuffled(search, pool, round));
  const asked = orders.map((order) =>
    chopsRequest(
      search.question,
      order.map((node) => shown(node, options)),
    ),
  );
  const verdicts = await judge(search, asked, options.judgeTokens);
  const votes = pool.map(() => 0);
  for (const [round, verdict] of verdicts.entries()) {
    const label = [...verdict.matchAll(/best\W{0,12}([A-Z])\b/gi)].at(-1)?.[1]?.toUpperCase();
    const named = label === undefined ? undefined : orders[round]![label.charCodeAt(0) - 65];
    votes[named ? pool.indexOf(named) : 0]!++;
  }
  return pool[votes.indexOf(Math.max(...votes))]!;
}

/** Least Bayes risk: the answer of the pool that agrees most, on average, with the other answers and the evidence. */
async function mbr(search: Search, pool: readonly Node[], options: Options): Promise<Node> {
  const count = options.select === "x-mbr" ? options.evidence : 0;
  const abroad = `${search.question}\n\nWrite the whole answer in this language: ${options.language}.`;
  const evidence = count === 0 ? [] : await write(search, search.begin(abroad), count, options);
  const pairs = pool.flatMap((node) =>
    [...pool, ...evidence].filter((other) => other !== node).map((other) => [node, other] as const),
  );
  const agree = options.utility === "exact" ? exactly(search, pairs) : byJudge(search, pairs, options);
  const worth = pool.map(() => 0);
  for (const [index, agreement] of (await agree).entries())
    worth[pool.indexOf(pairs[index]![0])]! += agreement;
  return pool[worth.indexOf(Math.max(...worth))]!;
}

type Pair = readonly [Node, Node];

function exactly(search: Search, pairs: readonly Pair[]): Promise<number[]> {
  return Promise.all(
    pairs.map(async (pair) => {
      const [one, other] = await Promise.all(pair.map((node) => search.answer(node)));
      return one != null && other != null && (await search.sameAnswer(one, other)) ? 1 : 0;
    }),
  );
}

async function byJudge(search: Search, pairs: readonly Pair[], options: Options): Promise<number[]> {
  const asked = pairs.map(([one, other]) =>
    pairRequest(search.question, shown(one, options), shown(other, options)),
  );
  const verdicts = await judge(search, asked, 8);
  return verdicts.map((verdict) => Number(/\d/.exec(verdict)?.[0] ?? 0) / 9);
}

/** In an order of this round's own: judges prefer some places. */
function shuffled(search: Search, pool: readonly Node[], round: number): Node[] {
  const keys = pool.map((_, index) => search.uniform(search.root, `labels:${round}`, index));
  return pool.toSorted((a, b) => keys[pool.indexOf(a)]! - keys[pool.indexOf(b)]!);
}

/** Long answers are cut at their beginning: what is judged is mostly where they end. */
function shown(node: Node, { excerpt }: Options): string {
  const text = pathText(node).trim();
  return text.length <= excerpt ? text : `[cut] ${text.slice(-excerpt)}`;
}
