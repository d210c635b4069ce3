/**
 * Writes one step: block by block, the controller says how much to draft, the drafter drafts it, the target reads it in
 * one pass, the rule walks it, and the branch keeps what was written. Where nothing is to be drafted the target writes by
 * itself. Terms as in core/speculation.ts; algorithm: card speculative-sampling, D and E.
 */
import { DraftTree, root } from "../core/draft-tree.js";
import { StepwrightError } from "../core/errors.js";
import { GrowingStates } from "../core/growing-states.js";
import { GrowingStep } from "../core/growing-step.js";
import {
  type Branch,
  type ExtendOptions,
  type Extension,
  spanFlops,
  tokenFlops,
  tokensWithin,
} from "../core/model.js";
import type { BlockSeconds, Draft, DraftSession, OpenRule, Plan, Verified } from "../core/speculation.js";
import type { StopReason, Token } from "../core/step.js";
import { readBlock } from "./block.js";
import type { Host } from "./host.js";
import { StepAccount } from "./step-account.js";
import { takeStrides } from "./walk.js";
import { withinLeaves } from "./within-leaves.js";

/** A branch of the target and what speculates beside it. */
export interface Place {
  readonly branch: Branch;
  readonly session: DraftSession;
  readonly rule: OpenRule;
  /** Everything in the branch. */
  tokens: readonly Token[];
  /** Tokens that the drafter has seen. */
  drafted: number;
  /** True when the text has outgrown the draft model's context. */
  outgrown: boolean;
}

type BlockPlan = Extract<Plan, { nodes: number }>;

/** A draft and how long it took. */
interface Proposed {
  readonly draft: Draft;
  readonly seconds: number;
}

interface Written {
  readonly verified: Verified;
  readonly stop: StopReason | null;
  readonly seconds: number;
}

export class StepLoop {
  readonly #host: Host;
  readonly #place: Place;
  readonly #options: ExtendOptions;
  readonly #start: number;
  readonly #step: GrowingStep;
  readonly #states = new GrowingStates();
  readonly #account = new StepAccount();
  #hints: readonly (readonly Token[])[] = [];
  /** A chain that was drafted while the target read the block before, and that goes on from what was written. */
  #ahead: Draft = nothing;
  /** Characters of the step's text that were shown. */
  #shown = 0;
  /** Tokens handed to the branch to be passed with the next block. */
  readonly #handed: Promise<void>[] = [];

  constructor(host: Host, place: Place, options: ExtendOptions) {
    this.#host = host;
    this.#place = place;
    this.#options = options;
    this.#start = place.tokens.length;
    this.#step = new GrowingStep(options);
  }

  async run(): Promise<Extension> {
    this.#hints = await this.#hintTokens();
    let stop: StopReason | null = null;
    while (!stop) stop = await this.#next();
    this.#step.close();
    this.#show();
    await Promise.all(this.#handed);
    const { text, tokens, logprobs, entropies } = this.#step;
    const { vocabulary } = this.#host.target;
    const states = this.#states.over(tokens.length);
    return {
      ...{ text, tokens, vocabulary, stop, logprobs, entropies },
      ...(states && { states }),
      ...this.#account.figures(),
    };
  }

  /** One block or one plain stretch; why the step is over, if it is. */
  async #next(): Promise<StopReason | null> {
    const { signal, maxTokens } = this.#options;
    if (signal?.aborted) return "cut";
    if (this.#place.tokens.length >= this.#host.target.size.context) return "context";
    const left = maxTokens - this.#step.tokens.length;
    const plan = this.#plan(left);
    try {
      if ("nodes" in plan)
        return await (this.#host.controller.ahead ? this.#blockAhead(plan) : this.#block(plan));
      if (this.#step.isWhole) return await this.#plain(plan.plain, left);
      return (await this.#verify(nothing)).stop;
    } catch (error) {
      if (signal?.aborted && StepwrightError.is(error, "aborted")) return "cut";
      throw error;
    }
  }

  /** What the controller wants, within the step, the context, a pass of the target, and the FLOPs allowed. */
  #plan(left: number): Plan {
    const { target, controller, drafter, writing } = this.#host;
    const { length } = this.#place.tokens;
    if (this.#place.outgrown) return { plain: left };
    // What was written since the last block is one token, or what a plain stretch wrote.
    const unseen = drafter.size ? Math.max(0, length - this.#place.drafted - 1) : 0;
    const plan = controller.choose({ load: writing, length, left, unseen });
    if ("plain" in plan) return plan;
    // The last token of the step, and of the context, is the target's own; a shared cache has no more cells than that.
    const room = target.size.context - length - 1;
    const depth = Math.min(plan.depth, left - 1, room);
    const nodes = Math.min(plan.nodes, this.#host.mostNodes, room);
    if (depth < 1 || nodes < 1) return { plain: 1 };
    return this.#costOf(nodes) <= this.#flopsLeft() ? { nodes, depth } : { plain: left };
  }

  /** The most FLOPs that a block can cost: target and draft model may both have to read everything anew. */
  #costOf(nodes: number): number {
    const { target, drafter, controller } = this.#host;
    const { length } = this.#place.tokens;
    const drafted = controller.ahead ? 2 * nodes : nodes;
    const drafting = drafter.size ? spanFlops(drafter.size, 0, length + drafted) : 0;
    return spanFlops(target.size, 0, length + nodes) + drafting;
  }

  #flopsLeft(): number {
    const { flops = Number.POSITIVE_INFINITY } = this.#options;
    // The token handed over last is not passed yet, or not paid for.
    const due = this.#account.writesBlocks
      ? tokenFlops(this.#host.target.size, this.#place.tokens.length)
      : 0;
    return flops - this.#account.flops - due;
  }

  // ---- without drafts --------------------------------------------------------------------------------------------

  async #plain(wanted: number, left: number): Promise<StopReason | null> {
    const { splitter, hints: _, flops: __, ...options } = this.#options;
    const { text: before, tokens } = this.#step;
    const { controller, target, now, bytes } = this.#host;
    const place = this.#place;
    const most = Math.min(wanted, left);
    const count = tokensWithin(target.size, place.tokens.length, this.#flopsLeft(), most);
    if (count < 1) return "cap";
    this.#ahead = nothing;
    let text = before;
    const started = now();
    const written = await place.branch.extend({
      ...options,
      splitter: tokens.length === 0 ? splitter : { kind: "resumed", splitter, text, tokens: tokens.length },
      maxTokens: count,
      onText:
        options.onText &&
        ((piece) => {
          text += piece;
          // A stretch may end within a character: marks of broken ones are shown once they are certain.
          this.#show(text.replace(/\uFFFD+$/, ""));
        }),
    });
    // What a call had to read first says nothing of the tokens that it wrote.
    const { prefillTokens, decodeTokens } = written.usage;
    const share = decodeTokens / Math.max(1, prefillTokens + decodeTokens);
    controller.learnPlain?.(written.tokens.length, (now() - started) * share);
    place.tokens = [...place.tokens, ...written.tokens];
    this.#account.plain(written.usage);
    if (written.states) this.#states.join(written.states, written.logprobs);
    if (written.stop !== "cap" || count === left) {
      this.#step.join(written);
      return written.stop;
    }
    const pieces = await bytes.of(written.tokens);
    for (const [index, token] of written.tokens.entries()) {
      const figures = { token, logprob: written.logprobs[index]!, entropy: written.entropies[index]! };
      this.#step.add(figures, pieces[index]!, false);
    }
    this.#show();
    return null;
  }

  // ---- with drafts -----------------------------------------------------------------------------------------------

  async #block(plan: BlockPlan): Promise<StopReason | null> {
    const proposed = await this.#propose(this.#place.tokens, plan);
    const written = await this.#verify(proposed.draft);
    this.#learn(written, secondsOf(proposed, written.seconds));
    return written.stop;
  }

  /**
   * PEARL: the next chain is drafted while the target reads this one, as if all of this one were accepted. Its first
   * token stands only if it is what the target writes there, by whatever rule; then the rest is the next block's draft.
   */
  async #blockAhead(plan: BlockPlan): Promise<StopReason | null> {
    const pending = firstOf(this.#ahead, plan.depth);
    this.#ahead = nothing;
    const assumed = [...this.#place.tokens, ...pending.tree.nodes.map(({ token }) => token)];
    // Both are awaited whatever happens: nothing may go on behind a step that has ended.
    const [reading, drafting] = await Promise.allSettled([
      this.#verify(pending),
      this.#propose(assumed, plan),
    ]);
    if (reading.status === "rejected") throw reading.reason;
    const { verified, stop, seconds } = reading.value;
    if (drafting.status === "rejected") {
      if (stop) return stop;
      throw drafting.reason;
    }
    const { draft } = drafting.value;
    this.#learn(reading.value, secondsOf(drafting.value, seconds));
    const isAsAssumed =
      verified.path.length === pending.tree.size && verified.written.length > verified.path.length;
    const [first] = draft.tree.nodes;
    if (isAsAssumed && first?.token === verified.written.at(-1))
      this.#ahead = { tree: withoutFirst(draft.tree) };
    return stop;
  }

  async #propose(tokens: readonly Token[], { nodes, depth }: BlockPlan): Promise<Proposed> {
    const { controller, now } = this.#host;
    const { sampling, key, signal } = this.#options;
    const started = now();
    const draft = await this.#place.session
      .propose({
        ...{ tokens, nodes, depth, sampling, key, signal },
        start: this.#start,
        hints: this.#hints,
        hidden: controller.hidden ?? false,
        shouldStop: controller.watch?.(),
      })
      .catch((error: unknown) => {
        if (!StepwrightError.is(error, "context-exceeded")) throw error;
        this.#place.outgrown = true;
        return nothing;
      });
    const { tree, usage } = draft;
    if (tree.size > nodes || tree.depth > depth) {
      throw new StepwrightError(
        "internal",
        `a tree of ${tree.size} drafts, ${tree.depth} deep, where ${nodes} and ${depth} were allowed`,
      );
    }
    this.#account.drafting(usage);
    if (tree.size > 0) this.#place.drafted = tokens.length;
    const { leaves = Number.POSITIVE_INFINITY } = this.#host.target.treeLimits ?? {};
    return { draft: { ...draft, tree: withinLeaves(tree, leaves) }, seconds: now() - started };
  }

  /** The target's pass over a draft, and what is written of it. */
  async #verify({ tree }: Draft): Promise<Written> {
    const { bytes, now, target } = this.#host;
    const place = this.#place;
    const { branch, tokens } = place;
    const started = now();
    const { rows, strides, usage } = await readBlock(this.#host, place, tree, this.#options);
    // What had to be read before the block is not the block's.
    const share = Math.min(1, (tree.size + 1) / Math.max(1, usage.prefillTokens));
    const seconds = (now() - started) * share;
    this.#account.passed(usage);
    const pieces = await bytes.of(strides.map(({ token }) => token));
    const isEnd = (token: Token) => target.endTokens?.has(token) ?? false;
    const { taken, stop } = takeStrides(strides, pieces, this.#step, isEnd);
    const kept = strides.slice(0, taken);
    for (const { state, logprob } of kept) if (state) this.#states.add(state, logprob);
    const written = kept.map(({ token }) => token);
    const path = kept.flatMap(({ node }) => (node === root ? [] : [node]));
    // The last token stays unread, as plain decoding leaves it: the next call wants the law after it.
    branch.keep!(strides[taken - 2]?.node ?? root);
    if (taken > 0) this.#hand(written.slice(-1));
    place.tokens = [...tokens, ...written];
    this.#account.block(tree, path.length, taken);
    this.#show();
    return { verified: { tree, rows, path, written, tokens }, stop, seconds };
  }

  #learn({ verified }: Written, seconds: BlockSeconds): void {
    this.#place.session.learn?.(verified);
    this.#host.controller.learn?.(verified, seconds);
  }

  #hand(tokens: readonly Token[]): void {
    const passage = { text: "", tokens, vocabulary: this.#host.target.vocabulary };
    const handed = this.#place.branch.append(passage).then(({ usage }) => this.#account.passed(usage));
    // Awaited at the step's end; a failure before that is the next pass's failure too.
    handed.catch(() => {});
    this.#handed.push(handed);
  }

  #show(text = this.#step.text): void {
    if (text.length <= this.#shown) return;
    this.#options.onText?.(text.slice(this.#shown));
    this.#shown = text.length;
  }

  async #hintTokens(): Promise<readonly (readonly Token[])[]> {
    const { target } = this.#host;
    return Promise.all(
      (this.#options.hints ?? []).map(({ text, tokens, vocabulary }) =>
        vocabulary === target.vocabulary ? tokens : target.tokenize(text),
      ),
    );
  }
}

const nothing: Draft = { tree: new DraftTree() };

/** A draft model passes a token for each that it drafts, and the one that the target wrote last; the rest is new to it. */
function secondsOf({ draft: { tree, usage }, seconds }: Proposed, target: number): BlockSeconds {
  const passes = usage ? usage.prefillTokens + usage.decodeTokens : 0;
  const read = Math.max(0, passes - tree.size - 1);
  const catchUp = read === 0 ? 0 : (seconds * read) / passes;
  return { draft: seconds - catchUp, drafted: tree.size, catchUp, read, target };
}

/** At most so much of a chain. */
function firstOf({ tree }: Draft, depth: number): Draft {
  return tree.size <= depth ? { tree } : { tree: DraftTree.chain(tree.nodes.slice(0, depth)) };
}

function withoutFirst(tree: DraftTree): DraftTree {
  return DraftTree.chain(tree.nodes.slice(1));
}
