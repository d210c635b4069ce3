/** A model whose branches speculate: in all else it is the target. */
import type {
  Branch,
  CallOptions,
  Capability,
  ChatMessage,
  Model,
  ModelSize,
  OpenOptions,
  SpeculationIdentity,
} from "../core/model.js";
import { handOver } from "../core/model.js";
import type { Passage, Token } from "../core/step.js";
import { Host, type HostParts } from "./host.js";
import { SpeculatingBranch } from "./speculating-branch.js";

export interface SpeculatingParts extends HostParts {
  readonly identity: SpeculationIdentity;
}

export class SpeculatingModel implements Model {
  readonly name: string;
  readonly fingerprint: string;
  readonly vocabulary: string;
  readonly capabilities: ReadonlySet<Capability>;
  readonly size: ModelSize;
  readonly endTokens?: ReadonlySet<Token>;
  readonly speculation: SpeculationIdentity;
  /** The target itself, for plain decoding beside it. */
  readonly target: Model;
  readonly #host: Host;

  constructor(parts: SpeculatingParts) {
    const { target } = parts;
    this.target = target;
    this.name = target.name;
    this.fingerprint = target.fingerprint;
    this.vocabulary = target.vocabulary;
    // Its branches read no trees for others.
    this.capabilities = new Set([...target.capabilities].filter((capability) => capability !== "tree"));
    this.size = target.size;
    if (target.endTokens) this.endTokens = target.endTokens;
    this.speculation = parts.identity;
    this.#host = new Host(parts);
  }

  tokenize(text: string, options?: { special?: boolean }): Promise<Token[]> {
    return this.target.tokenize(text, options);
  }

  detokenize(tokens: readonly Token[]): Promise<string> {
    return this.target.detokenize(tokens);
  }

  renderChat(messages: readonly ChatMessage[], options?: CallOptions): Promise<Passage> {
    return this.target.renderChat(messages, options);
  }

  async open(prefix: Passage | string, options: OpenOptions = {}): Promise<Branch> {
    const { special = false, signal } = options;
    const input = handOver(prefix, this.target);
    const tokens = typeof input === "string" ? await this.target.tokenize(input, { special }) : input;
    const text = typeof prefix === "string" ? prefix : prefix.text;
    const passage = { text, tokens, vocabulary: this.vocabulary };
    const branch = await this.target.open(passage, { signal });
    const session = this.#host.drafter.begin(tokens, passage);
    const rule = this.#host.openRule();
    const place = { branch, session, rule, tokens, drafted: 0, outgrown: false };
    return new SpeculatingBranch(this, this.#host, place, tokens.length);
  }

  /** Frees what drafts; the target goes on as it is. */
  async releaseDrafter(): Promise<void> {
    await this.#host.drafter.close?.();
  }

  /** Closes what drafts, then the target; a draft model is its owner's. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.releaseDrafter();
    await this.target[Symbol.asyncDispose]();
  }
}
