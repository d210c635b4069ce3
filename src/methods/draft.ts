import { z } from "zod";
import { defineMethod } from "../core/method.js";

export default defineMethod({
  name: "draft",
  essence: "plain decoding with the draft",
  kind: "plain",
  source: "the baseline that every method must beat for its cost",
  needs: { draft: ["text"] },
  cost: "the answer's tokens written by the draft",
  use: "questions that the draft can answer",
  schema: z.object({}),
  async run(search) {
    let node = search.root;
    while (!node.finish) node = search.commit(await search.extend(node, { role: "draft" }));
    return search.finish(node);
  },
});
