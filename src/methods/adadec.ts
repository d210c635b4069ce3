import { z } from "zod";
import { defineMethod } from "../core/method.js";
import type { Node, Outlook, Search } from "../core/search.js";

const schema = z.object({
  threshold: z
    .number()
    .min(0)
    .max(100)
    .default(1)
    .describe(
      "nats of entropy at which to pause; belongs to the model file: learn it (docs/which-method.md)",
    ),
  candidates: z.int().min(1).max(64).default(3).describe("most probable tokens that are tried"),
  lookahead: z.int().min(0).max(64).default(5).describe("greedy tokens written after each of them"),
  reuse: z
    .boolean()
    .default(true)
    .describe("keep the winner's lookahead where it holds no pause of its own: the same text for less"),
});

type Options = z.output<typeof schema>;

export default defineMethod({
  name: "adadec",
  essence: "greedy; where the next token is uncertain, the best candidates are compared by a short lookahead",
  kind: "token",
  source: "He et al., AdaDec, arXiv 2506.08980, with a beam of one as published",
  needs: { draft: ["candidates"] },
  cost: "the answer's tokens, and candidates x (lookahead + 1) at each pause; no reward",
  use: "greedy code generation, with a threshold learned for the model file",
  schema,
  async run(search, options) {
    const { threshold, candidates, lookahead } = options;
    let node = search.root;
    while (!node.finish) {
      const outlook = await search.candidates(node, "draft", candidates);
      const pauses = outlook.entropy >= threshold && candidates > 1 && lookahead > 0;
      node = search.commit(
        pauses
          ? await lookAhead(search, node, outlook, options)
          : await search.extend(node, {
              role: "draft",
              sampling: { temperature: 0 },
              splitter: { kind: "entropy", limit: threshold },
            }),
      );
    }
    return search.finish(node);
  },
});

/** The candidate with the greatest mean log-probability over itself and its lookahead; the likelier of equals. */
async function lookAhead(search: Search, node: Node, outlook: Outlook, options: Options): Promise<Node> {
  const tried = await Promise.all(
    outlook.tokens.map((token) =>
      search.append(node, { role: "draft", content: [token], origin: "candidate" }),
    ),
  );
  const ahead = await Promise.all(
    tried.map((candidate) => (candidate.finish ? null : look(search, candidate, options.lookahead))),
  );
  const scores = outlook.tokens.map(({ logprob }, index) => {
    const all = [logprob, ...(ahead[index]?.step?.logprobs ?? [])];
    return all.reduce((sum, value) => sum + value, 0) / all.length;
  });
  const best = scores.indexOf(Math.max(...scores));
  const [winner, seen] = [tried[best]!, ahead[best]];
  if (!seen) return winner;
  // Without a pause in it, it is what would be written next, token for token.
  if (options.reuse && seen.step!.entropies.every((entropy) => entropy < options.threshold)) return seen;
  return search.prune(seen);
}

function look(search: Search, node: Node, maxTokens: number): Promise<Node> {
  return search.extend(node, {
    role: "draft",
    origin: "lookahead",
    sampling: { temperature: 0 },
    // Never reached, but it makes this a piece of a step, of which a blank one is no loop.
    splitter: { kind: "entropy", limit: 1000 },
    maxTokens,
  });
}
