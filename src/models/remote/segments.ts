/** What a branch holds, in parts that forks share: so a prefix that many branches have is expected to be read once. */
import type { Token } from "../../core/step.js";
import type { Held } from "./dialect.js";

export interface Segment {
  readonly tokens: readonly Token[];
  readonly text: string;
  /** Part of a request that was made. */
  sent: boolean;
}

export class Segments {
  #parts: readonly Segment[];

  constructor(parts: readonly Segment[] = []) {
    this.#parts = parts;
  }

  get length(): number {
    return this.#parts.reduce((sum, { tokens }) => sum + tokens.length, 0);
  }

  copy(): Segments {
    return new Segments(this.#parts);
  }

  add(segment: Segment): void {
    if (segment.tokens.length > 0 || segment.text !== "") this.#parts = [...this.#parts, segment];
  }

  held(): Held {
    return {
      tokens: this.#parts.flatMap(({ tokens }) => tokens),
      text: this.#parts.map(({ text }) => text).join(""),
    };
  }

  /** Tokens that the server sees for the first time with the request that is made now. */
  send(): number {
    let count = 0;
    for (const part of this.#parts) {
      if (part.sent) continue;
      part.sent = true;
      count += part.tokens.length;
    }
    return count;
  }

  /** Keeps the first `length` tokens; `textOf` says what a part of a part reads. */
  trim(length: number, textOf: (kept: readonly Token[]) => string): void {
    const kept: Segment[] = [];
    let room = Math.max(0, length);
    for (const part of this.#parts) {
      if (part.tokens.length <= room) kept.push(part);
      else if (room > 0) {
        const tokens = part.tokens.slice(0, room);
        kept.push({ ...part, tokens, text: textOf(tokens) });
      }
      room = Math.max(0, room - part.tokens.length);
      if (room === 0 && part.tokens.length > 0) break;
    }
    this.#parts = kept;
  }
}
