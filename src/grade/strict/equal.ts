/** Whether two answers mean the same to a mathematician. */
import { difference, type Expression, formOf, operation, symbol, symbolsOf } from "../expression.js";
import { constantValue, sameValue } from "../same-value.js";
import type { Answer, Sign } from "./answer.js";
import { constants } from "./constants.js";
import { regionOf, sameRegion } from "./region.js";

type Of<Kind extends Answer["kind"]> = Extract<Answer, { kind: Kind }>;

/** Not symmetric: a prediction may say more than was asked, such as a unit or the name of what it gives. */
export function strictlyEqual(prediction: Answer, reference: Answer): boolean {
  if (!unitsAgree(prediction.unit, reference.unit)) return false;
  const [regionA, regionB] = [regionOf(prediction), regionOf(reference)];
  if (regionA && regionB && isRegion(prediction, reference)) return sameRegion(regionA, regionB);
  if (reference.kind === "relation") return equalsRelation(prediction, reference);
  if (prediction.kind === "relation") return relationGives(prediction, reference);
  if (prediction.kind === "value" && reference.kind === "value") return sameNumber(prediction, reference);
  if (prediction.kind === "words" || reference.kind === "words") return sameWords(prediction, reference);
  if (prediction.kind === "based" && reference.kind === "based")
    return prediction.digits === reference.digits && prediction.base === reference.base;
  if (prediction.kind === "matrix" || reference.kind === "matrix") return sameMatrix(prediction, reference);
  return sameItems(prediction, reference);
}

/** Two bracketed pairs are intervals only where something says so; otherwise they are points. */
function isRegion(a: Answer, b: Answer): boolean {
  return [a, b].some(
    (answer) =>
      answer.kind === "union" ||
      answer.kind === "relation" ||
      (answer.kind === "tuple" && (answer.open === "[" || answer.close === "]")),
  );
}

const known = /^(?:inch|foot|cm|m|km|mm|g|kg|l|h|min|s|mile|degree|%)(?:\^\d)?$/;

function unitsAgree(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined || a === b) return true;
  // Names of things counted differ as people please; units of measure do not.
  return !(known.test(a) && known.test(b));
}

function sameNumber(a: Of<"value">, b: Of<"value">): boolean {
  if (sameExpression(a.value, b.value) || isLongDecimalOf(a, b)) return true;
  // A percent sign is a unit, or a hundredth.
  const hundredth = (value: Expression) => operation("divide", value, { kind: "number", value: 100 });
  if (a.unit === "%" && b.unit === undefined) return sameExpression(hundredth(a.value), b.value);
  if (b.unit === "%" && a.unit === undefined) return sameExpression(a.value, hundredth(b.value));
  return false;
}

function sameExpression(a: Expression, b: Expression): boolean {
  if (sameValue(a, b, { constants })) return true;
  // Letters mostly stand for lengths and counts; but what holds for those only does not make |x| and x the same.
  const signs = [a, b].some((side) => formOf(side).includes("absolute("));
  return !signs && sameValue(a, b, { constants, positive: true });
}

/** Eight digits or more, right to the last one, stand for the number that they begin. */
function isLongDecimalOf(a: Of<"value">, b: Of<"value">): boolean {
  const digits = /^-?(\d*)\.(\d+)$/.exec(a.written.trim());
  if (digits === null || `${digits[1]}${digits[2]}`.replace(/^0+/, "").length < 8) return false;
  const [x, y] = [a.value, b.value].map((value) => constantValue(value, { constants }));
  if (x === undefined || y === undefined || Math.abs(y.im) > 1e-12) return false;
  return Math.abs(x.re - y.re) <= 1.01 * 10 ** -digits[2]!.length;
}

function equalsRelation(prediction: Answer, reference: Of<"relation">): boolean {
  if (prediction.kind === "relation") return sameRelation(prediction, reference);
  if (reference.signs.length !== 1 || reference.signs[0] !== "=") return false;
  const [left, right] = reference.sides as [Answer, Answer];
  // "y = 2x" asks for 2x, "... = 0" for what is zero.
  if (isName(left) && strictlyEqual(prediction, right)) return true;
  return isZero(right) && strictlyEqual(prediction, left);
}

/** "x = 3" gives 3, "m + n = 3" gives 3, "2 + 1 = 3" gives 3. */
function relationGives(prediction: Of<"relation">, reference: Answer): boolean {
  if (prediction.signs.some((sign) => sign !== "=")) return false;
  const [first, last] = [prediction.sides[0]!, prediction.sides.at(-1)!];
  if (strictlyEqual(last, reference)) return isName(first) || isConstant(last);
  return isName(last) && prediction.sides.length === 2 && strictlyEqual(first, reference);
}

function isConstant(answer: Answer): boolean {
  return answer.kind !== "value" || constantValue(answer.value, { constants }) !== undefined;
}

/** A letter, or a function of letters such as f(x). */
function isName(answer: Answer): boolean {
  if (answer.kind === "tuple") return answer.items.every(isName);
  if (answer.kind === "words") return true;
  if (answer.kind !== "value") return false;
  const { value } = answer;
  return value.kind === "symbol" || value.kind === "function";
}

function isZero(answer: Answer): boolean {
  return answer.kind === "value" && formOf(answer.value) === "0";
}

function sameRelation(a: Of<"relation">, b: Of<"relation">): boolean {
  const [left, right] = [a, b].map(zeroForm);
  if (left === undefined || right === undefined) return sameSides(a, b);
  if (left.sign !== right.sign) return false;
  const renamed = withSameArgument(left.form, right.form);
  return sameUpToFactor(renamed, right.form, left.sign !== "=" && left.sign !== "!=");
}

function sameSides(a: Of<"relation">, b: Of<"relation">): boolean {
  return (
    a.signs.join() === b.signs.join() && a.sides.every((side, index) => strictlyEqual(side, b.sides[index]!))
  );
}

/** The relation with everything on one side: `form` = 0, or > 0. */
function zeroForm({ signs, sides }: Of<"relation">): { form: Expression; sign: Sign } | undefined {
  const [left, right] = sides;
  if (signs.length !== 1 || left?.kind !== "value" || right?.kind !== "value") return undefined;
  const sign = signs[0]!;
  if (sign === "<" || sign === "<=")
    return { form: difference(right.value, left.value), sign: sign === "<" ? ">" : ">=" };
  return { form: difference(left.value, right.value), sign };
}

/** f(x) = x and f(n) = n name the same function: the argument is anybody's letter. */
function withSameArgument(form: Expression, model: Expression): Expression {
  const [mine, theirs] = [argumentOf(form), argumentOf(model)];
  if (mine === undefined || theirs === undefined || mine === theirs) return form;
  return symbolsOf(form).has(theirs) ? form : rename(form, mine, theirs);
}

/** The letter in "f(x) = ...": the form is f(x) - (...). */
function argumentOf(form: Expression): string | undefined {
  if (form.kind !== "operation") return undefined;
  const [left] = form.operands;
  const argument = left?.kind === "function" && left.operands.length === 1 ? left.operands[0] : undefined;
  return argument?.kind === "symbol" ? argument.name : undefined;
}

function rename(form: Expression, from: string, to: string): Expression {
  if (form.kind === "symbol") return form.name === from ? symbol(to) : form;
  if (form.kind === "operation" || form.kind === "function")
    return { ...form, operands: form.operands.map((operand) => rename(operand, from, to)) };
  return form;
}

/** Whether one is the other times a number: two forms of one equation. */
function sameUpToFactor(a: Expression, b: Expression, positiveFactor: boolean): boolean {
  const names = symbolsOf(a);
  if ([...symbolsOf(b)].some((name) => !names.has(name)) || names.size !== symbolsOf(b).size) return false;
  if (sameExpression(a, b)) return true;
  const ratio = operation("divide", a, b);
  const at = (probe: number): Expression => ({ kind: "number", value: probe });
  // A constant ratio is the same wherever its letters are moved to.
  const moved = [...names].reduce((form, name) => moveSymbol(form, name, at(0.77)), ratio);
  if (!sameExpression(ratio, moved)) return false;
  const factor = constantValue(moved, { constants });
  return factor !== undefined && Math.abs(factor.im) < 1e-9 && (!positiveFactor || factor.re > 0);
}

function moveSymbol(form: Expression, name: string, by: Expression): Expression {
  if (form.kind === "symbol") return form.name === name ? by : form;
  if (form.kind === "operation" || form.kind === "function")
    return { ...form, operands: form.operands.map((operand) => moveSymbol(operand, name, by)) };
  return form;
}

function sameWords(a: Answer, b: Answer): boolean {
  if (a.kind !== "words" || b.kind !== "words") {
    // A single letter may have been read as a symbol on one side: \text{(C)} and C.
    return letterOf(a) !== undefined && letterOf(a) === letterOf(b);
  }
  const [x, y] = [a.text, b.text].map((text) => text.replace(/[()]/g, "").trim());
  if (x!.length === 1 || y!.length === 1) return x === y;
  return x !== "" && x!.toLowerCase() === y!.toLowerCase();
}

function letterOf(answer: Answer): string | undefined {
  if (answer.kind === "words") return /^\(?([A-Za-z])\)?$/.exec(answer.text)?.[1];
  return answer.kind === "value" && answer.value.kind === "symbol" ? answer.value.name : undefined;
}

function sameMatrix(a: Answer, b: Answer): boolean {
  if (a.kind === "matrix" && b.kind === "matrix") {
    return a.rows.length === b.rows.length && a.rows.every((row, at) => inOrder(row, b.rows[at]!));
  }
  // A column is a vector, and so is a tuple.
  const [matrix, other] = a.kind === "matrix" ? [a, b] : [b as Of<"matrix">, a];
  if (other.kind !== "tuple" || matrix.rows.some((row) => row.length !== 1)) return false;
  return inOrder(
    matrix.rows.map((row) => row[0]!),
    other.items,
  );
}

function inOrder(a: readonly Answer[], b: readonly Answer[]): boolean {
  return a.length === b.length && a.every((item, index) => strictlyEqual(item, b[index]!));
}

function inAnyOrder(a: readonly Answer[], b: readonly Answer[]): boolean {
  const left = [...b];
  for (const item of a) {
    const at = left.findIndex((other) => strictlyEqual(item, other));
    if (at < 0) return false;
    left.splice(at, 1);
  }
  return left.length === 0;
}

/** Tuples keep their order, sets and bare lists of solutions do not. */
function sameItems(a: Answer, b: Answer): boolean {
  const [x, y] = [itemsOf(a), itemsOf(b)];
  if (x === undefined || y === undefined) {
    // A list of one.
    const only = x?.length === 1 ? strictlyEqual(x[0]!, b) : y?.length === 1 && strictlyEqual(a, y[0]!);
    return only === true && [a, b].some((side) => side.kind === "set" || side.kind === "list");
  }
  if (a.kind === "tuple" && b.kind === "set") return false;
  if (a.kind === "set" && b.kind === "tuple") return false;
  if (a.kind === "tuple" || b.kind === "tuple") {
    if (hasInfinity(x) || hasInfinity(y)) return a.kind === b.kind && inOrder(x, y);
    return inOrder(x, y);
  }
  return inAnyOrder(x, y);
}

/** An end at infinity makes a pair an interval: then its brackets matter. */
function hasInfinity(items: readonly Answer[]): boolean {
  return items.some((item) => item.kind === "value" && symbolsOf(item.value).has("infty"));
}

function itemsOf(answer: Answer): readonly Answer[] | undefined {
  return answer.kind === "tuple" || answer.kind === "set" || answer.kind === "list"
    ? answer.items
    : undefined;
}
