/** The smaller tables of a bench as rows of text, for Markdown, terminal and report alike. */
import type { EqualCompute } from "./equal-compute.js";
import { metric, percent, points, ratio } from "./figures-text.js";
import type { BenchRow } from "./row.js";
import type { BenchSummary } from "./summary.js";

export interface TextTable {
  readonly caption: string;
  /** The first column is words, the others are figures. */
  readonly titles: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Undefined where the bench ran no baselines. */
export function equalComputeTable({ rows, baseline }: BenchSummary): TextTable | undefined {
  if (!baseline) return undefined;
  return {
    caption: `Plain decoding with the same FLOPs (up to ${baseline.samples} samples at temperature ${baseline.temperature})`,
    titles: ["method", "right", "baseline", "its FLOPs", "its right", "method less baseline", "p"],
    rows: rows.flatMap((row) =>
      row.equalCompute.map((compared) => [row.label, percent(row.accuracy), ...comparison(compared)]),
    ),
  };
}

function comparison(compared: EqualCompute): string[] {
  const { flopsRatio, accuracy, difference } = compared;
  if (accuracy === null || !difference) return [baselineName(compared), "", "not one sample", "", ""];
  const [low, high] = difference.ci95;
  return [
    baselineName(compared),
    ratio(flopsRatio),
    percent(accuracy),
    `${points(difference.difference)} [${points(low)}, ${points(high)}]`,
    difference.p.toPrecision(2),
  ];
}

/** "draft, majority of 7", with a plus where the method's FLOPs would have paid for more than were drawn. */
export function baselineName({ writer, kind, samples, isLimited }: EqualCompute): string {
  if (kind === "greedy") return `${writer}, greedy`;
  return `${writer}, majority of ${samples}${isLimited ? "+" : ""}`;
}

/** Undefined where nothing is known of bytes or rates. */
export function limitsTable({ rows }: BenchSummary): TextTable | undefined {
  const known = rows.filter(
    ({ bytesMoved, computeFraction }) => bytesMoved !== null || computeFraction !== null,
  );
  if (known.length === 0) return undefined;
  const share = (value: number | null) => (value === null ? "" : percent(value));
  return {
    caption: "How near to what the machine can do",
    titles: [
      "method",
      "bytes moved",
      "of read bandwidth",
      "of multiply rate",
      "seconds",
      "expected of the tokens",
    ],
    rows: known.map((row: BenchRow) => [
      row.label,
      row.bytesMoved === null ? "" : `${metric(row.bytesMoved)}B`,
      share(row.memoryFraction),
      share(row.computeFraction),
      row.seconds.toPrecision(3),
      row.expectedSeconds === null ? "" : row.expectedSeconds.toPrecision(3),
    ]),
  };
}
