import { z } from "zod";
import {
  type BlockSeconds,
  type ControllerResources,
  type ControllerView,
  defineController,
  type OpenController,
  type Plan,
  type Verified,
} from "../../core/speculation.js";
import { Acceptance } from "./acceptance.js";
import { PassTimes } from "./pass-times.js";

const schema = z.object({
  memory: z
    .number()
    .min(0)
    .default(32)
    .describe("MiB that drafts of all branches may take beside the text itself"),
  nodes: z.int().min(1).max(256).default(32).describe("most drafts in a tree, whatever memory there is"),
  depth: z.int().min(1).max(64).default(8).describe("most drafts in a row"),
  margin: z
    .number()
    .min(0)
    .max(1)
    .default(0.05)
    .describe("how much faster than plain decoding a draft must promise to be"),
  cacheBytes: z
    .number()
    .min(0)
    .optional()
    .describe("bytes of keys and values per drafted token; default: the most that the model's width allows"),
});

/**
 * Footprint of a drafted token: keys and values in both caches, and its row of logits. The paper's own formulas were not
 * at hand: these are derived in card specmemo.
 */
export default defineController({
  name: "budget",
  essence:
    "the tree that promises most tokens per second within a memory budget, shared by all branches that write",
  source: "SpecMemo, Yildirim and Chen, arXiv 2506.01986; card specmemo (derived)",
  schema,
  open: (options, resources) => new BudgetController(options, resources),
});

class BudgetController implements OpenController {
  readonly #options: z.output<typeof schema>;
  readonly #bytesPerNode: number;
  readonly #isTree: boolean;
  readonly #costs: ControllerResources["costs"];
  readonly #acceptance = new Acceptance({ start: 0.7, weight: 0.1 });
  readonly #passes = new PassTimes();
  readonly #drafts = new PassTimes();

  constructor(options: z.output<typeof schema>, { target, draft, shape, costs }: ControllerResources) {
    this.#options = options;
    this.#isTree = shape === "tree";
    this.#costs = costs;
    const caches = [target, draft].map((model) =>
      model ? 4 * model.size.layers * model.size.attentionWidth : 0,
    );
    const cache = options.cacheBytes ?? caches.reduce((sum, bytes) => sum + bytes, 0);
    this.#bytesPerNode = cache + 4 * target.size.vocabulary;
  }

  choose({ load }: ControllerView): Plan {
    const { memory, nodes: most } = this.#options;
    const room = Math.min(most, Math.floor((memory * 2 ** 20) / (this.#bytesPerNode * Math.max(1, load))));
    let best: { plan: Plan; rate: number } = {
      plan: { plain: 16 },
      rate: (1 + this.#options.margin) / this.#seconds(0),
    };
    for (let depth = 1; depth <= Math.min(this.#options.depth, room); depth++) {
      const nodes = this.#isTree ? room : depth;
      const rate = this.#acceptance.tokens(depth) / this.#seconds(nodes);
      if (rate > best.rate) best = { plan: { nodes, depth }, rate };
    }
    return best.plan;
  }

  learn(verified: Verified, { draft, drafted, target }: BlockSeconds): void {
    const { size } = verified.tree;
    this.#passes.observe(size + 1, target);
    if (size > 0) this.#drafts.observe(drafted, draft);
    this.#acceptance.learn(verified);
  }

  learnPlain(tokens: number, seconds: number): void {
    if (tokens === 0) return;
    this.#passes.observe(1, seconds / tokens);
    this.#acceptance.fade(Math.min(1, tokens / 100));
  }

  /** Of a block with so many drafts; before anything is known, that a pass costs the same whatever its width. */
  #seconds(nodes: number): number {
    const drafting = nodes === 0 ? 0 : (this.#costs?.draft(nodes) ?? this.#drafts.at(nodes) ?? 0);
    return drafting + (this.#costs?.target(nodes + 1) ?? this.#passes.at(nodes + 1) ?? 1);
  }
}
