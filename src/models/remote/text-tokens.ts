/**
 * Made-up ids for servers that tell none: one per different piece of text. Counts of written tokens are the server's
 * own pieces; of texts from elsewhere they are an estimate, about four characters to a token.
 */
import type { Token } from "../../core/step.js";

/** A model's pieces are its vocabulary, so this is room for several. Later ones share an id that stands for no text. */
const mostPieces = 2 ** 20;

export class TextTokens {
  readonly #ids = new Map<string, Token>();
  readonly #texts: string[] = [];

  id(piece: string): Token {
    const known = this.#ids.get(piece);
    if (known !== undefined) return known;
    if (this.#texts.length >= mostPieces) return mostPieces;
    this.#ids.set(piece, this.#texts.length);
    return this.#texts.push(piece) - 1;
  }

  /** Words with the space before them, long ones in parts, line breaks and signs by themselves. */
  encode(text: string): Token[] {
    const pieces = text.match(/ ?[\p{L}\p{M}]{1,6}|[\p{L}\p{M}]{1,6}|\p{N}{1,3}|\n+|[^\S\n]+|./gsu) ?? [];
    return pieces.map((piece) => this.id(piece));
  }

  decode(tokens: readonly Token[]): string {
    return tokens.map((token) => this.#texts[token] ?? "\ufffd").join("");
  }
}
