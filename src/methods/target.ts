import { z } from "zod";
import { defineMethod } from "../core/method.js";

export default defineMethod({
  name: "target",
  essence: "plain decoding with the target",
  kind: "plain",
  source: "the baseline that every method must match for less",
  needs: { target: ["text"] },
  cost: "the answer's tokens written by the target",
  use: "where cost does not count; what every other method is compared with",
  schema: z.object({}),
  async run(search) {
    let node = search.root;
    while (!node.finish) node = search.commit(await search.extend(node, { role: "target" }));
    return search.finish(node);
  },
});
