/** A GGUF model in the engine's process. */
import { StepwrightError } from "../../core/errors.js";
import type {
  Branch,
  CallOptions,
  Capability,
  ChatMessage,
  Model,
  ModelSize,
  OpenOptions,
} from "../../core/model.js";
import { handOver } from "../../core/model.js";
import type { Passage, Token } from "../../core/step.js";
import type { NativeModelInfo, NativeModelOptions } from "../../native/native-model.js";
import { renderChat } from "../chat-template.js";
import type { ModelFile } from "../gguf/check.js";
import { mostOutputs } from "./demand.js";
import type { Engine } from "./engine.js";
import { type Home, LlamaBranch } from "./llama-branch.js";
import type { Statistics } from "./protocol.js";

export interface LlamaModelParts {
  readonly engine: Engine;
  readonly name: string;
  readonly fingerprint: string;
  readonly file: ModelFile;
  readonly native: NativeModelOptions;
  readonly exact: boolean;
  readonly whiteBox: boolean;
  readonly keptPrompts: number;
}

let models = 0;
/** Each costs two trips to other processes to make. */
const rememberedPrompts = 32;

export class LlamaModel implements Model {
  readonly name: string;
  readonly fingerprint: string;
  readonly vocabulary: string;
  readonly capabilities: ReadonlySet<Capability>;
  readonly size: ModelSize;
  readonly endTokens: ReadonlySet<Token>;
  readonly treeLimits: { readonly nodes: number; readonly leaves: number };
  /** What libllama says of the loaded model. */
  readonly info: NativeModelInfo;
  readonly #parts: LlamaModelParts;
  #home: Home;
  /** Rendered conversations by their messages, oldest first. */
  readonly #prompts = new Map<string, Passage>();
  #branches = 0;
  #closed = false;
  #reloading: Promise<void> | null = null;

  private constructor(parts: LlamaModelParts, info: NativeModelInfo, number: number) {
    this.#parts = parts;
    this.name = parts.name;
    this.fingerprint = parts.fingerprint;
    this.vocabulary = info.vocabularyHash;
    this.info = info;
    this.capabilities = new Set([
      "text",
      "logits",
      "branch",
      "hidden",
      ...(parts.whiteBox ? ["graph" as const] : []),
      ...(info.canTrim ? ["tree" as const] : []),
    ]);
    // What one pass takes, and half of the sequences: other branches want to keep theirs.
    const nodes = Math.min(info.batchTokens, mostOutputs(info)) - 1;
    this.treeLimits = { nodes, leaves: Math.ceil(info.sequences / 2) };
    this.endTokens = new Set(info.endTokens);
    const context = Math.min(info.cells, info.trainedContext);
    this.size = { ...parts.file.size, context, vocabulary: info.vocabularySize };
    this.#home = this.#newHome(number);
  }

  static async load(parts: LlamaModelParts, options: CallOptions = {}): Promise<LlamaModel> {
    const number = ++models;
    const info = await load(parts, number, options);
    return new LlamaModel(parts, info, number);
  }

  tokenize(text: string, options: { special?: boolean } = {}): Promise<Token[]> {
    return this.#call((home) =>
      home.engine.call<"tokenize">({
        type: "tokenize",
        model: home.number,
        text,
        special: options.special ?? false,
      }),
    );
  }

  detokenize(tokens: readonly Token[]): Promise<string> {
    return this.#call((home) =>
      home.engine.call<"detokenize">({ type: "detokenize", model: home.number, tokens }),
    );
  }

  tokenBytes(tokens: readonly Token[]): Promise<Uint8Array[]> {
    return this.#call((home) => home.engine.call<"bytes">({ type: "bytes", model: home.number, tokens }));
  }

  /** The template's own text may name special tokens; the contents of messages are plain text, whatever they contain. */
  async renderChat(messages: readonly ChatMessage[], options: CallOptions = {}): Promise<Passage> {
    const { chatTemplate, tokenizer } = this.#parts.file;
    const key = JSON.stringify(messages);
    const known = this.#prompts.get(key);
    if (known) return known;
    const segments = await renderChat(chatTemplate, messages, {
      beginToken: tokenizer.begin?.text ?? "",
      endToken: tokenizer.end?.text ?? "",
      addGenerationPrompt: true,
      controlTokens: tokenizer.controlTexts,
      ...(options.signal ? { signal: options.signal } : {}),
    });
    const pieces = await Promise.all(segments.map(({ text, special }) => this.tokenize(text, { special })));
    const tokens = pieces.flat();
    // Most templates write the begin token themselves.
    const { beginToken, addsBegin } = this.info;
    if (addsBegin && beginToken !== null && tokens[0] !== beginToken) tokens.unshift(beginToken);
    const prompt = { text: segments.map(({ text }) => text).join(""), tokens, vocabulary: this.vocabulary };
    // A template that asks what day it is may say something else tomorrow.
    if (!chatTemplate?.includes("strftime_now")) this.#remember(key, prompt);
    return prompt;
  }

  /** Methods of a bench, and runs that begin several branches, ask for the same prompt again. */
  #remember(key: string, prompt: Passage): void {
    this.#prompts.set(key, prompt);
    if (this.#prompts.size > rememberedPrompts) this.#prompts.delete(this.#prompts.keys().next().value!);
  }

  async open(prefix: Passage | string, options: OpenOptions = {}): Promise<Branch> {
    const plain = handOver(prefix, this);
    const input =
      typeof plain === "string" && options.special ? await this.tokenize(plain, { special: true }) : plain;
    return this.#call(async (home) => {
      const branch = home.nextBranch();
      const length = await home.engine.call<"open">(
        { type: "open", model: home.number, branch, input },
        { signal: options.signal },
      );
      return new LlamaBranch(home, branch, length);
    });
  }

  /** What the scheduler of this model holds now. */
  statistics(): Promise<Statistics> {
    return this.#call((home) => home.engine.call<"statistics">({ type: "statistics", model: home.number }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#home.generation !== this.#parts.engine.generation) return;
    await this.#parts.engine.call<"close">({ type: "close", model: this.#home.number }).catch(() => {});
  }

  #newHome(number: number): Home {
    const { engine } = this.#parts;
    return { model: this, number, engine, generation: engine.generation, nextBranch: () => ++this.#branches };
  }

  /** Makes a call in the running engine; after a crash the model is loaded again first. */
  async #call<Result>(work: (home: Home) => Promise<Result>): Promise<Result> {
    if (this.#closed) throw new StepwrightError("internal", `${this.name} has been closed`);
    const { engine } = this.#parts;
    if (engine.generation !== this.#home.generation || !engine.running) {
      this.#reloading ??= this.#reload().finally(() => {
        this.#reloading = null;
      });
      await this.#reloading;
    }
    return work(this.#home);
  }

  async #reload(): Promise<void> {
    const number = ++models;
    await load(this.#parts, number, {});
    this.#home = this.#newHome(number);
  }
}

function load(parts: LlamaModelParts, number: number, options: CallOptions): Promise<NativeModelInfo> {
  return parts.engine.call<"load">(
    {
      type: "load",
      model: number,
      options: parts.native,
      exact: parts.exact,
      whiteBox: parts.whiteBox,
      keptPrompts: parts.keptPrompts,
    },
    { signal: options.signal },
  );
}
