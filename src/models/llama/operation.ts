/** What a branch is asked to do, and how far it has got. */
import type { Sampling } from "../../core/model.js";
import { pausesBefore, type Splitter, type StopReason, stepEnds } from "../../core/step.js";
import type { Row } from "../../native/native-model.js";
import type { AppendAnswer, EngineUsage, ExtendAnswer, Want } from "./protocol.js";

export interface BranchState {
  readonly id: number;
  /** What the branch holds, whether in the cache or not. */
  tokens: number[];
  /** How many leading tokens are in the cache; the rest is pending. */
  cached: number;
  /** Most tokens ever cached: passing them again is recomputation. */
  everCached: number;
  /** Sequence id of its cells, or -1. */
  sequence: number;
  /** The opened branch it descends from by forks. */
  readonly family: number;
  /** Tokens it was opened with: what is worth keeping for the next question when it is dropped. */
  readonly opened: number;
  readonly queue: Operation[];
  lastUsed: number;
  /** Passes made on its behalf that no answer has reported yet (a fork of a prefix that had to be read first). */
  debt: EngineUsage;
}

/** `wait` heads the queue of a fork until its parent has got to it. `trim` and `drop` need no decode. */
export type Operation =
  | Append
  | Extend
  | { readonly kind: "fork"; readonly child: BranchState }
  | { readonly kind: "wait" }
  | { readonly kind: "trim"; readonly length: number }
  | { readonly kind: "drop" };

export function isCall(operation: Operation): operation is Append | Extend {
  return operation.kind === "append" || operation.kind === "extend";
}

export interface Settle<Answer> {
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

export interface Append extends Settle<AppendAnswer> {
  readonly kind: "append";
  readonly call: number;
  readonly passage: readonly number[];
  readonly want: Want | null;
  /** Set when it becomes the branch's current operation. */
  progress?: {
    start: number;
    usage: EngineUsage;
    logprobs: number[];
    row: Row | null;
    hidden: Float32Array | null;
  };
}

export interface Extend extends Settle<ExtendAnswer> {
  readonly kind: "extend";
  readonly call: number;
  readonly splitter: Splitter;
  readonly maxTokens: number;
  readonly sampling: Sampling;
  readonly key: string;
  readonly onText: ((text: string) => void) | null;
  progress?: { start: number; usage: EngineUsage; written: Writing };
}

export const noEngineUsage: EngineUsage = {
  prefillTokens: 0,
  recomputedTokens: 0,
  decodeTokens: 0,
  seconds: 0,
  weightReads: 0,
  passes: 0,
  positions: 0,
};

/** The text of an extension as it grows: whole characters only, and whether it is over. */
export class Writing {
  readonly tokens: number[] = [];
  readonly logprobs: number[] = [];
  readonly entropies: number[] = [];
  text = "";
  #unsent = "";
  /** The last bytes written, as many as an unfinished character may have. */
  #tail: readonly number[] = [];
  // A character's bytes may be spread over several tokens.
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(readonly operation: Pick<Extend, "splitter" | "maxTokens">) {}

  /** True if the step ends before the drawn token, which then was not written. Never within a character. */
  pausesAt(row: Row): boolean {
    return this.#isWhole && pausesBefore(this.operation.splitter, row.entropy, this.tokens.length);
  }

  /** Takes a drawn token in; the reason if the step is over. */
  add(row: Row, piece: Uint8Array, isEnd: boolean): StopReason | null {
    this.tokens.push(row.token);
    this.logprobs.push(row.logprob);
    this.entropies.push(row.entropy);
    if (isEnd) return this.#close("end");
    this.#tail = [...this.#tail, ...piece].slice(-3);
    this.#write(this.#decoder.decode(piece, { stream: true }));
    const { splitter, maxTokens } = this.operation;
    if (stepEnds(splitter, this.text, this.tokens.length)) return this.#close("delimiter");
    return this.tokens.length >= maxTokens ? this.#close("cap") : null;
  }

  /** Ends the text; bytes of an unfinished character become U+FFFD. */
  close(): void {
    this.#close("context");
  }

  /** Text written since the last call. */
  takeUnsent(): string {
    const text = this.#unsent;
    this.#unsent = "";
    return text;
  }

  /** False while the bytes of a character are not all there. */
  get #isWhole(): boolean {
    const start = this.#tail.findLastIndex((byte) => byte >= 0xc0);
    if (start < 0) return true;
    const first = this.#tail[start]!;
    const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    return this.#tail.length - start >= length;
  }

  #close(reason: StopReason): StopReason {
    this.#write(this.#decoder.decode());
    return reason;
  }

  #write(text: string): void {
    this.text += text;
    this.#unsent += text;
  }
}
