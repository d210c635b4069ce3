/** A model without weights: it follows a law given as a function, with exact probabilities. For tests, docs and demos. */
import { createHash } from "node:crypto";
import { StepwrightError } from "../core/errors.js";
import { GrowingStates } from "../core/growing-states.js";
import {
  type Branch,
  type Capability,
  type ChatMessage,
  type ExtendOptions,
  type Extension,
  type Model,
  type ModelSize,
  type OpenOptions,
  type Reading,
  type ReadOptions,
  type ReadTreeOptions,
  spanFlops,
  type TreeReading,
  type TreeToken,
  tokenFlops,
} from "../core/model.js";
import { keyedUniform } from "../core/random.js";
import { entropyOf, pick, processed, type SparseLaw } from "../core/sparse-law.js";
import {
  type Passage,
  pausesBefore,
  type Splitter,
  type StopReason,
  stepEnds,
  type Token,
} from "../core/step.js";
import { renderScriptedChat } from "./scripted-chat.js";
import { type Script, Stage } from "./scripted-faults.js";
import { AnswerState, type Law, logprobOf, nextTokenLaw, wholeRow } from "./scripted-law.js";
import { endToken, ScriptedTokenizer } from "./scripted-tokens.js";
import { mostProbable, ScriptedTree } from "./scripted-tree.js";

export interface ScriptedModelOptions extends Script {
  readonly name?: string;
  readonly law: Law;
  /** Texts that are one token each; everything else is written in bytes. */
  readonly pieces?: readonly string[];
  /** Where the law's steps end; default a blank line. */
  readonly splitter?: Splitter;
  /** Default: `text`, `logits`, `branch`, `tree`; `hidden` comes with a function for it. */
  readonly capabilities?: readonly Capability[];
  readonly size?: Partial<ModelSize>;
  /** Busy seconds per token, made up. */
  readonly secondsPerToken?: number;
  /** The hidden state after the answer so far. */
  readonly hidden?: (answer: AnswerState) => readonly number[];
}

export class ScriptedModel implements Model {
  readonly name: string;
  readonly fingerprint: string;
  readonly vocabulary: string;
  readonly capabilities: ReadonlySet<Capability>;
  readonly size: ModelSize;
  readonly endTokens: ReadonlySet<Token> = new Set([endToken]);
  readonly tokenizer: ScriptedTokenizer;
  readonly stage: Stage;
  readonly options: ScriptedModelOptions;
  /** Branches that are open now. */
  liveBranches = 0;

  constructor(options: ScriptedModelOptions) {
    this.options = options;
    this.name = options.name ?? "scripted";
    this.tokenizer = new ScriptedTokenizer(options.pieces);
    this.vocabulary = this.tokenizer.identity;
    this.fingerprint = createHash("sha256").update(`${this.name}\n${this.vocabulary}`).digest("hex");
    const offered: Capability[] = [
      "text",
      "logits",
      "branch",
      "tree",
      ...(options.hidden ? ["hidden" as const] : []),
    ];
    this.capabilities = new Set(options.capabilities ?? offered);
    this.size = {
      parameters: 1100,
      multiplied: 1000,
      layers: 2,
      attentionWidth: 8,
      vocabulary: this.tokenizer.size,
      context: 8192,
      bytes: 4400,
      ...options.size,
    };
    this.stage = new Stage(options);
  }

  async tokenize(text: string): Promise<Token[]> {
    return this.tokenizer.encode(text);
  }

  async detokenize(tokens: readonly Token[]): Promise<string> {
    return this.tokenizer.decode(tokens);
  }

  async tokenBytes(tokens: readonly Token[]): Promise<Uint8Array[]> {
    return tokens.map((token) => this.tokenizer.pieceBytes(token));
  }

  async renderChat(messages: readonly ChatMessage[]): Promise<Passage> {
    const text = renderScriptedChat(messages);
    return { text, tokens: this.tokenizer.encode(text), vocabulary: this.vocabulary };
  }

  async open(prefix: Passage | string, { signal }: OpenOptions = {}): Promise<ScriptedBranch> {
    const tokens = this.tokensOf(prefix);
    const text = typeof prefix === "string" ? prefix : prefix.text;
    return this.stage.play("open", signal, () => {
      const answer = new AnswerState(text, this.tokenizer, this.options.splitter);
      return new ScriptedBranch(this, tokens, answer);
    });
  }

  tokensOf(passage: Passage | string): readonly Token[] {
    if (typeof passage === "string") return this.tokenizer.encode(passage);
    return passage.vocabulary === this.vocabulary ? passage.tokens : this.tokenizer.encode(passage.text);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

export class ScriptedBranch implements Branch {
  readonly model: ScriptedModel;
  readonly #prompt: readonly Token[];
  #answer: AnswerState;
  /** Tokens whose reading has been paid for. */
  #read: number;
  /** What `readTree` read last, until the next call. */
  #tree: ScriptedTree | null = null;
  #dropped = false;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(model: ScriptedModel, prompt: readonly Token[], answer: AnswerState, read = 0) {
    this.model = model;
    this.#prompt = prompt;
    this.#answer = answer;
    this.#read = read;
    model.liveBranches++;
  }

  get length(): number {
    return this.#prompt.length + this.#answer.tokens.length;
  }

  fork(): ScriptedBranch {
    this.#mustLive();
    return new ScriptedBranch(this.model, this.#prompt, this.#answer.copy(this.model.tokenizer), this.#read);
  }

  append(passage: Passage | string, options: ReadOptions = {}): Promise<Reading> {
    this.#mustLive();
    return this.#inOrder(() =>
      this.model.stage.play("append", options.signal, (seconds) => {
        const tokens = this.model.tokensOf(passage);
        const logprobs: number[] = [];
        const entropies: number[] = [];
        const growing = new GrowingStates();
        for (const token of tokens) {
          if (options.logprobs) {
            const law = this.#law();
            const logprob = logprobOf(token, law);
            logprobs.push(logprob);
            entropies.push(entropyOf(law));
            if (options.states) growing.add(this.#hidden(), logprob);
          }
          this.#answer.push(token);
        }
        const states = growing.over(tokens.length);
        return {
          ...this.#reading(options),
          ...(options.logprobs && { logprobs, entropies }),
          ...(states && { states }),
          usage: this.#pay(0, seconds, readsAfter(options)),
        };
      }),
    );
  }

  extend(options: ExtendOptions): Promise<Extension> {
    this.#mustLive();
    return this.#inOrder(() =>
      this.model.stage.play("extend", options.signal, (seconds) => this.#write(options, seconds)),
    );
  }

  readTree(nodes: readonly TreeToken[], options: ReadTreeOptions): Promise<TreeReading> {
    this.#mustLive();
    return this.#inOrder(() =>
      this.model.stage.play("tree", options.signal, (delay) => {
        const { tokenizer } = this.model;
        const tree = new ScriptedTree(nodes, this.#answer, (state) => state.copy(tokenizer));
        const rows = tree.rows(this.length, options, (state) => this.#law(state));
        const hidden = options.hidden ? tree.states.map((state) => this.#hidden(state)) : [];
        const end = this.length;
        const usage = this.#pay(0, delay);
        this.#tree = tree;
        return {
          rows: rows.map((row, index) => ({ ...row, ...(hidden[index] && { hidden: hidden[index] }) })),
          usage: {
            ...usage,
            prefillTokens: usage.prefillTokens + nodes.length,
            flops: tree.offsets.reduce(
              (sum, offset) => sum + tokenFlops(this.model.size, end + offset),
              usage.flops,
            ),
            seconds: usage.seconds + nodes.length * this.#secondsPerToken,
          },
        };
      }),
    );
  }

  keep(node: number): void {
    this.#mustLive();
    if (!this.#tree) throw new StepwrightError("internal", `no tree is read beside ${this.model.name}`);
    for (const token of this.#tree.path(node)) this.#answer.push(token);
    this.#read = this.length;
    this.#tree = null;
  }

  trim(length: number): void {
    this.#mustLive();
    this.#tree = null;
    const kept = this.#answer.tokens.slice(0, Math.max(0, length - this.#prompt.length));
    const { tokenizer, options } = this.model;
    this.#answer = new AnswerState(this.#answer.prompt, tokenizer, options.splitter);
    for (const token of kept) this.#answer.push(token);
    this.#read = Math.min(this.#read, this.length);
  }

  drop(): void {
    if (this.#dropped) return;
    this.#dropped = true;
    this.model.liveBranches--;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drop();
  }

  async #write(options: ExtendOptions, seconds: number): Promise<Extension> {
    const { sampling, splitter, maxTokens, key, onText, signal } = options;
    const tokens: Token[] = [];
    const logprobs: number[] = [];
    const entropies: number[] = [];
    const growing = new GrowingStates();
    let text = "";
    let stop: StopReason | undefined = maxTokens < 1 ? "cap" : undefined;
    if (this.length >= this.model.size.context) stop = "context";
    while (!stop) {
      // Calls made together write side by side, a token each in turn, as they do in an engine.
      await undefined;
      if (signal?.aborted) {
        stop = "cut";
        break;
      }
      const law = this.#law();
      if (pausesBefore(splitter, entropyOf(law), tokens.length)) {
        stop = "delimiter";
        break;
      }
      const position = this.length;
      const token = pick(processed(law, sampling), keyedUniform(sampling.seed, key, position, "sample"));
      if (options.states) growing.add(this.#hidden(), logprobOf(token, law));
      tokens.push(token);
      logprobs.push(logprobOf(token, law));
      entropies.push(entropyOf(law));
      const piece = this.#answer.push(token);
      text += piece;
      if (piece) onText?.(piece);
      if (token === endToken) stop = "end";
      else if (stepEnds(splitter, text, tokens.length)) stop = "delimiter";
      else if (tokens.length >= maxTokens) stop = "cap";
      else if (this.length >= this.model.size.context) stop = "context";
    }
    const { vocabulary } = this.model;
    const states = growing.over(tokens.length);
    return {
      ...{ text, tokens, vocabulary, stop, logprobs, entropies },
      ...(states && { states }),
      usage: this.#pay(tokens.length, seconds),
    };
  }

  #law(answer = this.#answer): SparseLaw {
    return nextTokenLaw(this.model.options.law, answer, this.model.tokenizer);
  }

  #reading(options: ReadOptions): Omit<Reading, "usage"> {
    const { topK, tokens, row, hidden } = options;
    if (!readsAfter(options)) return {};
    const law = this.#law();
    return {
      ...(topK !== undefined && { topK: mostProbable(law, topK), entropy: entropyOf(law) }),
      ...(tokens && { tokens: tokens.map((token) => logprobOf(token, law)) }),
      ...(row && { row: wholeRow(law, this.model.size.vocabulary) }),
      ...(hidden && { hidden: this.#hidden() }),
    };
  }

  #hidden(answer = this.#answer): Float32Array {
    const { hidden } = this.model.options;
    if (!hidden) throw new StepwrightError("missing-capability", `${this.model.name} has no hidden states`);
    return Float32Array.from(hidden(answer));
  }

  /** With `again`, the last token is passed once more where it was passed before: its law is gone by then. */
  #pay(written: number, delay: number, again = false) {
    const unread = this.length - written - this.#read;
    const recomputed = again && unread === 0 ? 1 : 0;
    const { size } = this.model;
    const flops = spanFlops(size, this.#read - recomputed, recomputed + unread + written);
    this.#read = this.length;
    const seconds = delay + (recomputed + unread + written) * this.#secondsPerToken;
    return {
      prefillTokens: unread + recomputed,
      recomputedTokens: recomputed,
      decodeTokens: written,
      flops,
      seconds,
    };
  }

  get #secondsPerToken(): number {
    return this.model.options.secondsPerToken ?? 1e-6;
  }

  /** Every call drops the tree that was read before it. */
  #inOrder<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    const begin = () => {
      this.#tree = null;
      return work();
    };
    const answer = this.#queue.then(begin, begin);
    this.#queue = answer.catch(() => {});
    return answer;
  }

  #mustLive(): void {
    if (this.#dropped)
      throw new StepwrightError("internal", `a branch of ${this.model.name} is used after its drop`);
  }
}

/** True if something is read off after the passage. */
function readsAfter({ topK, tokens, row, hidden }: ReadOptions): boolean {
  return topK !== undefined || tokens !== undefined || row === true || hidden === true;
}
