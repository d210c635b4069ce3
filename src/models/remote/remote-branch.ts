/**
 * A branch kept here, as tokens and text: the server sees it with each request and finds its start in its prefix cache.
 * Reading is charged when it is asked for, whatever the server still had from other runs: so a run costs the same at any
 * time. What the server says it read beyond that is charged as read again.
 */
import { StepwrightError } from "../../core/errors.js";
import {
  type Branch,
  type ExtendOptions,
  type Extension,
  type Reading,
  type ReadOptions,
  spanFlops,
  type Usage,
} from "../../core/model.js";
import { keyedBits } from "../../core/random.js";
import type { Passage } from "../../core/step.js";
import type { EventStream } from "./client.js";
import type { Held, Piece, ReadCount } from "./dialect.js";
import { invalidAnswer } from "./failure.js";
import type { RemoteModel } from "./remote-model.js";
import type { Segments } from "./segments.js";
import { endStandIn, Writing } from "./writing.js";

export class RemoteBranch implements Branch {
  readonly model: RemoteModel;
  readonly #segments: Segments;
  /** Tokens whose passing was paid for; the last one waits for the pass that writes or asks for its law. */
  #passed: number;
  #dropped = false;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(model: RemoteModel, segments: Segments, passed = 0) {
    this.model = model;
    this.#passed = passed;
    this.#segments = segments;
  }

  get length(): number {
    return this.#segments.length;
  }

  fork(): RemoteBranch {
    this.#mustLive();
    return new RemoteBranch(this.model, this.#segments.copy(), this.#passed);
  }

  append(passage: Passage | string, options: ReadOptions = {}): Promise<Reading> {
    this.#mustLive();
    this.#refuse(options);
    return this.#inOrder(async () => {
      options.signal?.throwIfAborted();
      const { tokens, text } = await this.model.held(passage, options);
      const before = this.length;
      this.#segments.add({ tokens, text, sent: false });
      const asks =
        options.topK !== undefined || options.tokens !== undefined || options.logprobs || options.hidden;
      if (!asks) return { usage: this.#charge(false) };
      return this.#read(this.length - before, options);
    });
  }

  extend(options: ExtendOptions): Promise<Extension> {
    this.#mustLive();
    return this.#inOrder(() => this.#extend(options));
  }

  trim(length: number): void {
    this.#mustLive();
    if (length >= this.length) return;
    this.#segments.trim(length, (kept) => this.model.dialect.textOf?.(kept) ?? "");
    this.#passed = Math.min(this.#passed, this.length);
  }

  drop(): void {
    this.#dropped = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drop();
  }

  async #read(count: number, options: ReadOptions): Promise<Reading> {
    const { model } = this;
    const call = { client: model.client, signal: options.signal };
    const held = this.#held();
    const begun = performance.now();
    const unread = this.#charge(true);
    const expected = this.#segments.send();
    const wantsLaw = options.topK !== undefined || options.tokens !== undefined;
    const law = wantsLaw
      ? await model.dialect.law!(held, options.topK ?? 0, options.tokens ?? [], call)
      : undefined;
    const logprobs = options.logprobs && (await model.dialect.likelihood!(held, count, call));
    const hidden = options.hidden && (await model.dialect.pool!(held, call));
    const seconds = (performance.now() - begun) / 1000;
    // For the prompt's own probabilities, and for heads, the server passes over its cache.
    const again =
      logprobs || hidden
        ? held.tokens.length - Math.max(expected, unread.prefillTokens)
        : readAgain(law?.read, expected);
    return {
      ...(options.topK !== undefined && law && { topK: law.topK, entropy: law.entropy }),
      ...(options.tokens && law && { tokens: law.tokens }),
      ...(logprobs && { logprobs }),
      ...(hidden && { hidden }),
      usage: this.#withAgain({ ...unread, seconds }, again),
    };
  }

  async #extend(options: ExtendOptions): Promise<Extension> {
    const { model } = this;
    const { signal, maxTokens } = options;
    signal?.throwIfAborted();
    const start = this.length;
    const most = Math.min(maxTokens, model.size.context - start);
    const writing = new Writing(options, most, model);
    if (most < 1) writing.stop = maxTokens < 1 ? "cap" : "context";
    let usage = this.#charge(false);
    while (!writing.stop) {
      const [before, textBefore] = [writing.tokens.length, writing.text.length];
      const expected = this.#segments.send();
      const { read, seconds, lostAttempts } = await this.#answer(writing, options, most - before);
      // What an attempt that failed had read is not known: as if all that was new to the server.
      const again = readAgain(read, expected) + lostAttempts * expected;
      usage = this.#withAgain({ ...usage, seconds: usage.seconds + seconds }, again);
      const [tokens, text] = [writing.tokens.slice(before), writing.text.slice(textBefore)];
      this.#segments.add({ tokens, text, sent: true });
      if (!writing.stop && writing.tokens.length === before) {
        throw invalidAnswer(model.client.origin, "ended its answer without a reason");
      }
      writing.goOn();
    }
    this.#passed = Math.max(0, this.length - 1);
    const decodeTokens = writing.tokens.length + writing.surplus;
    const flops = usage.flops + spanFlops(model.size, Math.max(0, start - 1), decodeTokens);
    return { ...writing.result(model.vocabulary), usage: { ...usage, decodeTokens, flops } };
  }

  /** One request, taken as far as the step goes. */
  async #answer(writing: Writing, options: ExtendOptions, room: number) {
    const { model } = this;
    const { signal, sampling, key, splitter } = options;
    const seed = keyedBits(sampling.seed, key, this.length, "remote") >>> 1;
    const stop = splitter.kind === "delimiter" ? splitter.delimiter : undefined;
    const held = this.#held();
    const request = model.dialect.write(held, { maxTokens: room, sampling, seed, stop });
    const stream = await model.client.events({ ...request, signal });
    let read: ReadCount | undefined;
    try {
      read = await this.#follow(stream, writing, model.dialect.echo?.(held) ?? "", signal);
    } catch (error) {
      // What was written before the signal fired is the step, cut off.
      if (!signal?.aborted || writing.tokens.length === 0) throw error;
      writing.stop = "cut";
    } finally {
      stream.close();
    }
    return { read, seconds: stream.seconds(), lostAttempts: stream.lostAttempts };
  }

  async #follow(
    stream: EventStream,
    writing: Writing,
    echo: string,
    signal: AbortSignal | undefined,
  ): Promise<ReadCount | undefined> {
    const { dialect, client } = this.model;
    let read: ReadCount | undefined;
    let finished = false;
    let begun = false;
    for await (const event of stream) {
      let piece = dialect.piece(event, client.origin);
      if (!piece) continue;
      if (!begun && echo !== "") piece = withoutEcho(piece, echo);
      begun ||= piece.text !== "";
      read = piece.read ?? read;
      // What had come in already when the signal fired is not wanted either.
      if (!writing.stop) signal?.throwIfAborted();
      if (!finished) await writing.take(piece);
      finished ||= piece.finish !== undefined;
      // The server goes on writing until it sees that nobody listens.
      if (writing.stop && !finished) return read;
      // Counts may come in an event after the last.
      if (finished && read?.cached !== undefined) return read;
    }
    if (!finished && !writing.stop) throw invalidAnswer(client.origin, "ended its stream before its answer");
    return read;
  }

  /** What the server is sent: without the stand-in, which is no token of it. */
  #held(): Held {
    const { tokens, text } = this.#segments.held();
    return { tokens: tokens.filter((token) => token !== endStandIn), text };
  }

  /** Pays for passing what was not passed yet; `withLast`, for the law after the last token too. */
  #charge(withLast: boolean): Usage {
    const target = Math.max(0, withLast ? this.length : this.length - 1);
    const again = withLast && this.#passed >= this.length ? 1 : 0;
    const from = Math.min(this.#passed, target) - again;
    const prefillTokens = target - from;
    this.#passed = Math.max(this.#passed, target);
    const flops = spanFlops(this.model.size, from, prefillTokens);
    return { prefillTokens, recomputedTokens: again, decodeTokens: 0, flops, seconds: 0 };
  }

  #withAgain(usage: Usage, again: number): Usage {
    if (again <= 0) return usage;
    return {
      ...usage,
      prefillTokens: usage.prefillTokens + again,
      recomputedTokens: usage.recomputedTokens + again,
      flops: usage.flops + spanFlops(this.model.size, 0, again),
    };
  }

  #refuse({ hidden, row, logprobs, topK, tokens }: ReadOptions): void {
    const { dialect, name } = this.model;
    const needs = (capability: string, offered: unknown) => {
      if (offered) return;
      throw new StepwrightError("missing-capability", `${name} does not offer "${capability}"`, {
        subject: name,
        remedy: "use a local model file, or a server that offers it (docs/remote.md)",
      });
    };
    if (row) needs("logits", false);
    if (hidden) needs("hidden", dialect.pool);
    if (logprobs) needs("likelihood", dialect.likelihood);
    if (topK !== undefined || tokens) needs("candidates", dialect.law);
    if (topK !== undefined && topK > dialect.mostCandidates) {
      throw new StepwrightError(
        "missing-capability",
        `${name} tells the ${dialect.mostCandidates} most probable tokens, not ${topK}`,
        { subject: name, remedy: "ask for fewer, or start vLLM with --max-logprobs 256" },
      );
    }
  }

  #inOrder<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    const answer = this.#queue.then(work, work);
    this.#queue = answer.catch(() => {});
    return answer;
  }

  #mustLive(): void {
    if (this.#dropped)
      throw new StepwrightError("internal", `a branch of ${this.model.name} is used after its drop`);
  }
}

/** Nobody writes all of an answer again in one piece, so one that begins with it is repeated. */
function withoutEcho(piece: Piece, echo: string): Piece {
  if (!piece.text.startsWith(echo)) return piece;
  const text = piece.text.slice(echo.length);
  if (text === "") return { ...piece, text, tokens: [] };
  const tokens = piece.tokens.map((token) => ({ ...token, ...(piece.tokens.length === 1 && { text }) }));
  return { ...piece, text, tokens };
}

/** Tokens that the server read beyond those it had not seen, and the last one; nothing where it does not say. */
function readAgain(read: ReadCount | undefined, expected: number): number {
  return read?.cached === undefined ? 0 : Math.max(0, read.prompt - read.cached - expected - 1);
}
