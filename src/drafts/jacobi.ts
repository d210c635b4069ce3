import { z } from "zod";
import { DraftTree, type Proposal, pointProposal } from "../core/draft-tree.js";
import type { Candidate } from "../core/model.js";
import { headLaw, pick } from "../core/sparse-law.js";
import {
  type Draft,
  type DraftRequest,
  type DraftSession,
  defineDrafter,
  type Verified,
} from "../core/speculation.js";
import type { Token } from "../core/step.js";
import { draftUniform } from "./shared/draws.js";
import { matchOptions } from "./shared/options.js";
import { earlierMatch } from "./shared/text-match.js";

const schema = z.object({
  window: z.int().min(1).max(64).default(8).describe("guesses verified at once, at most"),
  start: z
    .enum(["lookup", "repeat"])
    .default("lookup")
    .describe("new guesses: what followed the last words before, or the last token again"),
  head: z
    .int()
    .min(1)
    .max(128)
    .default(64)
    .describe("most probable tokens of a row that guesses are drawn from"),
  ...matchOptions,
});

type Options = z.output<typeof schema>;

export default defineDrafter({
  name: "jacobi",
  essence: "the target's own guesses at the tokens further on, drawn anew from the rows of the pass before",
  source: "Teng et al., Speculative Jacobi Decoding, ICLR 2025, arXiv 2410.01699",
  shape: "chain",
  proposals: ["independent", "point"],
  needsDraft: false,
  cost: "nothing but the nodes that the target reads",
  use: "a target alone, on flat or repetitive text; in prose most guesses are refused",
  schema,
  async open(_, options) {
    return { topK: options.head, begin: () => new JacobiSession(options) };
  },
});

/** Rows that the last pass had behind the first refused guess: what the places after the text look like. */
interface Window {
  readonly text: readonly Token[];
  readonly rows: readonly (readonly Candidate[])[];
}

class JacobiSession implements DraftSession {
  readonly #options: Options;
  #window: Window | null;

  constructor(options: Options, window: Window | null = null) {
    this.#options = options;
    this.#window = window;
  }

  async propose(request: DraftRequest): Promise<Draft> {
    const { nodes, depth, shouldStop } = request;
    const most = Math.min(this.#options.window, nodes, depth);
    const tree = new DraftTree();
    const rows = this.#rowsAfter(request.tokens);
    while (tree.size < most) {
      const row = rows[tree.size];
      const guess = row ? this.#drawn(row, tree.size, request) : this.#fresh(tree, request);
      tree.add({ ...guess, parent: tree.size - 1, origin: "jacobi" });
      if (shouldStop?.({ depth: tree.size, probability: 1, entropy: 0 })) break;
    }
    return { tree };
  }

  learn({ tokens, written, rows }: Verified): void {
    // Rows of the old window: each is a law that was known before the new guesses are drawn, so it is an honest one.
    const later = rows.slice(written.length).map(({ topK = [] }) => topK);
    this.#window = { text: [...tokens, ...written], rows: later.filter((row) => row.length > 0) };
  }

  fork(): JacobiSession {
    return new JacobiSession(this.#options, this.#window);
  }

  drop(): void {
    this.#window = null;
  }

  /** None where the branch was rolled back or went on by other means since. */
  #rowsAfter(tokens: readonly Token[]): Window["rows"] {
    const { text, rows } = this.#window ?? { text: [], rows: [] };
    const holds = text.length === tokens.length && text.every((token, index) => token === tokens[index]);
    return holds ? rows : [];
  }

  #drawn(row: readonly Candidate[], index: number, request: DraftRequest) {
    const law = headLaw(row, request.sampling);
    const path = Array.from({ length: index + 1 }, () => 0);
    const proposal: Proposal =
      request.sampling.temperature > 0 ? { kind: "independent", law } : pointProposal;
    return { token: pick(law, draftUniform(request, path)), proposal };
  }

  #fresh(tree: DraftTree, { tokens }: DraftRequest) {
    const { start, longest, shortest } = this.#options;
    const text = [...tokens, ...tree.nodes.map(({ token }) => token)];
    const match = start === "lookup" ? earlierMatch(text, longest, shortest) : null;
    const token = match ? text[match.end]! : (text.at(-1) ?? 0);
    return { token, proposal: pointProposal };
  }
}
