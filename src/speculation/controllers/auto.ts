/**
 * Drafts as long as it pays, and finds out whether it does within a loss that is bounded from the start: the time lost
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
const fewTokens = 4;
/** Plain tokens before drafts that did not pay are tried again: first, and at most. */
const firstPause = 24;
const longestPause = 512;
/** Blocks of one trial. */
const trialBlocks = 2;
/** Plain tokens' time that may be lost before a share of anything has come together. */
const grace = 1.5;
/** Gain that must be promised, and gain that is worth a draft model's first reading of a prompt. */
const enough = 1.02;
const worthReading = 1.2;

const schema = z.object({
  nodes: z.int().min(1).max(256).default(15).describe("most drafts in a tree"),
  depth: z.int().min(1).max(64).default(15).describe("most drafts in a row"),
  loss: z
    .number()
    .min(0)
    .max(0.5)
    .default(0.015)
    .describe("greatest share of plain decoding's time that finding out may cost"),
});

export default defineController({
  name: "auto",
  essence: "drafts as long as it pays by measured time, tries again at times, and bounds what that may cost",
  source: "SmartSpec's goodput (card smartspec) with a bound on the loss",
  schema,
  open: (options, resources) => new AutoController(options, resources),
});

type BlockPlan = Extract<Plan, { nodes: number }>;

class AutoController implements OpenController {
  readonly #options: z.output<typeof schema>;
  readonly #resources: ControllerResources;
  readonly #loads = new Map<number, Load>();
  readonly #acceptance = new Acceptance({ start: 0.7, weight: 0.1 });
  /** Share of blocks that the drafter had something for; then, of the nodes that it might draft, how many it did. */
  #found = 1;
  #filled = 1;
  /** Depth of its trees over their size: 1 for chains. */
  #slenderness = 1;
  #asked = 1;
  /** Blocks in a row that the drafter had nothing for. */
  #empty = 0;
  #skipped = false;
  #blocks = 0;
  /** Seconds won against plain decoding, negative where lost; and what plain decoding would have taken. */
  #won = 0;
  #plainTime = 0;
  /** Seconds in which the draft model reads a token that it has not seen. */
  #readingRate: number | undefined;
  #pause = firstPause;
  /** Plain tokens to go before the next trial; blocks to go in this one. */
  #paused = 0;
  #trial = trialBlocks;
  #load = 1;

  constructor(options: z.output<typeof schema>, resources: ControllerResources) {
    this.#options = options;
    this.#resources = resources;
  }

  choose({ load, left, unseen }: ControllerView): Plan {
    this.#load = load;
    const times = this.#timesOf(load);
    const plain = times.plainToken;
    if (plain === undefined || times.sinceTimed > timedFor) return { plain: timedTokens };
    // A block of the target's own token alone costs more messages than a plain stretch: not one for every token.
    if (this.#empty > 0 && !this.#skipped) {
      this.#skipped = true;
      return { plain: Math.min(left, 2 ** Math.min(3, this.#empty)) };
    }
    this.#skipped = false;
    const reading = unseen * this.#rateOf(plain);
    const isFirst = this.#blocks === 0;
    const free = this.#won + this.#lossAllowed(plain);
    const best = this.#best(times, plain, free - (isFirst ? 0 : reading));
    if (best) {
      const { plan, gain } = best;
      const pays = gain > (isFirst && reading > free ? worthReading : enough);
      const isTrial = reading <= free && this.#paused === 0 && this.#trial > 0;
      const isOn = pays && (gain - 1) * left * plain > reading;
      if (isOn) this.#pause = firstPause;
      if (isOn || isTrial) {
        this.#asked = plan.nodes;
        return plan;
      }
    }
    if (this.#paused === 0) this.#rest();
    return { plain: Math.min(left, this.#paused) };
  }

  learn(verified: Verified, seconds: BlockSeconds): void {
    const { size } = verified.tree;
    const times = this.#timesOf(this.#load);
    const plain = verified.written.length * (times.plainToken ?? 0);
    times.passes.observe(size + 1, seconds.target);
    times.sinceTimed += verified.written.length;
    this.#plainTime += plain;
    this.#won += plain - seconds.draft - seconds.target;
    if (seconds.read > 0) {
      const rate = seconds.catchUp / seconds.read;
      this.#readingRate = this.#readingRate === undefined ? rate : (this.#readingRate + rate) / 2;
      // The first reading is the price of finding out.
      if (this.#blocks > 0) this.#won -= seconds.catchUp;
    }
    this.#found += 0.1 * ((size > 0 ? 1 : 0) - this.#found);
    this.#empty = size > 0 ? 0 : this.#empty + 1;
    if (size > 0) {
      this.#filled += 0.1 * (Math.min(1, size / this.#asked) - this.#filled);
      this.#slenderness += 0.1 * (verified.tree.depth / size - this.#slenderness);
      times.drafts.observe(seconds.drafted, seconds.draft);
      this.#blocks++;
      this.#trial = Math.max(0, this.#trial - 1);
    }
    this.#acceptance.learn(verified);
    // What was won is no licence to lose all of it again.
    this.#won = Math.min(this.#won, 10 * this.#lossAllowed(times.plainToken ?? 0));
  }

  learnPlain(tokens: number, seconds: number): void {
    if (tokens === 0) return;
    const times = this.#timesOf(this.#load);
    // A few tokens tell more of a call's own cost than of a token's.
    if (tokens >= fewTokens) times.plain.observe(1, seconds / tokens);
    if (tokens >= timedTokens) times.sinceTimed = 0;
    this.#plainTime += seconds;
    this.#paused = Math.max(0, this.#paused - tokens);
  }

  /** A trial is over, and it does not pay. */
  #rest(): void {
    this.#paused = this.#pause;
    this.#pause = Math.min(longestPause, 2 * this.#pause);
    this.#trial = trialBlocks;
  }

  #lossAllowed(plainToken: number): number {
    return grace * plainToken + this.#options.loss * this.#plainTime;
  }

  /**
   * The draft with the most tokens per second among those that lose no more than this where half of what is hoped for is
   * refused, and how much faster than plain decoding it would be.
   */
  #best(times: Load, plainToken: number, canLose: number): { plan: BlockPlan; gain: number } | undefined {
    const secondsOf = (nodes: number) =>
      this.#drafting(times, nodes, plainToken) + this.#pass(times, nodes + 1, plainToken);
    const { depth: most } = this.#options;
    let best: { plan: BlockPlan; gain: number } | undefined;
    for (let nodes = 1; nodes <= this.#options.nodes; nodes++) {
      const drafted = Math.max(1, Math.round(nodes * this.#filled));
      const block = secondsOf(drafted);
      const depth = Math.min(most, Math.max(1, Math.round(drafted * this.#slenderness)));
      const expected = this.#acceptance.tokens(depth);
      // Half of what is hoped for may not come.
      if (block - (plainToken * (1 + expected)) / 2 > canLose) continue;
      const alone = times.passes.at(1) ?? plainToken;
      const seconds = this.#found * block + (1 - this.#found) * alone;
      const tokens = this.#found * expected + (1 - this.#found);
      const gain = (tokens * plainToken) / seconds;
      if (gain > (best?.gain ?? 0)) best = { plan: { nodes, depth: Math.min(nodes, most) }, gain };
    }
    return best;
  }

  /** A pass of the target of this width: measured, or foretold by the calibration, or a hopeful guess that a trial corrects. */
  #pass(times: Load, width: number, plainToken: number): number {
    const { costs } = this.#resources;
    const measured = times.passes.at(width);
    if (measured !== undefined && width <= 1.25 * times.passes.widest) return measured;
    if (costs) return (plainToken * costs.target(width * this.#load)) / costs.target(this.#load);
    const guess = plainToken * (1 + 0.5 * (width - 1));
    return measured === undefined ? guess : Math.min(measured, guess);
  }

  #drafting(times: Load, nodes: number, plainToken: number): number {
    const measured = times.drafts.at(nodes);
    if (measured !== undefined) return measured;
    const { costs } = this.#resources;
    return costs ? costs.draft(nodes) : nodes * this.#sizeRatio() * plainToken;
  }

  #rateOf(plainToken: number): number {
    const { costs } = this.#resources;
    // Read in stretches, a token takes about half the time that it takes to write one.
    return this.#readingRate ?? (costs ? costs.draft(1) : this.#sizeRatio() * plainToken) / 2;
  }

  #sizeRatio(): number {
    const { draft, target } = this.#resources;
    return draft ? draft.size.multiplied / target.size.multiplied : 0;
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
