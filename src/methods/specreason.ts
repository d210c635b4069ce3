import { z } from "zod";
import { defineMethod } from "../core/method.js";
import type { NextToken, Node, Search } from "../core/search.js";

const schema = z.object({
  threshold: z
    .number()
    .min(0)
    .max(10)
    .default(7)
    .describe("keep a draft step graded this or better; above 9 none"),
  score: z
    .enum(["greedy", "average"])
    .default("greedy")
    .describe("the grade: the most probable token, 0 if that is no digit; or the mean over the digits"),
  firstSteps: z
    .int()
    .min(0)
    .max(1000)
    .default(0)
    .describe("steps at the beginning that the target writes itself"),
  lead: z
    .string()
    .max(1024)
    .default("\n\nQuality of the last step (0 to 9): ")
    .describe("put into the target's mouth before the digit; ends where the digit comes"),
});

/** SpecReason reads the ten most probable tokens. */
const readTokens = 10;

export default defineMethod({
  name: "specreason",
  essence: "the draft writes a step, the target grades it with one digit and rewrites what it dislikes",
  kind: "step",
  source: "Pan et al., SpecReason, NeurIPS 2025, arXiv 2504.07891; the grading turn is our wording",
  needs: { draft: ["text"], target: ["text", "candidates"] },
  cost: "the draft's steps, each read once by the target with one digit asked; the target's rewrites",
  use: "RSD without a reward, where the target is strong enough to grade; calibrate the threshold for it",
  schema,
  async run(search, options) {
    const judge = new DigitJudge(search, options);
    let node = search.root;
    while (!node.finish) {
      if (node.depth >= options.firstSteps) {
        const draft = await search.extend(node, { role: "draft" });
        if ((await judge.grade(node, draft)) >= options.threshold) {
          node = search.commit(draft);
          continue;
        }
        search.prune(draft);
      }
      node = search.commit(await search.extend(node, { role: "target" }));
    }
    return search.finish(node);
  },
});

/** The target as a grader, in a conversation of its own that reads each step once; what asks for the grade is rolled back. */
class DigitJudge {
  readonly #search: Search;
  readonly #options: z.output<typeof schema>;
  /** The conversation, and the node of the answer up to which it has been read. */
  #conversation: { readonly at: Node; readonly read: Node } | undefined;
  /** The draft step that was graded last, as it stands in the conversation. */
  #graded: { readonly at: Node; readonly read: Node } | undefined;

  constructor(search: Search, options: z.output<typeof schema>) {
    this.#search = search;
    this.#options = options;
  }

  /** The grade, 0 to 9, of a draft step after `parent`. */
  async grade(parent: Node, draft: Node): Promise<number> {
    const search = this.#search;
    const { at } = await this.#catchUp(parent);
    const line = await this.#append(at, draft.step!.text);
    this.#graded = { at: line, read: draft };
    // A conversation without room for more grades nothing: the target writes on.
    if (line.finish) return 0;
    const content = this.#options.lead;
    const asked = await search.append(line, { role: "target", origin: "grading", content });
    const { tokens } = await search.candidates(asked, "target", readTokens);
    search.prune(asked);
    return gradeOf(tokens, this.#options.score);
  }

  /** The conversation with everything up to `parent` in it. */
  async #catchUp(parent: Node) {
    const search = this.#search;
    this.#conversation ??= {
      at: search.begin([{ role: "user", content: request(search.question) }]),
      read: search.root,
    };
    if (this.#graded?.read === parent) this.#conversation = this.#graded;
    else if (this.#graded && this.#graded.at !== this.#conversation.at) search.prune(this.#graded.at);
    const missing: string[] = [];
    for (let at = parent; at !== this.#conversation.read; at = at.parent!) missing.unshift(at.step!.text);
    const at = await this.#append(this.#conversation.at, missing.join(""));
    this.#conversation = { at: search.commit(at), read: parent };
    return this.#conversation;
  }

  #append(node: Node, text: string): Promise<Node> {
    const content = (node.parent ? "\n\n" : "") + text.trim();
    if (text.trim() === "" || node.finish) return Promise.resolve(node);
    return this.#search.append(node, { role: "target", origin: "grading", content });
  }
}

/** SpecReason's two readings of the digit's law. */
export function gradeOf(tokens: readonly NextToken[], score: "greedy" | "average"): number {
  const digits = tokens.flatMap(({ text, logprob }, rank) => {
    const digit = /^\s*(\d)$/.exec(text)?.[1];
    return digit === undefined ? [] : [{ rank, value: Number(digit), probability: Math.exp(logprob) }];
  });
  if (score === "greedy") return digits[0]?.rank === 0 ? digits[0].value : 0;
  const mass = digits.reduce((sum, { probability }) => sum + probability, 0);
  return mass === 0 ? 0 : digits.reduce((sum, { value, probability }) => sum + value * probability, 0) / mass;
}

function request(question: string): string {
  return (
    "You read a solution to a problem, one step after the other, and give the quality of its last step: one digit " +
    "from 0 (wrong, or of no use) to 9 (certainly right). Only facts and logic count; style does not.\n\n" +
    `Problem:\n${question}`
  );
}
