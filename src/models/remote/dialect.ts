/** What differs between servers: how a text is asked for, how an answer is read, what else can be asked. */
import type { Candidate, ChatMessage, Sampling } from "../../core/model.js";
import type { Token } from "../../core/step.js";
import type { Client } from "./client.js";

/** Everything before the place where a server is to write on. */
export interface Held {
  readonly tokens: readonly Token[];
  readonly text: string;
}

export interface WriteRequest {
  readonly maxTokens: number;
  readonly sampling: Sampling;
  /** For the server's own random numbers. */
  readonly seed: number;
  /** A text with whose end the server may stop by itself, where it can hand that text over. */
  readonly stop?: string | undefined;
}

export interface WrittenToken {
  readonly id: Token;
  /** Undefined where the server tells texts of several tokens only. */
  readonly text?: string | undefined;
  /** Natural, at temperature 1; undefined where the server tells none. */
  readonly logprob?: number | undefined;
  /** Nats. Of a law whose tail, beyond the most probable tokens, is taken for one token: a lower bound. */
  readonly entropy?: number | undefined;
}

/** One event of an answer as it is written. */
export interface Piece {
  readonly text: string;
  readonly tokens: readonly WrittenToken[];
  /** Tokens written so far, where the server counts them in each event. */
  readonly count?: number | undefined;
  /** `end`: an end-of-text token; `stop`: the text that was asked to stop at; `limit`: no more tokens allowed. */
  readonly finish?: "end" | "stop" | "limit" | undefined;
  readonly read?: ReadCount | undefined;
}

/** What a server says of its reading. */
export interface ReadCount {
  /** Tokens of the prompt. */
  readonly prompt: number;
  /** Of these, tokens that it still had. */
  readonly cached?: number | undefined;
}

export interface NextLaw {
  /** Best first. */
  readonly topK: readonly Candidate[];
  readonly entropy: number;
  /** One per asked token; -Infinity for one that is not among those told. */
  readonly tokens: readonly number[];
  readonly read?: ReadCount | undefined;
}

export interface Request {
  readonly path: string;
  readonly body: object;
}

export interface Call {
  readonly client: Client;
  readonly signal?: AbortSignal | undefined;
}

export interface Dialect {
  /** Whether ids go to and fro; else texts, and ids are made up here. */
  readonly speaksTokens: boolean;
  /** False for a server that only reads. */
  readonly writes: boolean;
  /** Most probable next tokens that can be asked for; 0: none. */
  readonly mostCandidates: number;
  readonly tellsLogprobs: boolean;
  tokenize(text: string, special: boolean, call: Call): Promise<Token[]>;
  detokenize(tokens: readonly Token[], call: Call): Promise<string>;
  /** What ids made up here read; absent where ids are the server's. */
  textOf?(tokens: readonly Token[]): string;
  /** The conversation in the model's template, open for the assistant. */
  renderChat(messages: readonly ChatMessage[], call: Call): Promise<Held>;
  /** What a server may say again before it goes on: llama-server's chat route repeats the answer so far. */
  echo?(held: Held): string;
  write(held: Held, request: WriteRequest): Request;
  /** Null for an event that says nothing about the text. Throws `remote-invalid`. */
  piece(event: unknown, origin: string): Piece | null;
  /** The law of the next token. Absent without candidates. */
  law?(held: Held, count: number, asked: readonly Token[], call: Call): Promise<NextLaw>;
  /** What the served model's own head says at the last token. Everything is read anew for it. */
  pool?(held: Held, call: Call): Promise<Float32Array>;
  /** Log-probabilities of the last `count` tokens. The server reads everything anew for it. */
  likelihood?(held: Held, count: number, call: Call): Promise<readonly number[]>;
}

/** Of what is told of a law: the tail counts as one token, so the entropy is at least this. */
export function entropyOf(logprobs: readonly number[]): number {
  let sum = 0;
  let entropy = 0;
  for (const logprob of logprobs) {
    const probability = Math.exp(logprob);
    sum += probability;
    if (probability > 0) entropy -= probability * logprob;
  }
  const rest = 1 - sum;
  return Math.max(0, rest > 1e-9 ? entropy - rest * Math.log(rest) : entropy);
}

/** Tokens whose law is told with each written one: for entropies, and what most servers allow. */
export const toldAlternatives = 20;
