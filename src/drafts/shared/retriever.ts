/** Finds what followed the end of a text elsewhere, and adds it to a tree as far as a draft model thinks it likely. */
import { type DraftTree, root } from "../../core/draft-tree.js";
import { StepwrightError } from "../../core/errors.js";
import type { Model } from "../../core/model.js";
import type { DraftRequest } from "../../core/speculation.js";
import type { Token } from "../../core/step.js";
import { growContinuations } from "./continuations.js";
import { PointTree } from "./point-tree.js";
import { SuffixAutomaton, type SuffixMatch } from "./suffix-automaton.js";
import { earlierMatch, type TextMatch } from "./text-match.js";

export interface RetrieverOptions {
  readonly longest: number;
  readonly shortest: number;
  readonly rootTop: number;
  readonly floor: number;
  /** Most tokens that the texts may have. */
  readonly memory: number;
}

export interface Found {
  /** In the texts. */
  readonly stored: SuffixMatch | null;
  /** In the text itself. */
  readonly own: TextMatch | null;
}

export class Retriever {
  readonly #automaton = new SuffixAutomaton();
  readonly #options: RetrieverOptions;

  private constructor(options: RetrieverOptions) {
    this.#options = options;
  }

  /** Throws `invalid-option` where the texts are longer than the memory. */
  static async open(model: Model, texts: readonly string[], options: RetrieverOptions): Promise<Retriever> {
    const retriever = new Retriever(options);
    const tokens = await Promise.all(texts.map((text) => model.tokenize(text)));
    const total = tokens.reduce((sum, { length }) => sum + length, 0);
    if (total > options.memory) {
      throw new StepwrightError(
        "invalid-option",
        `the texts to retrieve from have ${total} tokens, more than ${options.memory}`,
        { subject: "memory", remedy: "give fewer texts, or a greater memory" },
      );
    }
    for (const text of tokens) retriever.#automaton.add(text);
    return retriever;
  }

  /** Null where nothing long enough agrees. */
  find(tokens: readonly Token[]): Found | null {
    const { longest, shortest } = this.#options;
    const match = this.#automaton.match(tokens.slice(-longest));
    const stored = match.length >= shortest ? match : null;
    const own = earlierMatch(tokens, longest, shortest);
    return stored || own ? { stored, own } : null;
  }

  /** Adds what was found to the tree: points, as far as nodes and estimates allow. */
  add(tree: DraftTree, request: DraftRequest, found: Found | null): DraftTree {
    if (!found) return tree;
    const { stored, own } = found;
    const { rootTop, floor } = this.#options;
    const drafts = new PointTree(request, tree);
    const estimate = (parent: number, token: Token, share: number) => {
      const row = rowAfter(tree, parent);
      if (!row) return share;
      const rank = row.topK.findIndex((candidate) => candidate.token === token);
      if (rank < 0 || (parent === root && rank >= rootTop)) return 0;
      return Math.exp(row.topK[rank]!.logprob);
    };
    const { depth, tokens } = request;
    const addOwn = () => {
      if (own) drafts.addPath(likely(tokens.slice(own.end, own.end + depth), estimate, floor), "retrieval");
    };
    const addStored = () => {
      if (!stored) return;
      growContinuations(this.#automaton, stored.state, drafts, {
        depth,
        floor,
        origin: "retrieval",
        estimate,
      });
    };
    const isStoredLonger = (stored?.length ?? 0) > (own?.length ?? 0);
    for (const add of isStoredLonger ? [addStored, addOwn] : [addOwn, addStored]) add();
    return tree;
  }
}

/** None where the draft model does not believe the first token; only there its row is known for certain. */
function likely(
  tokens: readonly Token[],
  estimate: (parent: number, token: Token, share: number) => number,
  floor: number,
): readonly Token[] {
  const [first] = tokens;
  return first !== undefined && estimate(root, first, 1) >= Math.max(floor, Number.MIN_VALUE) ? tokens : [];
}

/** The draft model's row at a place, known where it drafted there. */
function rowAfter(tree: DraftTree, parent: number) {
  const child = tree.children(parent).find((node) => tree.nodes[node]!.row);
  return child === undefined ? undefined : tree.nodes[child]!.row;
}
