import { z } from "zod";
import { defineMethod } from "../core/method.js";
import { type Aggregation, aggregations } from "../core/reward.js";
import { type Node, pathText, type Search } from "../core/search.js";
import { keepOnly, offerBest } from "../core/survivors.js";
import { scoreAnswers, writeOn } from "../core/whole-answers.js";

const schema = z.object({
  candidates: z.int().min(1).max(64).default(4).describe("answers written in a round").meta({ width: true }),
  rounds: z.int().min(1).max(64).default(3).describe("most rounds").meta({ width: true }),
  shown: z
    .enum(["best-and-worst", "best", "none"])
    .default("best-and-worst")
    .describe("what later rounds are shown of earlier ones; none makes it best-of-n"),
  targetScore: z.number().min(0).max(2).default(1).describe("stop at an answer of this score; above 1 never"),
  patience: z.int().min(0).max(64).default(0).describe("stop after so many rounds without gain; 0 never"),
  aggregation: z
    .enum(aggregations)
    .default("last")
    .describe("how the rewards of an answer's steps become its score"),
  sampleTemperature: z.number().min(0).max(5).default(0.6).describe("of the answers; overrides the run's"),
});

type Options = z.output<typeof schema>;

export default defineMethod({
  name: "iterative",
  essence:
    "each round sees the best and the worst answer so far with the verifier's words; the best of all stays",
  kind: "search",
  source:
    "Chakraborty et al., Review, Refine, Repeat, arXiv 2504.01931; the task's checker, else the reward, verifies",
  needs: { draft: ["text"], reward: true },
  cost: "candidates x rounds answers, each later prompt longer by two answers; a check or reward pass each",
  use: "a checker with something to say: tests, rules, a strong reward",
  schema,
  async run(search, options) {
    const verifier = new Verifier(search, options.aggregation);
    let best: Attempt | undefined;
    let worst: Attempt | undefined;
    let idle = 0;
    for (let round = 0; round < options.rounds; round++) {
      const root =
        best && options.shown !== "none" ? search.begin(prompt(search, best, worst!, options)) : search.root;
      const attempts = await verifier.attempts(await write(search, root, options));
      const before = best;
      for (const attempt of attempts) {
        if (!best || attempt.score > best.score) best = attempt;
        if (!worst || attempt.score < worst.score) worst = attempt;
      }
      offerBest(search, [{ node: best!.node, merit: best!.score }]);
      keepOnly(
        search,
        [...(before ? [before] : []), ...attempts].map(({ node }) => node),
        [best!.node],
      );
      idle = best === before ? idle + 1 : 0;
      if (best!.score >= options.targetScore || (options.patience > 0 && idle >= options.patience)) break;
    }
    return search.finish(best!.node);
  },
});

interface Verdict {
  /** In [0, 1]. */
  readonly score: number;
  /** May be shown to the model; empty if there is nothing to say. */
  readonly feedback: string;
}

interface Attempt extends Verdict {
  readonly node: Node;
  readonly text: string;
}

function write(search: Search, root: Node, { candidates, sampleTemperature }: Options): Promise<Node[]> {
  const request = { node: root, role: "draft" as const, sampling: { temperature: sampleTemperature } };
  return writeOn(
    search,
    Array.from({ length: candidates }, () => request),
  );
}

/** What the task's checker says of an answer, or the reward where there is none; of equal texts once. */
class Verifier {
  readonly #search: Search;
  readonly #aggregation: Aggregation;
  readonly #known = new Map<string, Promise<Verdict>>();

  constructor(search: Search, aggregation: Aggregation) {
    this.#search = search;
    this.#aggregation = aggregation;
  }

  attempts(nodes: readonly Node[]): Promise<Attempt[]> {
    return Promise.all(
      nodes.map(async (node) => {
        const text = pathText(node).trim();
        // Small models copy what they are shown.
        const verdict = this.#known.get(text) ?? this.#verify(node);
        this.#known.set(text, verdict);
        return { node, text, ...(await verdict) };
      }),
    );
  }

  async #verify(node: Node): Promise<Verdict> {
    const check = await this.#search.check(node);
    if (check) return check;
    const [score] = await scoreAnswers(this.#search, [node], this.#aggregation);
    return { score: score!, feedback: "" };
  }
}

/** So many characters of feedback are shown: a checker may print without end. */
const feedbackLimit = 1000;

/** The question first, so that what was read of it is shared; then what is known by now. */
function prompt(search: Search, best: Attempt, worst: Attempt, { shown: what }: Options): string {
  const parts = [search.question.trim(), "---", shown("The best answer so far", best)];
  const hasWorst = what === "best-and-worst" && worst.text !== best.text;
  if (hasWorst) parts.push(shown("The worst answer so far, whose mistakes you should avoid", worst));
  parts.push(
    "Write a new, complete answer to the question above that is better than the best one. Keep what works in it, " +
      "change what does not, and do not copy it as it is.",
  );
  return parts.join("\n\n");
}

function shown(title: string, { score, text, feedback }: Attempt): string {
  const words =
    feedback === "" ? "" : `\n\nWhat the checker said of it:\n${feedback.slice(0, feedbackLimit)}`;
  return `${title} (score ${score.toFixed(2)} of 1):\n${text}${words}`;
}
