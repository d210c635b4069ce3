/** What an answer says, once read: a tree of numbers, symbols, operations, relations and collections. */

export type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "symbol"; readonly name: string }
  /** A known operation (`add`, `multiply`, `power`, `sine`, ...), see evaluate.ts for the list. */
  | { readonly kind: "operation"; readonly name: string; readonly operands: readonly Expression[] }
  /** A function we know nothing about but its name, such as f in f(x). */
  | { readonly kind: "function"; readonly name: string; readonly operands: readonly Expression[] }
  | {
      readonly kind: "relation";
      readonly sign: RelationSign;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: "collection"; readonly open: "(" | "[" | "{"; readonly items: readonly Expression[] };

export type RelationSign = "=" | "<" | "<=" | ">" | ">=" | "!=";

export const number = (value: number): Expression => ({ kind: "number", value });
export const symbol = (name: string): Expression => ({ kind: "symbol", name });
export const operation = (name: string, ...operands: Expression[]): Expression => ({
  kind: "operation",
  name,
  operands,
});
export const difference = (left: Expression, right: Expression): Expression =>
  operation("add", left, operation("negate", right));

/** The names of all free symbols and unknown functions; the index of a sum is not free. */
export function symbolsOf(expression: Expression, found = new Set<string>()): Set<string> {
  switch (expression.kind) {
    case "symbol":
      found.add(expression.name);
      break;
    case "function":
      found.add(`${expression.name}()`);
      for (const operand of expression.operands) symbolsOf(operand, found);
      break;
    case "operation": {
      const [term, index] = expression.operands;
      const bound = expression.name === "sum" || expression.name === "product";
      const operands = bound ? expression.operands.slice(2) : expression.operands;
      for (const operand of operands) symbolsOf(operand, found);
      if (bound && index?.kind === "symbol")
        for (const name of symbolsOf(term!)) if (name !== index.name) found.add(name);
      break;
    }
    case "relation":
      symbolsOf(expression.left, found);
      symbolsOf(expression.right, found);
      break;
    case "collection":
      for (const item of expression.items) symbolsOf(item, found);
      break;
  }
  return found;
}

/** The tree as text: equal text, equal tree. */
export function formOf(expression: Expression): string {
  switch (expression.kind) {
    case "number":
      return String(expression.value);
    case "symbol":
      return expression.name;
    case "operation":
    case "function":
      return `${expression.kind === "function" ? "'" : ""}${expression.name}(${expression.operands.map(formOf).join(" ")})`;
    case "relation":
      return `${formOf(expression.left)} ${expression.sign} ${formOf(expression.right)}`;
    case "collection": {
      const items = expression.items.map(formOf);
      return `${expression.open}${(expression.open === "{" ? items.sort() : items).join(",")}`;
    }
  }
}
