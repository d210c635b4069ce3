/** Reads formulas in LaTeX. A dialect says how; the grammar is the same. */
import {
  type Expression,
  formOf,
  number,
  operation,
  type RelationSign,
  symbol,
  symbolsOf,
} from "./expression.js";
import { latexTokens } from "./latex-tokens.js";
import { Hopeless, TokenReader, Unreadable } from "./token-reader.js";

export interface Dialect {
  /** Whether a letter or command before brackets is a function, as f in f(x), and no factor. */
  isFunction(name: string): boolean;
  /** Whether a command without a meaning of its own is a symbol. */
  isSymbol(command: string): boolean;
  /** People's habits: 1\frac12 is a sum, roots and powers may lack braces, dx is a product. */
  readonly written: boolean;
}

/**
 * As the parser behind the Qwen2.5-Math rules reads: every letter is a free symbol (pi, e and i too) and every unknown
 * command as well, a letter before brackets is a function, and dx is one symbol.
 */
export const lenientDialect: Dialect = { isFunction: () => true, isSymbol: () => true, written: false };

/** The longest readable beginning of a text; the rest is dropped. Throws `Unreadable`. */
export function readBeginning(text: string, dialect: Dialect = lenientDialect): Expression {
  return new LatexReader(new TokenReader(latexTokens(text.trim())), dialect).relation();
}

/** A whole text without relations. Throws `Unreadable`. */
export function readWhole(text: string, dialect: Dialect): Expression {
  const tokens = new TokenReader(latexTokens(text.trim()));
  const value = new LatexReader(tokens, dialect).sum();
  if (!tokens.atEnd) throw new Unreadable("more than one expression");
  return value;
}

const relationSigns: Readonly<Record<string, RelationSign>> = {
  "=": "=",
  "<": "<",
  ">": ">",
  le: "<=",
  leq: "<=",
  leqq: "<=",
  leqslant: "<=",
  ge: ">=",
  geq: ">=",
  geqq: ">=",
  geqslant: ">=",
  neq: "!=",
};

const knownFunctions: Readonly<Record<string, string>> = {
  exp: "exponential",
  log: "logarithm",
  lg: "logarithm",
  ln: "logarithm",
  sin: "sine",
  cos: "cosine",
  tan: "tangent",
  csc: "cosecant",
  sec: "secant",
  cot: "cotangent",
  arcsin: "arc-sine",
  arccos: "arc-cosine",
  arctan: "arc-tangent",
  arccsc: "arc-cosecant",
  arcsec: "arc-secant",
  arccot: "arc-cotangent",
  sinh: "hyperbolic-sine",
  cosh: "hyperbolic-cosine",
  tanh: "hyperbolic-tangent",
};

/** Commands with a meaning of their own, which are therefore no symbols. */
const reserved = new Set([
  ...Object.keys(knownFunctions),
  ..."frac dfrac tfrac binom dbinom tbinom sqrt overline times cdot div lfloor rfloor lceil rceil langle rangle lim to rightarrow int sum prod mathit le leq leqq leqslant ge geq geqq geqslant neq".split(
    " ",
  ),
]);

class LatexReader {
  constructor(
    private readonly tokens: TokenReader,
    private readonly dialect: Dialect,
  ) {}

  relation(): Expression {
    let left = this.sum();
    for (;;) {
      const { kind, text } = this.tokens.next;
      const sign = kind === "sign" || kind === "command" ? relationSigns[text] : undefined;
      if (sign === undefined) return left;
      const right = this.after(() => this.sum());
      if (right === undefined) return left;
      left = { kind: "relation", sign, left, right };
    }
  }

  sum(): Expression {
    return this.tokens.nested(() => {
      const terms = [this.product(true)];
      while (this.tokens.isSign("+", "-")) {
        const minus = this.tokens.isSign("-");
        const term = this.after(() => this.product(true));
        if (term === undefined) break;
        terms.push(minus ? operation("negate", term) : term);
      }
      return terms.length === 1 ? terms[0]! : operation("add", ...terms);
    });
  }

  /** Factors with signs between them; functions with bare arguments hold no further functions. */
  private product(functions: boolean): Expression {
    const factors = [this.signed(functions)];
    for (;;) {
      const over = this.tokens.isSign("/", ":") || this.tokens.isCommand("div");
      if (!over && !this.tokens.isSign("*") && !this.tokens.isCommand("times", "cdot")) break;
      const factor = this.after(() => this.signed(functions));
      if (factor === undefined) break;
      factors.push(over ? operation("divide", number(1), factor) : factor);
    }
    return factors.length === 1 ? factors[0]! : operation("multiply", ...factors);
  }

  /** What follows the next token; undefined, with that token left in place, if nothing readable does. */
  private after(read: () => Expression): Expression | undefined {
    return this.tokens.attempt(() => {
      this.tokens.take();
      return read();
    });
  }

  private signed(functions: boolean): Expression {
    if (this.tokens.skip("+")) return this.tokens.nested(() => this.signed(functions));
    if (this.tokens.skip("-"))
      return operation(
        "negate",
        this.tokens.nested(() => this.signed(functions)),
      );
    // The first factor may always be a function: \sin\theta(t).
    const factors = [this.factor(true)];
    while (this.startsFactor()) {
      const factor = this.tokens.attempt(() => this.factor(functions));
      if (factor === undefined) break;
      factors.push(factor);
    }
    if (factors.length === 1) return factors[0]!;
    if (this.dialect.written && isMixedNumber(factors)) return operation("add", ...factors);
    return operation("multiply", ...withoutCrosses(factors));
  }

  /** Spares the reader most vain attempts; what it lets through may still fail. */
  private startsFactor(): boolean {
    const { kind, text } = this.tokens.next;
    if (kind === "sign") return text === "|" || closing[text] !== undefined;
    return kind !== "end" && kind !== "primes";
  }

  private factor(functions: boolean): Expression {
    let value = this.primary(functions);
    let height = 0;
    while (this.tokens.isSign("^")) {
      const exponent = this.after(() => this.script());
      if (exponent === undefined) break;
      value = operation("power", value, this.limited(++height, exponent));
      if (this.tokens.isSign("_")) this.tokens.attempt(() => this.subscript());
    }
    while (this.tokens.skip("!")) value = operation("factorial", this.limited(++height, value));
    return value;
  }

  /** Towers grow where the text does not nest; deep ones would be too deep to walk. */
  private limited(height: number, value: Expression): Expression {
    if (height > 50) throw new Hopeless("too many powers");
    return value;
  }

  private primary(functions: boolean): Expression {
    const { tokens } = this;
    const { kind, text } = tokens.next;
    if (kind === "sign") {
      const close = closing[text];
      if (close !== undefined) return this.enclosed(text, close);
      if (text === "|") {
        tokens.take();
        const inner = this.sum();
        tokens.expect("|");
        return operation("absolute", inner);
      }
    }
    if (kind === "command" && (text === "lfloor" || text === "lceil")) return this.rounded();
    if (functions && this.mayApply()) {
      const applied = tokens.attempt(() => this.applied());
      if (applied !== undefined) return applied;
    }
    return this.atom();
  }

  private enclosed(open: string, close: string): Expression {
    this.tokens.expect(open);
    const inner = this.sum();
    this.tokens.expect(close);
    return inner;
  }

  private rounded(): Expression {
    const name = this.tokens.take().text === "lfloor" ? "floor" : "ceiling";
    const inner = this.sum();
    if (this.tokens.take().text !== (name === "floor" ? "rfloor" : "rceil")) throw new Unreadable("no end");
    return operation(name, inner);
  }

  private mayApply(): boolean {
    const { kind } = this.tokens.next;
    if (kind !== "letter") return kind === "command";
    const { kind: kindAfter, text: textAfter } = this.tokens.peek(1);
    return kindAfter === "primes" || textAfter === "(" || textAfter === "_";
  }

  private applied(): Expression {
    const { tokens } = this;
    const { kind, text } = tokens.next;
    if (kind === "command") {
      const known = knownFunctions[text];
      if (known !== undefined) return this.knownFunction(text, known);
      if (text === "sqrt") return this.squareRoot();
      if (text === "overline") {
        tokens.take();
        return operation("conjugate", this.enclosed("{", "}"));
      }
      if (text === "sum" || text === "prod") return this.series();
    }
    const name = this.name();
    if (!this.dialect.isFunction(name)) throw new Unreadable("no function");
    tokens.expect("(");
    const operands = this.listed();
    tokens.expect(")");
    return { kind: "function", name, operands };
  }

  private listed(): Expression[] {
    const items = [this.sum()];
    while (this.tokens.skip(",")) items.push(this.sum());
    return items;
  }

  private knownFunction(command: string, name: string): Expression {
    const { tokens } = this;
    tokens.take();
    let base: Expression | undefined = command === "lg" ? number(10) : undefined;
    let exponent: Expression | undefined;
    for (let scripts = 0; scripts < 2; scripts++) {
      if (tokens.isSign("_")) base = this.subscript();
      else if (tokens.skip("^")) exponent = this.script();
    }
    const inBrackets = tokens.attempt(() => {
      tokens.expect("(");
      const items = this.listed();
      tokens.expect(")");
      return items[0]!;
    });
    const argument = inBrackets ?? tokens.nested(() => this.product(false));
    if (exponent !== undefined && inverses.has(name) && formOf(exponent) === "negate(1)")
      return operation(`arc-${name}`, argument);
    const value =
      name === "logarithm" && base !== undefined
        ? operation(name, argument, base)
        : operation(name, argument);
    return exponent === undefined ? value : operation("power", value, exponent);
  }

  private squareRoot(): Expression {
    const { tokens } = this;
    tokens.take();
    if (!tokens.isSign("[")) return operation("square-root", this.radicand());
    const degree = this.enclosed("[", "]");
    return operation("root", this.radicand(), degree);
  }

  private radicand(): Expression {
    if (this.tokens.isSign("{") || !this.dialect.written) return this.enclosed("{", "}");
    return this.tokens.isSign("(") ? this.enclosed("(", ")") : this.atom();
  }

  private series(): Expression {
    const { tokens } = this;
    const name = tokens.take().text === "sum" ? "sum" : "product";
    tokens.expect("_");
    tokens.expect("{");
    const index = this.sum();
    tokens.expect("=");
    const first = this.sum();
    tokens.expect("}");
    tokens.expect("^");
    const last = this.script();
    return operation(name, this.product(true), index, first, last);
  }

  private atom(): Expression {
    const { tokens } = this;
    const { kind, text } = tokens.next;
    if (kind === "number") return this.number();
    if (kind === "differential") {
      tokens.take();
      if (this.dialect.written) return operation("multiply", symbol("d"), symbol(text));
      return symbol(`d${text}`);
    }
    if (kind === "command") {
      if (text === "frac" || text === "dfrac" || text === "tfrac") return this.fraction();
      if (text === "binom" || text === "dbinom" || text === "tbinom") {
        tokens.take();
        return operation("binomial", this.enclosed("{", "}"), this.enclosed("{", "}"));
      }
    }
    return symbol(this.name());
  }

  private number(): Expression {
    const { tokens } = this;
    let digits = this.digits();
    // A comma before exactly three digits separates thousands.
    while (tokens.isSign(",")) {
      const group = tokens.attempt(() => {
        tokens.expect(",");
        if (![0, 1, 2].every((ahead) => tokens.peek(ahead).kind === "number"))
          throw new Unreadable("no group");
        return [tokens.take(), tokens.take(), tokens.take()].map(({ text }) => text).join("");
      });
      if (group === undefined) break;
      digits += group;
    }
    if (tokens.skip(".")) {
      const decimals = this.digits();
      if (decimals === "") throw new Unreadable("a point without decimals");
      digits += `.${decimals}`;
    }
    return number(Number(digits));
  }

  private digits(unspaced = false): string {
    let digits = "";
    while (this.tokens.next.kind === "number" && !(unspaced && digits !== "" && this.tokens.next.spaced))
      digits += this.tokens.take().text;
    return digits;
  }

  private fraction(): Expression {
    const { tokens } = this;
    tokens.take();
    const part = () =>
      tokens.next.kind === "number" ? number(Number(tokens.take().text)) : this.enclosed("{", "}");
    const [upper, lower] = [part(), part()];
    const [top, bottom] = [upper, lower].map((side) => (side.kind === "symbol" ? side.name : ""));
    // dx/dt is a quantity of its own.
    if (top!.startsWith("d") && bottom!.startsWith("d") && bottom!.length > 1)
      return symbol(`${top}/${bottom}`);
    return operation("divide", upper, lower);
  }

  /** A letter or an unknown command, with what is written below it and its primes. */
  private name(): string {
    const { tokens } = this;
    const { kind, text } = tokens.next;
    if (kind !== "letter" && (kind !== "command" || reserved.has(text))) throw new Unreadable("no symbol");
    if (kind === "command" && !this.dialect.isSymbol(text)) throw new Unreadable("an unknown command");
    tokens.take();
    let primes = tokens.next.kind === "primes" ? tokens.take().text : "";
    const below = tokens.isSign("_") ? tokens.attempt(() => this.subscript()) : undefined;
    if (primes === "" && tokens.next.kind === "primes") primes = tokens.take().text;
    return `${text}${below === undefined ? "" : `_${formOf(below)}`}${primes}`;
  }

  private subscript(): Expression {
    this.tokens.expect("_");
    return this.script();
  }

  private script(): Expression {
    if (this.dialect.written) {
      if (this.tokens.isSign("(")) return this.enclosed("(", ")");
      if (this.tokens.skip("-")) return operation("negate", this.atom());
    }
    if (this.tokens.isSign("{")) return this.enclosed("{", "}");
    // \log_2 8: the blank ends the script.
    return this.tokens.next.kind === "number" ? number(Number(this.digits(true))) : this.atom();
  }
}

const closing: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}", "\\{": "\\}" };
const inverses = new Set(["sine", "cosine", "tangent", "secant", "cosecant", "cotangent"]);

/** An x between two numbers is a cross: 2x3 is six. */
function withoutCrosses(factors: readonly Expression[]): Expression[] {
  return factors.filter((factor, index) => {
    if (factor.kind !== "symbol" || factor.name !== "x") return true;
    const [before, after] = [factors[index - 1], factors[index + 1]];
    if (before === undefined || after === undefined) return true;
    return symbolsOf(before).size + symbolsOf(after).size > 0;
  });
}

/** Whole numbers before a fraction of whole numbers: 1\frac{1}{2}. */
function isMixedNumber([whole, part, ...more]: readonly Expression[]): boolean {
  if (more.length > 0 || whole?.kind !== "number" || !Number.isInteger(whole.value)) return false;
  if (part?.kind !== "operation" || part.name !== "divide") return false;
  return part.operands.every((side) => side.kind === "number" && Number.isInteger(side.value));
}
