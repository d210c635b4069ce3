/** A step as it is written, token by token: its text in whole characters, and whether it is over. */
import type { Extension } from "./model.js";
import { pausesBefore, type Splitter, type StopReason, stepEnds, type Token } from "./step.js";

/** A token with what its writer's law said of it, at temperature 1. */
export interface WrittenToken {
  readonly token: Token;
  readonly logprob: number;
  readonly entropy: number;
}

export interface StepBounds {
  readonly splitter: Splitter;
  readonly maxTokens: number;
}

export class GrowingStep {
  readonly tokens: Token[] = [];
  readonly logprobs: number[] = [];
  readonly entropies: number[] = [];
  text = "";
  #unsent = "";
  /** The last bytes written, as many as an unfinished character may have. */
  #tail: readonly number[] = [];
  // A character's bytes may be spread over several tokens.
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  constructor(readonly bounds: StepBounds) {}

  /** True if the step ends before a token of this entropy, which then is not written. Never within a character. */
  pausesAt(entropy: number): boolean {
    return this.isWhole && pausesBefore(this.bounds.splitter, entropy, this.tokens.length);
  }

  /** Takes a token and its bytes in; the reason if the step is over. */
  add({ token, logprob, entropy }: WrittenToken, piece: Uint8Array, isEnd: boolean): StopReason | null {
    this.tokens.push(token);
    this.logprobs.push(logprob);
    this.entropies.push(entropy);
    if (isEnd) return this.#close("end");
    this.#tail = [...this.#tail, ...piece].slice(-3);
    this.#write(this.#decoder.decode(piece, { stream: true }));
    const { splitter, maxTokens } = this.bounds;
    if (stepEnds(splitter, this.text, this.tokens.length)) return this.#close("delimiter");
    return this.tokens.length >= maxTokens ? this.#close("cap") : null;
  }

  /** Takes in what a writer wrote behind it, as text that ends in a whole character. */
  join({
    tokens,
    logprobs,
    entropies,
    text,
  }: Pick<Extension, "tokens" | "logprobs" | "entropies" | "text">): void {
    this.tokens.push(...tokens);
    this.logprobs.push(...logprobs);
    this.entropies.push(...entropies);
    this.text += text;
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
  get isWhole(): boolean {
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
