import { z } from "zod";
import {
  type Draft,
  type DraftRequest,
  type DraftSession,
  defineDrafter,
  type Verified,
} from "../core/speculation.js";
import type { Token } from "../core/step.js";
import { growContinuations } from "./shared/continuations.js";
import { PointTree } from "./shared/point-tree.js";
import { SuffixStore } from "./shared/suffix-store.js";
import { earlierMatch } from "./shared/text-match.js";

const schema = z.object({
  longest: z
    .int()
    .min(1)
    .max(64)
    .default(16)
    .describe("tokens of the text's end that are looked for, at most"),
  shortest: z.int().min(1).max(64).default(2).describe("where fewer tokens agree nothing is drafted"),
  factor: z
    .number()
    .min(0.5)
    .max(16)
    .default(2)
    .describe("drafts are at most so many times as deep as the match is long"),
  floor: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe("continuations that came more rarely than this are left out"),
  memory: z
    .int()
    .min(0)
    .max(4_000_000)
    .default(65_536)
    .describe("tokens of earlier outputs that are remembered"),
});

type Options = z.output<typeof schema>;

export default defineDrafter({
  name: "suffix",
  essence: "what followed the last words in this text, and in what was written before by the same process",
  source: "Oliaro et al., SuffixDecoding, arXiv 2411.04975",
  shape: "tree",
  proposals: ["point"],
  needsDraft: false,
  cost: "nothing but the nodes that the target reads; some 200 bytes per remembered token",
  use: "many answers that resemble each other: several samples of one question, agents, steps that are rewritten",
  schema,
  async open(_, options) {
    const store = new SuffixStore(options.memory);
    return { topK: 0, begin: (tokens) => new SuffixSession(store, options, tokens) };
  },
});

/** What was written in one branch goes into the store when the branch ends; its own text is searched as it stands. */
class SuffixSession implements DraftSession {
  readonly #store: SuffixStore;
  readonly #options: Options;
  /** Tokens that are not this session's to remember: the prompt, or what was written before the fork. */
  readonly #from: number;
  #tokens: readonly Token[];

  constructor(store: SuffixStore, options: Options, tokens: readonly Token[]) {
    this.#store = store;
    this.#options = options;
    this.#from = Math.max(0, tokens.length - options.longest);
    this.#tokens = tokens;
  }

  async propose(request: DraftRequest): Promise<Draft> {
    const { longest, shortest, factor, floor } = this.#options;
    this.#tokens = request.tokens;
    const own = earlierMatch(request.tokens, longest, shortest);
    const stored = this.#store.match(request.tokens, longest);
    const depthAt = (length: number) => Math.min(request.depth, Math.ceil(factor * length));
    const drafts = new PointTree(request);
    const addOwn = () => {
      if (!own) return;
      drafts.addPath(request.tokens.slice(own.end, own.end + depthAt(own.length)), "suffix");
    };
    const addStored = () => {
      if (stored.length < shortest) return;
      const growth = { depth: depthAt(stored.length), floor, origin: "suffix" };
      growContinuations(stored.automaton, stored.state, drafts, growth);
    };
    // The longer match speaks first; at equal length the branch's own text does.
    for (const add of stored.length > (own?.length ?? 0) ? [addStored, addOwn] : [addOwn, addStored]) add();
    return { tree: drafts.tree };
  }

  learn({ tokens, written }: Verified): void {
    this.#tokens = [...tokens, ...written];
  }

  fork(): SuffixSession {
    return new SuffixSession(this.#store, this.#options, this.#tokens);
  }

  drop(): void {
    this.#store.add(this.#tokens.slice(this.#from));
    this.#tokens = [];
  }
}
