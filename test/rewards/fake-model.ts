/** A model without weights whose laws and states are hashes of everything that was read, and who counts. */

import { StepwrightError } from "../../src/core/errors.js";
import { GrowingStates } from "../../src/core/growing-states.js";
import {
  type Branch,
  type Capability,
  type ChatMessage,
  type ExtendOptions,
  type Extension,
  type Model,
  noUsage,
  type Reading,
  type ReadOptions,
  spanFlops,
} from "../../src/core/model.js";
import { keyedUniform } from "../../src/core/random.js";
import type { Passage, StopReason, Token } from "../../src/core/step.js";

export interface FakeOptions {
  /** Models of other names have other laws and states. Default: fake. */
  readonly name?: string;
  /** Texts that are one token, by id; longest match first, all else is one token per code point. */
  readonly pieces?: readonly string[];
  /** Texts that are one token only where special tokens are parsed. */
  readonly specials?: readonly string[];
  readonly capabilities?: readonly Capability[];
  /** ln P(token | ids). Default: a hash, between ln 0.05 and ln 0.1. */
  readonly law?: (ids: readonly Token[], token: Token) => number;
  readonly hidden?: (ids: readonly Token[]) => Float32Array;
  /** What is written after these ids. Default: writing is refused. */
  readonly writes?: (ids: readonly Token[], options: ExtendOptions) => string;
}

export const width = 8;
const specialBase = 500;
const characterBase = 1000;

export class FakeModel implements Model {
  readonly name: string;
  readonly fingerprint: string;
  readonly vocabulary = "fake-vocabulary";
  readonly capabilities: ReadonlySet<Capability>;
  readonly size = {
    parameters: 1,
    multiplied: 1,
    layers: 1,
    attentionWidth: 1,
    vocabulary: 1e6,
    context: 4096,
    bytes: 1,
  };
  live = 0;
  /** Counts crashes of the engine; branches made before the last one are lost. */
  generation = 0;
  /** Tokens that the usages of all reads add up to. */
  charged = 0;
  /** Ids of each read, in order. */
  readonly reads: Token[][] = [];
  /** Errors for the next reads; undefined lets one pass. */
  readonly faults: (Error | undefined)[] = [];
  readonly #options: FakeOptions;

  constructor(options: FakeOptions = {}) {
    this.#options = options;
    this.name = options.name ?? "fake";
    this.fingerprint = this.name;
    this.capabilities = new Set(options.capabilities ?? ["text", "logits", "branch", "hidden"]);
  }

  async tokenize(text: string, { special = false } = {}): Promise<Token[]> {
    const { pieces = [], specials = [] } = this.#options;
    const known = [
      ...pieces.map((piece, id) => ({ piece, id })),
      ...(special ? specials.map((piece, at) => ({ piece, id: specialBase + at })) : []),
    ].sort((a, b) => b.piece.length - a.piece.length);
    const ids: Token[] = [];
    for (let at = 0; at < text.length; ) {
      const match = known.find(({ piece }) => text.startsWith(piece, at));
      const point = text.codePointAt(at)!;
      ids.push(match ? match.id : characterBase + point);
      at += match ? match.piece.length : String.fromCodePoint(point).length;
    }
    return ids;
  }

  async detokenize(tokens: readonly Token[]): Promise<string> {
    const { pieces = [], specials = [] } = this.#options;
    return tokens
      .map((id) =>
        id >= characterBase
          ? String.fromCodePoint(id - characterBase)
          : id >= specialBase
            ? specials[id - specialBase]!
            : pieces[id]!,
      )
      .join("");
  }

  async renderChat(messages: readonly ChatMessage[]): Promise<Passage> {
    const tokens: Token[] = [];
    for (const { role, content } of messages) {
      tokens.push(
        ...(await this.tokenize(`<${role}>`, { special: true })),
        ...(await this.tokenize(content)),
      );
      tokens.push(...(await this.tokenize("<end>", { special: true })));
    }
    tokens.push(...(await this.tokenize("<assistant>", { special: true })));
    return { text: await this.detokenize(tokens), tokens, vocabulary: this.vocabulary };
  }

  async open(prefix: Passage | string): Promise<Branch> {
    const ids = typeof prefix === "string" ? await this.tokenize(prefix) : [...prefix.tokens];
    return new FakeBranch(this, ids, ids.length);
  }

  read(ids: readonly Token[], options: ReadOptions, count = 0): Omit<Reading, "usage"> {
    return {
      ...(options.tokens && { tokens: options.tokens.map((token) => this.#law(ids, token)) }),
      ...(options.hidden && { hidden: this.#hidden(ids) }),
      ...(options.logprobs && this.#readEach(ids, count, options.states === true)),
    };
  }

  /** Of the last `count` tokens, each after those before it. */
  #readEach(ids: readonly Token[], count: number, states: boolean) {
    const places = Array.from({ length: count }, (_, at) => ids.slice(0, ids.length - count + at));
    const logprobs = places.map((before) => this.#law(before, ids[before.length]!));
    const entropies = places.map((before) => 3 * uniform(before, -1));
    const growing = new GrowingStates();
    if (states) for (const [at, before] of places.entries()) growing.add(this.#hidden(before), logprobs[at]!);
    const over = growing.over(count);
    return { logprobs, entropies, ...(over && { states: over }) };
  }

  #law(ids: readonly Token[], token: Token): number {
    return this.#options.law?.(ids, token) ?? Math.log(0.05 + 0.05 * uniform(ids, token, this.name));
  }

  #hidden(ids: readonly Token[]): Float32Array {
    const value = (at: number) => 2 * uniform(ids, at, this.name) - 1;
    return this.#options.hidden?.(ids) ?? Float32Array.from({ length: width }, (_, at) => value(at));
  }

  async write(ids: readonly Token[], options: ExtendOptions) {
    const { writes } = this.#options;
    if (!writes) throw new Error("this reward was to read only");
    const all = await this.tokenize(writes(ids, options));
    const tokens = all.slice(0, options.maxTokens);
    const stop: StopReason = all.length > tokens.length ? "cap" : "end";
    return { text: await this.detokenize(tokens), tokens, stop };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

class FakeBranch implements Branch {
  #dropped = false;
  readonly #generation: number;

  constructor(
    readonly model: FakeModel,
    private ids: Token[],
    /** Tokens of an opening that no read has paid for. */
    private unread: number,
  ) {
    model.live++;
    this.#generation = model.generation;
  }

  get length(): number {
    return this.ids.length;
  }

  fork(): Branch {
    this.#refuse();
    return new FakeBranch(this.model, [...this.ids], this.unread);
  }

  async append(passage: Passage | string, options: ReadOptions = {}): Promise<Reading> {
    this.#refuse();
    if (typeof passage === "string" || passage.vocabulary !== this.model.vocabulary) {
      throw new Error("rewards hand over ids");
    }
    this.ids.push(...passage.tokens);
    const ids = [...this.ids];
    const prefillTokens = passage.tokens.length + this.unread;
    this.unread = 0;
    this.model.charged += prefillTokens;
    this.model.reads.push([...passage.tokens]);
    const fault = this.model.faults.shift();
    await Promise.resolve();
    options.signal?.throwIfAborted();
    if (fault) throw fault;
    const flops = spanFlops(this.model.size, ids.length - prefillTokens, prefillTokens);
    return {
      ...this.model.read(ids, options, passage.tokens.length),
      usage: { ...noUsage, prefillTokens, flops },
    };
  }

  async extend(options: ExtendOptions): Promise<Extension> {
    this.#refuse();
    const start = this.ids.length;
    const { text, tokens, stop } = await this.model.write(this.ids, options);
    this.ids.push(...tokens);
    await Promise.resolve();
    options.signal?.throwIfAborted();
    const figures = tokens.map((_, at) => Math.log(0.3 + 0.4 * uniform(this.ids.slice(0, start), at)));
    const flops = spanFlops(this.model.size, start, tokens.length);
    const usage = { ...noUsage, decodeTokens: tokens.length, flops };
    const { vocabulary } = this.model;
    return { text, tokens, vocabulary, stop, logprobs: figures, entropies: figures.map(() => 0.7), usage };
  }

  trim(length: number): void {
    this.#refuse();
    if (length > this.ids.length) throw new Error("trim beyond the end");
    this.ids.length = length;
  }

  drop(): void {
    if (!this.#dropped) this.model.live--;
    this.#dropped = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drop();
  }

  #refuse(): void {
    if (this.#dropped) throw new Error("used after drop");
    if (this.#generation !== this.model.generation) {
      throw new StepwrightError("engine-failed", "the branch was lost");
    }
  }
}

/** In (0, 1), from every id in its place. */
export function uniform(ids: readonly Token[], salt: number, purpose = "fake"): number {
  return (keyedUniform(salt, ids.join(), ids.length, purpose) + 1e-9) / (1 + 1e-9);
}
