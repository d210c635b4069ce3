/** Log-probabilities of an answer's tokens, in OpenAI's forms. */
import type { Model } from "../../core/model.js";
import type { Token } from "../../core/step.js";
import type { Pair } from "../types.js";
import type { WrittenStep } from "./answer-reader.js";

/** `bytes` is null where the token holds a part of a character: its bytes are not told. */
export interface TokenFigure {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[] | null;
  readonly top_logprobs: readonly [];
}

/** Reads each token's text off the model whose ids they are. Tokens without text (the end of an answer) are left out. */
export class TokenFigures {
  readonly #models: readonly Model[];
  readonly #texts = new Map<string, string>();

  constructor({ draft, target }: Pair) {
    this.#models = [draft, target].filter((model) => model !== undefined);
  }

  async of(steps: readonly WrittenStep[]): Promise<TokenFigure[]> {
    const figures: TokenFigure[] = [];
    for (const { tokens, logprobs, vocabulary } of steps) {
      const texts = await Promise.all(tokens.map((token) => this.#text(token, vocabulary)));
      for (const [index, token] of texts.entries()) {
        if (token === "") continue;
        const bytes = token.includes("\ufffd") ? null : [...Buffer.from(token)];
        figures.push({ token, logprob: logprobs[index]!, bytes, top_logprobs: [] });
      }
    }
    return figures;
  }

  async #text(token: Token, vocabulary: string): Promise<string> {
    const key = `${token} ${vocabulary}`;
    const known = this.#texts.get(key);
    if (known !== undefined) return known;
    const model = this.#models.find((candidate) => candidate.vocabulary === vocabulary);
    const text = model ? await model.detokenize([token]) : "\ufffd";
    this.#texts.set(key, text);
    return text;
  }
}

/** A stop string cuts tokens too: those that begin after the answer's end are no part of it. */
export function withinLength(figures: readonly TokenFigure[], length: number): TokenFigure[] {
  let at = 0;
  return figures.filter(({ token }) => {
    const begins = at;
    at += token.length;
    return begins < length;
  });
}
