/** Rows by cost and accuracy, with intervals and the front, drawn with the report's own scales and marks. */
import { marksOf } from "../../../src/bench/report/marks.js";
import { paretoFront } from "../../../src/bench/report/pareto-figure.js";
import { linearScale, logScale, padded } from "../../../src/bench/report/scale.js";
import type { BenchRowFacts } from "../api/types.js";
import { metric, percent } from "../words.js";

interface ParetoProps {
  readonly rows: readonly BenchRowFacts[];
  readonly cost: "flops" | "seconds";
  readonly hot: string | null;
  onHot(label: string | null): void;
}

const [width, height] = [960, 420];
const frame = { left: 52, right: width - 20, top: 30, bottom: height - 44 };

export function Pareto({ rows: all, cost, hot, onHot }: ParetoProps) {
  const of = (row: Pick<BenchRowFacts, "flops" | "seconds" | "runs">) => row[cost] / Math.max(1, row.runs);
  const rows = all.filter((row) => of(row) > 0);
  if (rows.length === 0) return <p class="soft">No row has this cost.</p>;
  const marks = marksOf(rows.map(({ method }) => method));
  const x = logScale(padded(rows.map(of), { log: true }), [frame.left, frame.right]);
  const [low, high] = padded(
    rows.flatMap(({ ci95 }) => [...ci95]),
    { share: 0.04 },
  );
  const y = linearScale(
    [Math.max(0, low), Math.min(1, high)],
    [frame.bottom, frame.top],
    (value) => `${Math.round(value * 100)} %`,
  );
  const front = paretoFront<BenchRowFacts>(rows, { of });
  const stairs = front.flatMap((row, index) => {
    const before = front[index - 1];
    const point = `${x.at(of(row))} ${y.at(row.accuracy)}`;
    return before ? [`${x.at(of(row))} ${y.at(before.accuracy)}`, point] : [point];
  });
  const labels = placed(
    (hot === null ? front : rows.filter(({ label }) => label === hot)).map((row) => ({
      words: clipped(row.label),
      x: x.at(of(row)),
      y: y.at(row.accuracy) - 10,
    })),
  );
  return (
    <svg
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={`Accuracy against ${cost} per question of ${rows.length} rows; the table below has the figures`}
    >
      {y.ticks.map((tick) => (
        <g key={tick.value}>
          <line class="grid" x1={frame.left} x2={frame.right} y1={y.at(tick.value)} y2={y.at(tick.value)} />
          <text class="tick" x={frame.left - 8} y={y.at(tick.value) + 4} text-anchor="end">
            {tick.label}
          </text>
        </g>
      ))}
      {x.ticks.map((tick) => (
        <text key={tick.value} class="tick" x={x.at(tick.value)} y={frame.bottom + 18} text-anchor="middle">
          {tick.label}
        </text>
      ))}
      <text class="axis-title" x={frame.right} y={height - 6} text-anchor="end">
        {cost === "flops" ? "FLOPs" : "seconds"} per question (log)
      </text>
      <path class="front" d={`M${[...stairs, `${frame.right} ${y.at(front.at(-1)!.accuracy)}`].join("L")}`} />
      {rows.map((row) => {
        const [px, py] = [x.at(of(row)), y.at(row.accuracy)];
        const { colour, shape } = marks.get(row.method)!;
        return (
          // biome-ignore lint/a11y/noStaticElementInteractions: the table has the same for the keyboard
          <g
            key={row.label}
            class={hot !== null && hot !== row.label ? "faded" : ""}
            onMouseEnter={() => onHot(row.label)}
            onMouseLeave={() => onHot(null)}
          >
            <title>{`${row.label}: ${percent(row.accuracy)}, ${metric(of(row))} ${cost === "flops" ? "FLOPs" : "seconds"} per question`}</title>
            <line class="whisker" x1={px} x2={px} y1={y.at(row.ci95[0])} y2={y.at(row.ci95[1])} />
            <path class={`mark c${colour}`} d={shapes[shape]} transform={`translate(${px} ${py})`} />
          </g>
        );
      })}
      {labels.map(({ words, x: at, y: height, end }) => (
        <text key={words} class="label" x={at} y={height} text-anchor={end ? "end" : "start"}>
          {words}
        </text>
      ))}
    </svg>
  );
}

interface Label {
  readonly words: string;
  readonly x: number;
  readonly y: number;
}

/** About the width of a character. */
const characterWidth = 6.4;

/** Labels that cover no other one, the last ones first: the best rows are named in any case. */
function placed(labels: readonly Label[]): (Label & { readonly end: boolean })[] {
  const kept: (Label & { readonly end: boolean; readonly from: number; readonly to: number })[] = [];
  for (const label of labels.toReversed()) {
    const wide = label.words.length * characterWidth;
    const end = label.x + wide > frame.right;
    const x = label.x + (end ? -8 : 8);
    const [from, to] = end ? [x - wide, x] : [x, x + wide];
    if (kept.some((other) => Math.abs(other.y - label.y) < 15 && from < other.to && to > other.from))
      continue;
    kept.push({ ...label, x, end, from, to });
  }
  return kept;
}

function clipped(words: string): string {
  return words.length > 40 ? `${words.slice(0, 39)}…` : words;
}

const shapes = {
  circle: "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0Z",
  square: "M-5.4-5.4h10.8v10.8h-10.8Z",
  triangle: "M0-7 6.4 5h-12.8Z",
  diamond: "M0-7.6 7.6 0 0 7.6-7.6 0Z",
  cross: "M-2-6.5h4v4.5h4.5v4H2v4.5h-4V2h-4.5v-4H-2Z",
} as const;
