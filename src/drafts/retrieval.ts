import { z } from "zod";
import { DraftTree } from "../core/draft-tree.js";
import type { DraftRequest } from "../core/speculation.js";
import { defineDrafter } from "../core/speculation.js";
import { kindsOf } from "./shared/draws.js";
import { growAbove } from "./shared/dynamic-tree.js";
import { headOption, temperatureOption } from "./shared/options.js";
import { openReader } from "./shared/reader-sessions.js";
import { checkedReader } from "./shared/resources.js";
import { Retriever } from "./shared/retriever.js";
import { tableSession } from "./shared/table-session.js";
import { TreeGrower } from "./shared/tree-grower.js";

export default defineDrafter({
  name: "retrieval",
  essence:
    "what followed the last words in given texts and in this one, pruned by the draft model and joined with its tree",
  source:
    "Quan et al., RASD, arXiv 2503.03434 (our reading where the paper is silent: card rasd); retrieval as in He et al., REST, arXiv 2311.08252",
  shape: "tree",
  proposals: ["without-replacement", "point"],
  needsDraft: false,
  cost: "one pass of the draft model per depth, where there is one; some 200 bytes per token of the texts",
  use: "answers that quote known documents or code; without a draft model it is plain retrieval",
  schema: z.object({
    share: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe(
        "part of the nodes that retrieved tokens get where something was found; 1 asks no draft model",
      ),
    rootTop: z
      .int()
      .min(1)
      .max(256)
      .default(10)
      .describe("a retrieved first token must be among so many of the draft model's best"),
    floor: z.number().min(0).max(1).default(0.05).describe("retrieved tokens of lower estimate are left out"),
    longest: z
      .int()
      .min(1)
      .max(64)
      .default(16)
      .describe("tokens of the text's end that are looked for, at most"),
    shortest: z.int().min(1).max(64).default(2).describe("where fewer tokens agree nothing is retrieved"),
    memory: z
      .int()
      .min(0)
      .max(2_000_000)
      .default(300_000)
      .describe("tokens that the texts may have together"),
    ...temperatureOption,
    ...headOption,
  }),
  async open(resources, { share, temperature, head, ...options }) {
    const { target, draft, texts = [] } = resources;
    const retriever = await Retriever.open(target, texts, options);
    if (!draft || share === 1) {
      return {
        topK: 0,
        proposals: ["point"],
        begin: () =>
          tableSession({
            propose: (request) => retriever.add(new DraftTree(), request, retriever.find(request.tokens)),
          }),
      };
    }
    const model = checkedReader(draft, target, "retrieval");
    const settings = { head, temperature, draws: "without-replacement", origin: "retrieval" } as const;
    return openReader(model, kindsOf["without-replacement"], () => ({
      async propose(reader, request) {
        const found = retriever.find(request.tokens);
        const nodes = found ? drafted(request, share) : request.nodes;
        const grower = new TreeGrower(reader, { ...request, nodes }, settings, model.endTokens);
        const first = await grower.begin();
        if (first) await growAbove(1 / nodes, grower, first);
        return retriever.add(grower.tree, request, found);
      },
    }));
  },
});

/** Nodes that are left to the draft model. */
function drafted({ nodes }: DraftRequest, share: number): number {
  return nodes - Math.max(1, Math.round(nodes * share));
}
