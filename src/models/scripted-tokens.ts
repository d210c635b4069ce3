/** The scripted models' tokenizer: 256 bytes, an end token, and whatever pieces the script names. */
import type { Token } from "../core/step.js";

export const endToken: Token = 256;
const firstPiece = 257;

export class ScriptedTokenizer {
  readonly size: number;
  /** Equal for tokenizers with the same pieces in the same order. */
  readonly identity: string;
  readonly #pieces: readonly string[];
  /** Piece ids by first character, longest piece first. */
  readonly #byStart = new Map<string, Token[]>();
  readonly #bytes: readonly Uint8Array[];

  constructor(pieces: readonly string[] = []) {
    if (new Set(pieces).size !== pieces.length || pieces.includes("")) {
      throw new RangeError("pieces must be different and not empty");
    }
    this.#pieces = pieces;
    this.size = firstPiece + pieces.length;
    this.identity = `scripted:${JSON.stringify(pieces)}`;
    const encoder = new TextEncoder();
    this.#bytes = pieces.map((piece) => encoder.encode(piece));
    const order = pieces.map((_, index) => index).sort((a, b) => pieces[b]!.length - pieces[a]!.length);
    for (const index of order) {
      const start = pieces[index]![0]!;
      this.#byStart.set(start, [...(this.#byStart.get(start) ?? []), firstPiece + index]);
    }
  }

  /** Longest piece first, bytes where no piece fits. */
  encode(text: string): Token[] {
    const tokens: Token[] = [];
    let at = 0;
    while (at < text.length) {
      const piece = this.#byStart
        .get(text[at]!)
        ?.find((id) => text.startsWith(this.#pieces[id - firstPiece]!, at));
      if (piece !== undefined) {
        tokens.push(piece);
        at += this.#pieces[piece - firstPiece]!.length;
        continue;
      }
      const character = String.fromCodePoint(text.codePointAt(at)!);
      if (character < "\u0080") tokens.push(character.charCodeAt(0));
      else tokens.push(...new TextEncoder().encode(character));
      at += character.length;
    }
    return tokens;
  }

  decode(tokens: readonly Token[]): string {
    const reader = new TextReader(this);
    return tokens.map((token) => reader.read(token)).join("") + reader.rest();
  }

  /** Null for a byte, the end token or an unknown id. */
  piece(token: Token): string | null {
    return this.#pieces[token - firstPiece] ?? null;
  }

  pieceBytes(token: Token): Uint8Array {
    if (token < 256) return Uint8Array.of(token);
    return this.#bytes[token - firstPiece] ?? new Uint8Array();
  }
}

/** Turns tokens into text one by one and holds back the bytes of an unfinished character. */
export class TextReader {
  readonly #tokenizer: ScriptedTokenizer;
  #held: number[] = [];

  constructor(tokenizer: ScriptedTokenizer, held: readonly number[] = []) {
    this.#tokenizer = tokenizer;
    this.#held = [...held];
  }

  /** The text that this token completes; empty within a character. */
  read(token: Token): string {
    if (this.#held.length === 0) {
      if (token < 128) return String.fromCharCode(token);
      const piece = this.#tokenizer.piece(token);
      if (piece !== null) return piece;
    }
    this.#held.push(...this.#tokenizer.pieceBytes(token));
    const whole = wholeCharacters(this.#held);
    const text = decode(this.#held.slice(0, whole));
    this.#held = this.#held.slice(whole);
    return text;
  }

  /** Bytes of a character that never got complete, as replacement characters. */
  rest(): string {
    const text = decode(this.#held);
    this.#held = [];
    return text;
  }

  copy(): TextReader {
    return new TextReader(this.#tokenizer, this.#held);
  }
}

/** How many of the bytes can be decoded now: all but a character that more bytes could still complete. */
function wholeCharacters(bytes: readonly number[]): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte >= 0xc0) {
      const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return needed > back ? bytes.length - back : bytes.length;
    }
    if (byte < 0x80) break;
  }
  return bytes.length;
}

function decode(bytes: readonly number[]): string {
  return bytes.length === 0 ? "" : new TextDecoder().decode(Uint8Array.from(bytes));
}
