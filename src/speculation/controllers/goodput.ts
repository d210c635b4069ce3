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
  depth: z.int().min(1).max(64).default(8).describe("most drafts in a row"),
  start: z.number().min(0).max(1).default(0.7).describe("acceptance that is believed before any is seen"),
  smoothing: z
    .number()
    .gt(0)
    .max(1)
    .default(0.15)
    .describe("weight of a new block in the running acceptance"),
  interval: z.int().min(1).max(1000).default(20).describe("blocks, or plain tokens, between two choices"),
  bias: z
    .number()
    .min(1)
    .max(3)
    .default(1.1)
    .describe("how much better than plain decoding it must promise to be"),
});

/** Goodput of a length: expected tokens per second of all branches that write. Card smartspec. */
export default defineController({
  name: "goodput",
  essence:
    "the length with the most accepted tokens per second for the load of the moment, plain decoding among them",
  source: "SmartSpec, Liu et al., arXiv 2406.14066; card smartspec",
  schema,
  open: (options, resources) => new GoodputController(options, resources),
});

class GoodputController implements OpenController {
  readonly #options: z.output<typeof schema>;
  readonly #acceptance: Acceptance;
  readonly #costs: ControllerResources["costs"];
  readonly #passes = new PassTimes();
  readonly #drafts = new PassTimes();
  #load = 1;
  #length: number;
  #sinceChoice = Number.POSITIVE_INFINITY;

  constructor(options: z.output<typeof schema>, { costs }: ControllerResources) {
    const { start, smoothing: weight } = options;
    this.#options = options;
    this.#acceptance = new Acceptance({ start, weight });
    this.#costs = costs;
    this.#length = Math.min(4, options.depth);
  }

  choose({ load }: ControllerView): Plan {
    const { interval } = this.#options;
    if (this.#sinceChoice >= interval || load !== this.#load) {
      this.#load = load;
      this.#sinceChoice = 0;
      this.#length = this.#best(load);
    }
    return this.#length === 0 ? { plain: interval } : { nodes: this.#length, depth: this.#length };
  }

  learn(verified: Verified, { draft, drafted, target }: BlockSeconds): void {
    const { size } = verified.tree;
    this.#sinceChoice++;
    this.#passes.observe((size + 1) * this.#load, target);
    if (size > 0) this.#drafts.observe(drafted, draft);
    this.#acceptance.learn(verified);
  }

  learnPlain(tokens: number, seconds: number): void {
    if (tokens === 0) return;
    this.#sinceChoice += tokens;
    this.#passes.observe(this.#load, seconds / tokens);
    // Nothing is seen of drafts meanwhile: what was believed of them fades, so that they are tried again.
    this.#acceptance.fade(Math.min(1, tokens / (5 * this.#options.interval)));
  }

  /** The first length behind which goodput falls: it has one peak. */
  #best(load: number): number {
    let [best, most] = [0, this.#goodput(0, load) * this.#options.bias];
    for (let length = 1; length <= this.#options.depth; length++) {
      const goodput = this.#goodput(length, load);
      if (goodput > most) [best, most] = [length, goodput];
      else if (best > 0) return best;
    }
    return best;
  }

  #goodput(length: number, load: number): number {
    const drafting = length === 0 ? 0 : (this.#costs?.draft(length) ?? this.#drafts.at(length) ?? 0);
    return (load * this.#acceptance.tokens(length)) / (drafting + this.#target((length + 1) * load));
  }

  #target(width: number): number {
    return this.#costs?.target(width) ?? this.#passes.at(width) ?? width;
  }
}
