/**
 * Writes one step: block by block, the controller says how much to draft, the drafter drafts it, the target reads it in
 * one pass, the rule walks it, and the branch keeps what was written. Where nothing is to be drafted the target writes by
 * itself. Terms as in core/speculation.ts; algorithm: card speculative-sampling, D and E.
 */
import { DraftTree, root } from "../core/draft-tree.js";
import { StepwrightError } from "../core/errors.js";
import { GrowingStep } from "../core/growing-step.js";
import {
  addUsage,
  type Branch,
  type ExtendOptions,
  type Extension,
  noUsage,
  spanFlops,
  tokenFlops,
  tokensWithin,
  type Usage,
} from "../core/model.js";
import type { Draft, DraftSession, OpenRule, Plan } from "../core/speculation.js";
import type { StopReason, Token } from "../core/step.js";
import { readBlock } from "./block.js";
import type { Host } from "./host.js";
import { takeStrides } from "./walk.js";

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

export class StepLoop {
  readonly #host: Host;
  readonly #place: Place;
  readonly #options: ExtendOptions;
  readonly #start: number;
  readonly #step: GrowingStep;
  #hints: readonly (readonly Token[])[] = [];
  /** What plain stretches cost, and what blocks passed, all of that as reading. */
  #plainUsage: Usage = noUsage;
  #passed: Usage = noUsage;
  /** Tokens that blocks wrote. */
  #written = 0;
  #drafting: Usage | undefined;
  readonly #counts = { blocks: 0, drafted: 0, accepted: 0 };
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
    const isDrafted = this.#counts.blocks > 0 || this.#drafting !== undefined;
    return {
      ...{ text, tokens, vocabulary, stop, logprobs, entropies, usage: this.#cost() },
      ...(isDrafted && {
        speculation: { ...this.#counts, ...(this.#drafting && { draft: this.#drafting }) },
      }),
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
      if ("nodes" in plan) return await this.#block(plan);
      return this.#step.isWhole ? await this.#plain(plan.plain, left) : await this.#verify(nothing, 0);
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
    // The last token of the step, and of the context, is the target's own.
    const depth = Math.min(plan.depth, left - 1, target.size.context - length - 1);
    const nodes = Math.min(plan.nodes, target.treeLimits?.nodes ?? plan.nodes);
    if (depth < 1 || nodes < 1) return { plain: 1 };
    return this.#costOf(nodes) <= this.#flopsLeft() ? { nodes, depth } : { plain: left };
  }

  /** The most FLOPs that a block can cost: target and draft model may both have to read everything anew. */
  #costOf(nodes: number): number {
    const { target, drafter } = this.#host;
    const { length } = this.#place.tokens;
    const drafting = drafter.size ? spanFlops(drafter.size, 0, length + nodes) : 0;
    return spanFlops(target.size, 0, length + nodes) + drafting;
  }

  #flopsLeft(): number {
    const { flops = Number.POSITIVE_INFINITY } = this.#options;
    const spent = this.#plainUsage.flops + this.#passed.flops + (this.#drafting?.flops ?? 0);
    // The token handed over last is not passed yet, or not paid for.
    const due = this.#written > 0 ? tokenFlops(this.#host.target.size, this.#place.tokens.length) : 0;
    return flops - spent - due;
  }

  // ---- without drafts --------------------------------------------------------------------------------------------

  async #plain(wanted: number, left: number): Promise<StopReason | null> {
    const { splitter, hints: _, flops: __, ...options } = this.#options;
    const { text: before, tokens } = this.#step;
    const most = Math.min(wanted, left);
    const count = tokensWithin(this.#host.target.size, this.#place.tokens.length, this.#flopsLeft(), most);
    if (count < 1) return "cap";
    let text = before;
    const started = this.#host.now();
    const written = await this.#place.branch.extend({
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
    this.#host.controller.learnPlain?.(written.tokens.length, this.#host.now() - started);
    this.#place.tokens = [...this.#place.tokens, ...written.tokens];
    this.#plainUsage = addUsage(this.#plainUsage, written.usage);
    const { stop } = written;
    if (stop !== "cap" || count === left) {
      this.#step.join(written);
      return stop;
    }
    const pieces = await this.#host.bytes.of(written.tokens);
    for (const [index, token] of written.tokens.entries()) {
      const figures = { token, logprob: written.logprobs[index]!, entropy: written.entropies[index]! };
      this.#step.add(figures, pieces[index]!, false);
    }
    this.#show();
    return null;
  }

  // ---- with drafts -----------------------------------------------------------------------------------------------

  async #block({ nodes, depth }: Extract<Plan, { nodes: number }>): Promise<StopReason | null> {
    const { controller, now } = this.#host;
    const { session, tokens } = this.#place;
    const { sampling, key, signal } = this.#options;
    const started = now();
    const draft = await session
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
    if (usage) this.#drafting = this.#drafting ? addUsage(this.#drafting, usage) : usage;
    return this.#verify(draft, now() - started);
  }

  /** The target's pass over a draft, and what is written of it. */
  async #verify(draft: Draft, draftSeconds: number): Promise<StopReason | null> {
    const { tree } = draft;
    const { controller, bytes, now, target } = this.#host;
    const place = this.#place;
    const { branch, session, tokens } = place;
    const started = now();
    const { rows, strides, usage } = await readBlock(this.#host, place, tree, this.#options);
    const read = newToDraft(draft);
    const catchUp = read === 0 ? 0 : (draftSeconds * read) / passes(draft);
    const seconds = { draft: draftSeconds - catchUp, catchUp, read, target: now() - started };
    const pieces = await bytes.of(strides.map(({ token }) => token));
    const isEnd = (token: Token) => target.endTokens?.has(token) ?? false;
    const { taken, stop } = takeStrides(strides, pieces, this.#step, isEnd);
    const written = strides.slice(0, taken).map(({ token }) => token);
    const path = strides.slice(0, taken).flatMap(({ node }) => (node === root ? [] : [node]));
    // The last token stays unread, as plain decoding leaves it: the next call wants the law after it.
    branch.keep!(strides[taken - 2]?.node ?? root);
    if (taken > 0) this.#hand(written.slice(-1));
    place.tokens = [...tokens, ...written];
    if (tree.size > 0) place.drafted = tokens.length + path.length;
    this.#passed = addUsage(this.#passed, usage);
    this.#written += taken;
    if (tree.size > 0) this.#counts.blocks++;
    this.#counts.drafted += tree.size;
    this.#counts.accepted += path.length;
    const verified = { tree, rows, path, written, tokens };
    session.learn?.(verified);
    controller.learn?.(verified, seconds);
    this.#show();
    return stop;
  }

  #hand(tokens: readonly Token[]): void {
    const passage = { text: "", tokens, vocabulary: this.#host.target.vocabulary };
    const handed = this.#place.branch.append(passage).then(({ usage }) => {
      this.#passed = addUsage(this.#passed, usage);
    });
    // Awaited at the step's end; a failure before that is the next pass's failure too.
    handed.catch(() => {});
    this.#handed.push(handed);
  }

  /** Each written token took one pass; what was passed beyond that has read: refused drafts, and what was not in the cache. */
  #cost(): Usage {
    const prefillTokens = Math.max(0, this.#passed.prefillTokens - this.#written);
    const recomputedTokens = Math.min(this.#passed.recomputedTokens, prefillTokens);
    const blocks = { ...this.#passed, prefillTokens, recomputedTokens, decodeTokens: this.#written };
    return addUsage(this.#plainUsage, blocks);
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

function passes({ usage }: Draft): number {
  return usage ? usage.prefillTokens + usage.decodeTokens : 0;
}

/** A draft model passes a token for each that it drafts, and the one that the target wrote last; the rest is new to it. */
function newToDraft(draft: Draft): number {
  return Math.max(0, passes(draft) - draft.tree.size - 1);
}

const nothing: Draft = { tree: new DraftTree() };
