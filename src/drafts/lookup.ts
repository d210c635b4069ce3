import { z } from "zod";
import { defineDrafter } from "../core/speculation.js";
import { matchOptions } from "./shared/options.js";
import { PointTree } from "./shared/point-tree.js";
import { tableSession } from "./shared/table-session.js";
import { earlierMatch } from "./shared/text-match.js";

export default defineDrafter({
  name: "lookup",
  essence: "what followed the last words where they stood before, in the prompt or the text so far",
  source: "Saxena, Prompt Lookup Decoding, 2023; card rasd, PLD",
  shape: "chain",
  proposals: ["point"],
  needsDraft: false,
  cost: "nothing but the nodes that the target reads",
  use: "texts that copy from their prompt: code edits, summaries, quotations",
  schema: z.object(matchOptions),
  async open(_, { longest, shortest }) {
    return {
      topK: 0,
      begin: () =>
        tableSession({
          propose(request) {
            const drafts = new PointTree(request);
            const match = earlierMatch(request.tokens, longest, shortest);
            if (match) drafts.addPath(request.tokens.slice(match.end, match.end + request.depth), "lookup");
            return drafts.tree;
          },
        }),
    };
  },
});
