/**
 * Drafts as long as it pays, and finds out whether it does within a loss that is bounded from the start: time lost
 * against plain decoding, by the measured time of a plain token, is never let grow beyond a small share of all time.
 */
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

/** Plain tokens that are timed before anything is compared with them, and how long the figure is good for. */
const timedTokens = 8;
const timedFor = 512;
/** Plain tokens before drafts that did not pay are tried again: first, and at most. */
const firstPause = 24;
const longestPause = 512;
/** Blocks of one trial. */
const trialBlocks = 2;

export default defineController({
  name: "auto",
  essence: "drafts as long as it pays by measured time, tries again at times, and bounds what that may cost",
  source: "SmartSpec's goodput (card smartspec) with a bound on the loss",
  schema: z.object({
    nodes: z.int().min(1).max(256).default(16).describe("most drafts in a tree"),
    depth: z.int().min(1).max(64).default(8).describe("most drafts in a row"),
    loss: z
      .number()
      .min(0)
      .max(0.5)
      .default(0.02)
      .describe("greatest share of plain decoding's time that trials may cost"),
  }),
  open: (options, resources) => new AutoController(options, resources),
});

interface AutoOptions {
  readonly nodes: number;
  readonly depth: number;
  readonly loss: number;
}

class AutoController implements OpenController {
  readonly #options: AutoOptions;
  readonly #isTree: boolean;
  readonly #loads = new Map<number, Load>();
  readonly #acceptance = new Acceptance({ start: 0.7, weight: 0.1 });
  readonly #costs: ControllerResources["costs"];
  /** Share of blocks that the drafter had something for. */
  #found = 1;
  /** Seconds won, or lost where negative, against plain decoding; and what plain decoding would have taken. */
  #won = 0;
  #plainTime = 0;
  /** Seconds in which a draft model read prompts, and what drafts have won in all. */
  #invested = 0;
  #firstInvestment: number | undefined;
  #earned = 0;
  #pause = firstPause;
  /** Plain tokens to go before the next trial; blocks to go in this one. */
  #paused = 0;
  #trial = trialBlocks;
  #load = 1;

  constructor(options: AutoOptions, { costs, shape }: ControllerResources) {
    this.#options = options;
    this.#isTree = shape === "tree";
    this.#costs = costs;
  }

  choose({ load, left }: ControllerView): Plan {
    this.#load = load;
    const times = this.#timesOf(load);
    const { plainToken } = times;
    if (plainToken === undefined || times.sinceTimed > timedFor) return { plain: timedTokens };
    if (this.#won < -this.#lossAllowed(plainToken) || this.#isBadInvestment(plainToken)) {
      return { plain: Math.max(timedTokens, this.#paused) };
    }
    const { depth, gain } = this.#best(times, plainToken);
    if (gain > 1) return this.#plan(depth);
    if (this.#paused > 0) return { plain: Math.min(this.#paused, left) };
    if (this.#trial > 0) return this.#plan(Math.max(2, depth));
    // The trial is over and it does not pay.
    this.#paused = this.#pause;
    this.#pause = Math.min(longestPause, 2 * this.#pause);
    this.#trial = trialBlocks;
    return { plain: Math.min(this.#paused, left) };
  }

  learn(verified: Verified, seconds: BlockSeconds): void {
    const { size } = verified.tree;
    const times = this.#timesOf(this.#load);
    const { plainToken = 0 } = times;
    const plain = verified.written.length * plainToken;
    times.passes.observe(size + 1, seconds.target);
    if (size > 0) times.drafts.observe(size, seconds.draft);
    this.#found += 0.1 * ((size > 0 ? 1 : 0) - this.#found);
    this.#acceptance.learn(verified);
    times.sinceTimed += verified.written.length;
    this.#plainTime += plain;
    this.#won += plain - seconds.draft - seconds.target;
    this.#invested += seconds.catchUp;
    if (seconds.catchUp > 0) this.#firstInvestment ??= seconds.catchUp;
    this.#earned += plain - seconds.draft - seconds.target;
    if (size > 0) this.#trial = Math.max(0, this.#trial - 1);
    // What was won is no licence to lose it all again.
    this.#won = Math.min(this.#won, 10 * this.#lossAllowed(plainToken));
  }

  learnPlain(tokens: number, seconds: number): void {
    if (tokens === 0) return;
    const times = this.#timesOf(this.#load);
    times.plain.observe(1, seconds / tokens);
    if (tokens >= timedTokens) times.sinceTimed = 0;
    this.#plainTime += seconds;
    this.#paused = Math.max(0, this.#paused - tokens);
  }

  /** One reading of a prompt by the draft model is the price of finding out; more of them must have been earned. */
  #isBadInvestment(plainToken: number): boolean {
    const further = this.#invested - (this.#firstInvestment ?? 0);
    return further > Math.max(0, this.#earned) + this.#lossAllowed(plainToken);
  }

  #plan(depth: number): Plan {
    return { nodes: this.#isTree ? this.#options.nodes : depth, depth };
  }

  /** A few tokens' time to begin with, then a share of all time. */
  #lossAllowed(plainToken: number): number {
    return 2 * plainToken + this.#options.loss * this.#plainTime;
  }

  /** The depth with the most tokens per second, and how much faster than plain decoding it would be. */
  #best(times: Load, plainToken: number): { depth: number; gain: number } {
    let best = { depth: 1, gain: 0 };
    for (let depth = 1; depth <= this.#options.depth; depth++) {
      const nodes = this.#isTree ? this.#options.nodes : depth;
      const target = times.passes.at(nodes + 1) ?? this.#foretold(nodes + 1, plainToken);
      const drafting = times.drafts.at(nodes) ?? this.#costs?.draft(nodes) ?? 0;
      const alone = times.passes.at(1) ?? plainToken;
      const seconds = this.#found * (drafting + target) + (1 - this.#found) * alone;
      const tokens = this.#found * this.#acceptance.tokens(depth) + (1 - this.#found);
      const gain = (tokens * plainToken) / seconds;
      if (gain > best.gain) best = { depth, gain };
    }
    return best;
  }

  /** A pass of this width before any was timed: by the calibration's curve, else by a careful guess. */
  #foretold(width: number, plainToken: number): number {
    if (!this.#costs) return plainToken * (1 + 0.3 * (width - 1));
    return (plainToken * this.#costs.target(width * this.#load)) / this.#costs.target(this.#load);
  }

  /** Figures of passes that shared the target with about so many others. */
  #timesOf(load: number): Load {
    const bucket = Math.floor(Math.log2(Math.max(1, load)));
    const known = this.#loads.get(bucket) ?? new Load();
    this.#loads.set(bucket, known);
    return known;
  }
}

class Load {
  readonly passes = new PassTimes();
  readonly drafts = new PassTimes();
  readonly plain = new PassTimes();
  sinceTimed = 0;

  get plainToken(): number | undefined {
    return this.plain.at(1);
  }
}
