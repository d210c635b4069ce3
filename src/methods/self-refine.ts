import { z } from "zod";
import { defineMethod } from "../core/method.js";
import type { ChatMessage } from "../core/model.js";
import { type Node, pathText, type Search } from "../core/search.js";

export default defineMethod({
  name: "self-refine",
  essence: "the model answers, looks for errors in its answer, and writes it anew until it finds none",
  kind: "step",
  settles: "end",
  source: "Madaan et al., arXiv 2303.17651; Liu et al., Bag of Tricks, arXiv 2502.07191, self-refine",
  needs: { draft: ["text"] },
  cost: "up to 1 + 2 x rounds texts written one after another, each read again by the next",
  use: "models that are better critics than writers; small ones talk themselves out of right answers",
  schema: z.object({
    rounds: z
      .int()
      .min(0)
      .max(16)
      .default(3)
      .describe("critiques and rewrites at most; 0 is the plain answer"),
    critique: z
      .string()
      .default(
        'Look for errors in your answer. If there are none, reply "No error". Otherwise say what is wrong, step by step.',
      )
      .describe("asks for the critique"),
    rewrite: z
      .string()
      .default("Write the whole answer again with these errors corrected.")
      .describe("asks for the next answer"),
    done: z
      .string()
      .min(1)
      .default("no error")
      .describe("a critique that contains this, in any case, ends it"),
  }),
  async run(search, { rounds, critique, rewrite, done }) {
    let answer = await write(search, search.root);
    for (let round = 0; round < rounds && answer.finish === "stop"; round++) {
      search.offer(answer, round);
      const soFar: ChatMessage[] = [
        { role: "user", content: search.question },
        { role: "assistant", content: pathText(answer).trim() },
        { role: "user", content: critique },
      ];
      const verdict = pathText(await write(search, search.begin(soFar))).trim();
      if (verdict.toLowerCase().includes(done.toLowerCase())) break;
      const messages = [
        ...soFar,
        { role: "assistant", content: verdict },
        { role: "user", content: rewrite },
      ] as const;
      const rewritten = await write(search, search.begin(messages));
      // One that was cut short is no better than what it was to replace.
      if (rewritten.finish !== "stop") break;
      answer = rewritten;
    }
    return search.finish(answer);
  },
});

async function write(search: Search, root: Node): Promise<Node> {
  let node = root;
  while (!node.finish) node = search.commit(await search.extend(node, { role: "draft" }));
  return node;
}
