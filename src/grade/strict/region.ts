/** Sets of real numbers made of intervals: (2, 3], x >= 2, -1 < x < 4, unions of these. */
import { type Expression, formOf, operation, symbolsOf } from "../expression.js";
import { sameValue } from "../same-value.js";
import type { Answer } from "./answer.js";
import { constants } from "./constants.js";

export interface Interval {
  readonly low: Expression;
  readonly high: Expression;
  readonly lowIn: boolean;
  readonly highIn: boolean;
}

export type Region = readonly Interval[];

const infinity: Expression = { kind: "symbol", name: "infty" };
const minusInfinity: Expression = operation("negate", infinity);

/** Undefined if the answer can be no region. */
export function regionOf(answer: Answer): Region | undefined {
  if (answer.kind === "union") {
    const parts = answer.parts.map(regionOf);
    return parts.some((part) => part === undefined) ? undefined : parts.flatMap((part) => part!);
  }
  if (answer.kind === "tuple") {
    const [low, high, more] = answer.items;
    if (more !== undefined || low?.kind !== "value" || high?.kind !== "value") return undefined;
    return [
      {
        low: low.value,
        high: high.value,
        lowIn: answer.open === "[",
        highIn: answer.close === "]",
      },
    ];
  }
  if (answer.kind === "list") {
    const parts = answer.items.map((item) => (item.kind === "relation" ? regionOf(item) : undefined));
    return parts.some((part) => part === undefined) ? undefined : parts.flatMap((part) => part!);
  }
  return answer.kind === "relation" ? intervalOf(answer) : undefined;
}

/** "x > 2", "2 < x", "-1 <= x < 3": a lone letter between numbers. */
function intervalOf({ signs, sides }: Extract<Answer, { kind: "relation" }>): Region | undefined {
  if (signs.some((sign) => sign === "=" || sign === "!=")) return undefined;
  const values = sides.map((side) => (side.kind === "value" ? side.value : undefined));
  const up = signs.every((sign) => sign.startsWith("<"));
  if (values.some((value) => value === undefined) || (!up && signs.some((sign) => sign.startsWith("<"))))
    return undefined;
  // Rising from left to right.
  const rising = (up ? values : values.toReversed()) as Expression[];
  const closed = (up ? signs : signs.toReversed()).map((sign) => sign.endsWith("="));
  const at = rising.findIndex(
    (value) => value.kind === "symbol" && value.name !== "infty" && !constants.has(value.name),
  );
  if (at < 0 || rising.length > 3) return undefined;
  const [low, high] = [rising[at - 1], rising[at + 1]];
  if ((low === undefined && high === undefined) || rising.length - 1 !== Number(!!low) + Number(!!high))
    return undefined;
  return [
    {
      low: low ?? minusInfinity,
      high: high ?? infinity,
      lowIn: low !== undefined && closed[at - 1]!,
      highIn: high !== undefined && closed[at]!,
    },
  ];
}

/** The same intervals in any order. */
export function sameRegion(a: Region, b: Region): boolean {
  const left = [...b];
  for (const interval of a) {
    const at = left.findIndex((other) => sameInterval(interval, other));
    if (at < 0) return false;
    left.splice(at, 1);
  }
  return left.length === 0;
}

function sameInterval(a: Interval, b: Interval): boolean {
  return a.lowIn === b.lowIn && a.highIn === b.highIn && sameEnd(a.low, b.low) && sameEnd(a.high, b.high);
}

function sameEnd(a: Expression, b: Expression): boolean {
  const [x, y] = [infiniteSign(a), infiniteSign(b)];
  return x !== undefined || y !== undefined ? x === y : sameValue(a, b, { constants });
}

function infiniteSign(end: Expression): number | undefined {
  if (!symbolsOf(end).has("infty")) return undefined;
  return formOf(end).startsWith("negate(") ? -1 : 1;
}
