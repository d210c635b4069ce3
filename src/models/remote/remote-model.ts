/** A model behind an OpenAI-compatible server. */
import { createHash } from "node:crypto";
import {
  type CallOptions,
  type Capability,
  type ChatMessage,
  handOver,
  type Model,
  type ModelSize,
  type OpenOptions,
} from "../../core/model.js";
import type { Passage, Token } from "../../core/step.js";
import { formatModelReference, type RemoteReference } from "../reference.js";
import type { Client } from "./client.js";
import type { Dialect, Held } from "./dialect.js";
import type { Probed, ServerKind } from "./probe.js";
import { RemoteBranch } from "./remote-branch.js";
import { Segments } from "./segments.js";
import { endStandIn } from "./writing.js";

/** Each is a request, or several. */
const rememberedPrompts = 32;

export class RemoteModel implements Model {
  readonly name: string;
  readonly fingerprint: string;
  readonly vocabulary: string;
  readonly capabilities: ReadonlySet<Capability>;
  readonly size: ModelSize;
  readonly endTokens: ReadonlySet<Token>;
  readonly server: ServerKind;
  readonly client: Client;
  readonly dialect: Dialect;
  readonly #prompts = new Map<string, Passage>();

  constructor(reference: RemoteReference, client: Client, probed: Probed, size: ModelSize) {
    const { dialect, kind, vocabulary, endTokens, identity } = probed;
    this.name = reference.model;
    this.server = kind;
    this.client = client;
    this.dialect = dialect;
    this.vocabulary = vocabulary;
    this.endTokens = new Set([...endTokens, endStandIn]);
    this.size = size;
    // No server tells a hash of its weights: this is the address, and what it does tell.
    const place = formatModelReference({ ...reference, options: {} });
    this.fingerprint = createHash("sha256")
      .update(`${kind}\n${place}\n${vocabulary}\n${identity}`)
      .digest("hex");
    this.capabilities = new Set<Capability>([
      "branch",
      ...(dialect.writes ? ["text" as const] : []),
      ...(dialect.pool ? ["pooling" as const] : []),
      ...(dialect.tellsLogprobs ? ["logprobs" as const] : []),
      ...(dialect.law ? ["candidates" as const] : []),
      ...(dialect.likelihood ? ["likelihood" as const] : []),
    ]);
  }

  tokenize(text: string, { special = false }: { special?: boolean } = {}): Promise<Token[]> {
    return text === "" ? Promise.resolve([]) : this.dialect.tokenize(text, special, { client: this.client });
  }

  detokenize(tokens: readonly Token[]): Promise<string> {
    const own = tokens.filter((token) => token !== endStandIn);
    return this.dialect.detokenize(own, { client: this.client });
  }

  async renderChat(messages: readonly ChatMessage[], { signal }: CallOptions = {}): Promise<Passage> {
    const key = JSON.stringify(messages);
    const known = this.#prompts.get(key);
    if (known) return known;
    const held = await this.dialect.renderChat(messages, { client: this.client, signal });
    const prompt = { ...held, vocabulary: this.vocabulary };
    this.#prompts.set(key, prompt);
    if (this.#prompts.size > rememberedPrompts) this.#prompts.delete(this.#prompts.keys().next().value!);
    return prompt;
  }

  async open(prefix: Passage | string, options: OpenOptions = {}): Promise<RemoteBranch> {
    options.signal?.throwIfAborted();
    const segments = new Segments();
    segments.add({ ...(await this.held(prefix, options)), sent: false });
    return new RemoteBranch(this, segments);
  }

  /** A passage as a branch holds it. */
  async held(passage: Passage | string, { special = false, signal }: OpenOptions): Promise<Held> {
    const given = handOver(passage, this);
    if (typeof given !== "string") {
      return { tokens: given, text: typeof passage === "string" ? passage : passage.text };
    }
    if (given === "") return { tokens: [], text: "" };
    return {
      text: given,
      tokens: await this.dialect.tokenize(given, special, { client: this.client, signal }),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
