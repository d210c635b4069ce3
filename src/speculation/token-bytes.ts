/** The bytes of a model's tokens, asked for once each. */
import type { Model } from "../core/model.js";
import type { Token } from "../core/step.js";

export class TokenBytes {
  readonly #model: Model;
  readonly #known = new Map<Token, Uint8Array>();

  constructor(model: Model) {
    this.#model = model;
  }

  /** In the order of the tokens. */
  async of(tokens: readonly Token[]): Promise<Uint8Array[]> {
    const missing = [...new Set(tokens)].filter((token) => !this.#known.has(token));
    if (missing.length > 0) {
      const bytes = await this.#model.tokenBytes!(missing);
      for (const [index, token] of missing.entries()) this.#known.set(token, bytes[index]!);
    }
    return tokens.map((token) => this.#known.get(token)!);
  }
}
