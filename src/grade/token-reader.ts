/** A place in a list of tokens, with limits on how far and how deep a reader may go. */
import type { Token } from "./latex-tokens.js";

/** The text is no formula, or one that is too long or too deep to read. */
export class Unreadable extends Error {}

/** Thrown through every alternative: there is no other way to read the text. */
export class Hopeless extends Unreadable {}

const stepLimit = 200_000;
const depthLimit = 120;

export class TokenReader {
  private at = 0;
  private steps = 0;
  private depth = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  get next(): Token {
    return this.peek(0);
  }

  peek(ahead: number): Token {
    if (++this.steps > stepLimit) throw new Hopeless("too long to read");
    const token = this.tokens[Math.min(this.at + ahead, this.tokens.length - 1)]!;
    if (token.kind === "bad") throw new Hopeless(`"${token.text}" is no part of a formula`);
    return token;
  }

  get atEnd(): boolean {
    return this.next.kind === "end";
  }

  isSign(...texts: string[]): boolean {
    return this.next.kind === "sign" && texts.includes(this.next.text);
  }

  isCommand(...texts: string[]): boolean {
    return this.next.kind === "command" && texts.includes(this.next.text);
  }

  take(): Token {
    const token = this.next;
    if (token.kind !== "end") this.at++;
    return token;
  }

  /** Takes this sign if it comes next. */
  skip(sign: string): boolean {
    const found = this.isSign(sign);
    if (found) this.at++;
    return found;
  }

  expect(sign: string): void {
    if (!this.skip(sign)) throw new Unreadable(`expected ${sign}`);
  }

  /** What `read` returns, or undefined with nothing taken if it cannot read. */
  attempt<Value>(read: () => Value): Value | undefined {
    const [at, depth] = [this.at, this.depth];
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Unreadable) || error instanceof Hopeless) throw error;
      this.at = at;
      this.depth = depth;
      return undefined;
    }
  }

  nested<Value>(read: () => Value): Value {
    if (++this.depth > depthLimit) throw new Hopeless("nested too deeply to read");
    const value = read();
    this.depth--;
    return value;
  }
}
