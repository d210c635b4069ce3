/** An answer as it comes in, cut where the step ends. */
import type { ExtendOptions, Extension } from "../../core/model.js";
import { pausesBefore, type StopReason, stepEnds, type Token } from "../../core/step.js";
import type { Piece, WrittenToken } from "./dialect.js";

/** Stands for the end-of-text token where a server ends without naming it. */
export const endStandIn: Token = 2 ** 31 - 1;

export interface Vocabulary {
  readonly endTokens: ReadonlySet<Token>;
  tokenize(text: string): Promise<readonly Token[]>;
  detokenize(tokens: readonly Token[]): Promise<string>;
}

export class Writing {
  readonly tokens: Token[] = [];
  readonly logprobs: number[] = [];
  readonly entropies: number[] = [];
  text = "";
  stop: StopReason | undefined;
  /** Tokens that the server wrote and that came after the step's end. */
  surplus = 0;
  #known = true;
  /** The last token had no text. */
  #silent = false;
  readonly #options: ExtendOptions;
  readonly #most: number;
  readonly #vocabulary: Vocabulary;
  /** Tokens of earlier requests of the same step, which the server does not count. */
  #before = 0;

  constructor(options: ExtendOptions, most: number, vocabulary: Vocabulary) {
    this.#options = options;
    this.#most = most;
    this.#vocabulary = vocabulary;
  }

  /** Begins another request for the same step. */
  goOn(): void {
    this.#before = this.tokens.length;
  }

  async take(piece: Piece): Promise<void> {
    const tokens = await this.#whole(piece);
    const texts = await this.#texts(tokens, piece.text);
    for (const [index, token] of tokens.entries()) {
      if (this.stop) {
        this.surplus++;
        continue;
      }
      this.#push(token, texts[index]!, piece.finish === "end" && index === tokens.length - 1);
    }
    // A text without tokens of its own belongs to the last one: bytes that were held back.
    if (tokens.length === 0 && piece.text !== "" && !this.stop) this.#say(piece.text);
    if (!this.stop && piece.finish) this.#finish(piece.finish);
  }

  result(vocabulary: string): Omit<Extension, "usage"> {
    const { text, tokens, stop = "cut" } = this;
    const none = !this.#known;
    const { logprobs, entropies } = this;
    return {
      text,
      tokens,
      vocabulary,
      stop,
      logprobs: none ? [] : logprobs,
      entropies: none ? [] : entropies,
    };
  }

  #push(token: WrittenToken, text: string, isEnd: boolean): void {
    const { splitter } = this.#options;
    if (token.entropy !== undefined && pausesBefore(splitter, token.entropy, this.tokens.length)) {
      this.stop = "delimiter";
      this.surplus++;
      return;
    }
    this.tokens.push(token.id);
    if (token.logprob === undefined) this.#known = false;
    this.logprobs.push(Math.min(0, token.logprob ?? 0));
    this.entropies.push(token.entropy ?? 0);
    this.#silent = text === "";
    if (this.#silent && (isEnd || this.#vocabulary.endTokens.has(token.id))) {
      this.stop = "end";
      return;
    }
    this.#say(text);
    if (stepEnds(splitter, this.text, this.tokens.length)) this.stop = "delimiter";
    else if (this.tokens.length >= this.#most) {
      this.stop = this.#most < this.#options.maxTokens ? "context" : "cap";
    }
  }

  #say(text: string): void {
    this.text += text;
    if (text !== "") this.#options.onText?.(text);
  }

  #finish(finish: NonNullable<Piece["finish"]>): void {
    if (finish === "limit") {
      this.stop = this.tokens.length < this.#options.maxTokens ? "context" : "cap";
      return;
    }
    // Stopped at the text that was asked for, before the step is over: it goes on.
    if (finish === "stop") return;
    this.stop = "end";
    // A last token without a text is the end token itself.
    if (this.#silent) return;
    this.tokens.push(endStandIn);
    this.logprobs.push(0);
    this.entropies.push(0);
  }

  /** The piece's tokens, with those that the server counted but did not show: bytes within a character. */
  async #whole({ tokens, count, text }: Piece): Promise<readonly WrittenToken[]> {
    const missing = (count ?? 0) - (this.tokens.length + this.surplus - this.#before) - tokens.length;
    if (missing <= 0 || tokens.length === 0) return tokens;
    const ids = await this.#vocabulary.tokenize(text);
    if (ids.length !== missing + tokens.length) return tokens;
    // What a character's first bytes are hardly leaves a choice for the others; their laws were not told.
    return ids.map((id, index) => tokens[index - missing] ?? { id, logprob: 0, entropy: 0 });
  }

  /** The text of each token, where the server told that of several together. */
  async #texts(tokens: readonly WrittenToken[], text: string): Promise<string[]> {
    if (tokens.every((token) => token.text !== undefined)) return tokens.map((token) => token.text!);
    if (
      tokens.length <= 1 ||
      !stepEnds(this.#options.splitter, this.text + text, this.tokens.length + tokens.length)
    ) {
      return tokens.map((_, index) => (index === tokens.length - 1 ? text : ""));
    }
    const ends = await Promise.all(
      tokens.map((_, index) => this.#vocabulary.detokenize(tokens.slice(0, index + 1).map(({ id }) => id))),
    );
    // Up to a broken character at the end of a part, the parts are what the whole begins with.
    const lengths = ends.map((end, index) =>
      index === tokens.length - 1 ? text.length : commonLength(end, text),
    );
    return lengths.map((length, index) => text.slice(index === 0 ? 0 : lengths[index - 1], length));
  }
}

function commonLength(one: string, other: string): number {
  const most = Math.min(one.length, other.length);
  let length = 0;
  while (length < most && one[length] === other[length]) length++;
  return length;
}
