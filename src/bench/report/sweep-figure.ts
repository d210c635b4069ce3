/** A swept option: accuracy and the kept share of draft steps against its value. */

import { groupBy } from "../../core/group-by.js";
import { percent } from "../figures-text.js";
import type { BenchRow } from "../row.js";
import { drawMark, type Mark } from "./marks.js";
import { type Frame, frameOf, path, plot } from "./plot.js";
import { linearScale, logScale, padded, type Scale } from "./scale.js";
import { element, line, text, title } from "./svg.js";

export interface Sweep {
  readonly method: string;
  readonly option: string;
  /** By the option's value. */
  readonly points: readonly { readonly value: number; readonly row: BenchRow }[];
}

/** Methods of which one numeric option, and nothing else, differs over three rows or more. */
export function sweepsOf(rows: readonly BenchRow[]): Sweep[] {
  const families = groupBy(rows, familyOf);
  const sweeps: Sweep[] = [];
  for (const family of families.values()) {
    if (family.length < 3) continue;
    const names = Object.keys(family[0]!.options).filter(
      (name) => new Set(family.map(({ options }) => JSON.stringify(options[name]))).size > 1,
    );
    const [option] = names;
    if (names.length !== 1 || !family.every(({ options }) => typeof options[option!] === "number")) continue;
    const points = family
      .map((row) => ({ value: row.options[option!] as number, row }))
      .sort((a, b) => a.value - b.value);
    sweeps.push({ method: family[0]!.method, option: option!, points });
  }
  return sweeps;
}

/** The method, and whatever its label says beside numbers: rows of another reward are another sweep. */
function familyOf({ label }: BenchRow): string {
  return label.replaceAll(/=-?\d[\d.e+-]*/gi, "=#");
}

export function sweepFigure({ option, points }: Sweep, mark: Mark, width: number): string {
  // Room above 100 % for the upper curve's name.
  const frame = { ...frameOf(width), top: 28 };
  const { left, right, top, bottom } = frame;
  const values = points.map(({ value }) => value);
  // Counts are swept by doubling; shares are not.
  const isWide = values.every(Number.isInteger) && values[0]! > 0 && values.at(-1)! / values[0]! >= 8;
  const x = isWide
    ? logScale(padded(values, { log: true }), [left, right], String, values)
    : linearScale(padded(values), [left, right], (value) => String(Number(value.toPrecision(6))));
  const y = linearScale([0, 1], [bottom, top], (value) => `${Math.round(value * 100)} %`);
  const kept = points.filter(({ row }) => row.acceptance !== null);
  const drawn = [
    path(
      points.map(({ value, row }) => [x.at(value), y.at(row.accuracy)]),
      `curve s${mark.colour}`,
    ),
    path(
      kept.map(({ value, row }) => [x.at(value), y.at(row.acceptance!)]),
      "curve dashed",
    ),
    ...points.map(({ value, row }) => accuracyPoint(value, row, x, y, mark)),
    ...kept.map(({ value, row }) =>
      element(
        "circle",
        { cx: x.at(value), cy: y.at(row.acceptance!), r: 4, class: "hollow" },
        title(`${option} ${value}: ${percent(row.acceptance!)} of draft steps kept`),
      ),
    ),
  ];
  const last = points.at(-1)!;
  const { accuracy, acceptance } = last.row;
  const end = x.at(last.value);
  const isUpper = acceptance === null || accuracy >= acceptance;
  const names = [endLabel(end, y.at(accuracy), "right", isUpper, frame)];
  if (acceptance !== null) names.push(endLabel(end, y.at(acceptance), "draft steps kept", !isUpper, frame));
  return plot(
    frame,
    { x, y, xTitle: option, yTitle: "share" },
    `Accuracy and acceptance by ${option}`,
    drawn.join("") + names.join(""),
  );
}

function accuracyPoint(value: number, row: BenchRow, x: Scale, y: Scale, mark: Mark): string {
  const [low, high] = row.ci95;
  const words = title(`${row.label}: ${percent(row.accuracy)} right (${percent(low)} to ${percent(high)})`);
  const whisker = line(x.at(value), y.at(low), x.at(value), y.at(high), "whisker");
  return element("g", {}, words + whisker + drawMark(mark, x.at(value), y.at(row.accuracy)));
}

/** Above the upper curve, below the lower one: they may end at the same place. */
function endLabel(x: number, y: number, words: string, isAbove: boolean, frame: Frame): string {
  return text(Math.min(x, frame.right - 2), isAbove ? y - 12 : y + 20, words, {
    class: "label",
    "text-anchor": "end",
  });
}
