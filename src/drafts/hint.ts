import { z } from "zod";
import { type DraftRequest, defineDrafter } from "../core/speculation.js";
import type { Token } from "../core/step.js";
import { matchOptions } from "./shared/options.js";
import { openNamed, SessionGroup, together } from "./shared/other-drafters.js";
import { PointTree } from "./shared/point-tree.js";
import { endMatch } from "./shared/text-match.js";

export default defineDrafter({
  name: "hint",
  essence: "the step that was rejected, for as long as its rewriting agrees with it; then another drafter",
  source: "ours; the target's rewrite of a draft's step often keeps most of its words",
  shape: "tree",
  proposals: ["point", "independent", "without-replacement"],
  needsDraft: false,
  cost: "nothing but the nodes that the target reads, while the hint holds",
  use: "methods that rewrite steps, such as rsd: the draft has written most of the tokens already",
  schema: z.object({
    fallback: z
      .string()
      .default("")
      .describe(
        "drafter where the hint says nothing; by default the draft model, or lookup where there is none",
      ),
    ...matchOptions,
  }),
  async open(resources, { fallback, longest, shortest }) {
    const other = await openNamed(fallback || (resources.draft ? "model" : "lookup"), resources);
    const { proposals, ...rest } = together([other]);
    return {
      ...rest,
      proposals: [...new Set([...proposals, "point" as const])],
      begin: (tokens, prompt) =>
        new SessionGroup([other.begin(tokens, prompt)], async ([session], request) => {
          const drafts = new PointTree(request);
          for (const hint of request.hints) drafts.addPath(restOf(hint, request, longest, shortest), "hint");
          return drafts.tree.size > 0 ? { tree: drafts.tree } : session!.propose(request);
        }),
    };
  },
});

/** What the hint goes on with: behind what it shares with the text, or behind where the last words stand in it. */
function restOf(
  hint: readonly Token[],
  { tokens, start, depth }: DraftRequest,
  longest: number,
  shortest: number,
): readonly Token[] {
  const written = tokens.slice(start);
  const agrees = written.length < hint.length && written.every((token, index) => token === hint[index]);
  const from = agrees ? written.length : endMatch(hint.slice(0, -1), written, longest, shortest)?.end;
  return from === undefined ? [] : hint.slice(from, from + depth);
}
