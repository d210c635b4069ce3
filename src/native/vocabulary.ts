/** A model's tokenizer. */
import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { StepwrightError } from "../core/errors.js";
import type { Native } from "./load.js";

/** Tokens looked at between two turns of the event loop. */
const tokensPerTurn = 4096;

export class Vocabulary {
  readonly #native: Native;
  readonly #handle: bigint;
  readonly size: number;
  #piece = Buffer.alloc(64);

  constructor(native: Native, model: bigint) {
    this.#native = native;
    this.#handle = native.llama_model_get_vocab(model)!;
    this.size = native.llama_vocab_n_tokens(this.#handle);
  }

  tokenize(text: string, options: { addSpecial: boolean; parseSpecial: boolean }): number[] {
    const bytes = Buffer.from(text, "utf8");
    // No tokenizer writes more tokens than bytes, but for the special ones it adds.
    let tokens = new Int32Array(bytes.length + 8);
    for (;;) {
      const count = this.#native.llama_tokenize(
        this.#handle,
        bytes,
        bytes.length,
        tokens,
        tokens.length,
        options.addSpecial,
        options.parseSpecial,
      );
      if (count >= 0) return Array.from(tokens.subarray(0, count));
      if (-count <= tokens.length) throw new StepwrightError("internal", "the tokenizer gave no tokens");
      tokens = new Int32Array(-count);
    }
  }

  /** The bytes of a token's text; control tokens give none. */
  piece(token: number): Uint8Array {
    if (!Number.isInteger(token) || token < 0 || token >= this.size) {
      throw new StepwrightError("internal", `token ${token} is not in the vocabulary of ${this.size}`);
    }
    for (;;) {
      const length = this.#native.llama_token_to_piece(
        this.#handle,
        token,
        this.#piece,
        this.#piece.length,
        0,
        false,
      );
      if (length >= 0) return Uint8Array.prototype.slice.call(this.#piece, 0, length);
      this.#piece = Buffer.alloc(-length);
    }
  }

  get beginToken(): number | null {
    const token = this.#native.llama_vocab_bos(this.#handle);
    return token < 0 ? null : token;
  }

  get addsBegin(): boolean {
    return this.#native.llama_vocab_get_add_bos(this.#handle);
  }

  /**
   * Walks the whole vocabulary once, in turns with the event loop: every token that ends a generation, and the
   * SHA-256 over every token's text, kind and score and over `metadata` (the tokenizer's own keys).
   */
  async survey(metadata: Readonly<Record<string, string>>): Promise<{ endTokens: number[]; hash: string }> {
    const native = this.#native;
    const handle = this.#handle;
    const endTokens: number[] = [];
    const hash = createHash("sha256");
    hash.update(JSON.stringify([native.llama_vocab_type(handle), this.size, metadata]));
    for (let from = 0; from < this.size; from += tokensPerTurn) {
      const entries: unknown[] = [];
      for (let token = from; token < Math.min(from + tokensPerTurn, this.size); token++) {
        entries.push(
          native.llama_vocab_get_text(handle, token),
          native.llama_vocab_get_attr(handle, token),
          native.llama_vocab_get_score(handle, token),
        );
        if (native.llama_vocab_is_eog(handle, token)) endTokens.push(token);
      }
      hash.update(JSON.stringify(entries));
      await setImmediate();
    }
    return { endTokens, hash: hash.digest("hex") };
  }
}
