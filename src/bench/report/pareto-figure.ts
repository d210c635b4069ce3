/** Accuracy against what it cost: error bars, log axis, and the front that no row beats. */
import { percent } from "../figures-text.js";
import type { BenchRow } from "../row.js";
import { drawMark, type Mark } from "./marks.js";
import { frameOf, path, placeLabels, plot } from "./plot.js";
import { linearScale, logScale, padded } from "./scale.js";
import { element, line, title } from "./svg.js";

export interface Cost {
  readonly words: string;
  /** Per question and run. */
  of(row: BenchRow): number;
}

/** What plain decoding reaches with more and more samples. */
export interface Reference {
  readonly words: string;
  readonly points: readonly { readonly cost: number; readonly accuracy: number }[];
}

/** Rows that are right more often than every row that costs no more, from the cheapest on. */
export function paretoFront<Row extends Pick<BenchRow, "accuracy">>(
  rows: readonly Row[],
  cost: { of(row: Row): number },
): Row[] {
  const front: Row[] = [];
  const sorted = rows.toSorted((a, b) => cost.of(a) - cost.of(b) || b.accuracy - a.accuracy);
  for (const row of sorted) if (row.accuracy > (front.at(-1)?.accuracy ?? -1)) front.push(row);
  return front;
}

/** Null where nothing has this cost. */
export function paretoFigure(
  all: readonly BenchRow[],
  cost: Cost,
  marks: ReadonlyMap<string, Mark>,
  width: number,
  references: readonly Reference[] = [],
): string | null {
  const rows = all.filter((row) => cost.of(row) > 0);
  if (rows.length === 0) return null;
  const frame = frameOf(width);
  const { left, right, top, bottom } = frame;
  const costs = [
    ...rows.map(cost.of),
    ...references.flatMap(({ points }) => points.map((point) => point.cost)),
  ];
  const x = logScale(padded(costs, { log: true }), [left, right]);
  const [low, high] = padded(
    [
      ...rows.flatMap(({ ci95 }) => [...ci95]),
      ...references.flatMap(({ points }) => points.map(({ accuracy }) => accuracy)),
    ],
    { share: 0.04 },
  );
  const y = linearScale(
    [Math.max(0, low), Math.min(1, high)],
    [bottom, top],
    (value) => `${Math.round(value * 100)} %`,
  );
  const at = (row: BenchRow) => [x.at(cost.of(row)), y.at(row.accuracy)] as const;
  const front = paretoFront(rows, cost);
  const stairs = front.flatMap((row, index): (readonly [number, number])[] => {
    const [px, py] = at(row);
    const before = front[index - 1];
    return before
      ? [
          [px, at(before)[1]],
          [px, py],
        ]
      : [[px, py]];
  });
  const points = rows.map((row) => {
    const [px, py] = at(row);
    const [from, to] = row.ci95;
    const words = `${row.label}: ${percent(row.accuracy)} right (${percent(from)} to ${percent(to)}), ${cost.of(row).toPrecision(3)} ${cost.words}`;
    const bar = line(px, y.at(from), px, y.at(to), "whisker");
    return element("g", {}, title(words) + bar + drawMark(marks.get(row.method)!, px, py));
  });
  const stairsPath = stairs.length > 0 ? path([...stairs, [right, stairs.at(-1)![1]]], "front") : "";
  // The front's rows are labelled first: theirs are the labels that must not be lost.
  const labelled = [...front, ...rows.filter((row) => !front.includes(row))];
  const curves = references.map(({ points, words }) =>
    element(
      "g",
      {},
      title(words) +
        path(
          points.map((point) => [x.at(point.cost), y.at(point.accuracy)]),
          "curve dashed",
        ),
    ),
  );
  const ends = references.map(({ points, words }) => {
    const { cost: end, accuracy } = points.at(-1)!;
    return { x: x.at(end), y: y.at(accuracy), words };
  });
  const labels = placeLabels(
    [...labelled.map((row) => ({ x: at(row)[0], y: at(row)[1], words: row.label })), ...ends],
    frame,
  );
  return plot(
    frame,
    { x, y, xTitle: `${cost.words} (log)`, yTitle: "right answers" },
    `Accuracy against ${cost.words}, ${rows.length} rows`,
    curves.join("") + stairsPath + points.join("") + labels,
  );
}
