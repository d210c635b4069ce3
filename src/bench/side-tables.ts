/** The smaller tables of a bench as rows of text, for Markdown, terminal and report alike. */
import type { EqualCompute } from "./equal-compute.js";
import { metric, percent, points, ratio } from "./figures-text.js";
import type { Prediction } from "./prediction.js";
import type { BenchRow } from "./row.js";
import type { BenchSummary } from "./summary.js";

export interface TextTable {
  readonly caption: string;
  /** The first column is words, the others are figures. */
  readonly titles: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A column for each baseline; undefined where the bench ran none. */
export function equalComputeTable({ rows, baseline }: BenchSummary): TextTable | undefined {
  if (!baseline) return undefined;
  // No row is compared with itself, so that none shows all of them in order.
  const names = [...new Set(rows.flatMap(({ equalCompute }) => equalCompute.map(baselineName)))].sort();
  return {
    caption: `Plain decoding with the same FLOPs (up to ${baseline.samples} samples at temperature ${baseline.temperature})`,
    titles: ["method", "right", ...names],
    rows: rows.map((row) => [
      row.label,
      percent(row.accuracy),
      ...names.map((name) => {
        const compared = row.equalCompute.find((candidate) => baselineName(candidate) === name);
        return compared ? comparison(compared) : "";
      }),
    ]),
  };
}

function baselineName({ writer, kind }: EqualCompute): string {
  return `${writer}, ${kind}`;
}

/** "62.5 % of 7: +3.1 [−2.0, +8.3]": the baseline, the samples it voted over, and the method less the baseline. */
function comparison({ kind, samples, isLimited, flopsRatio, accuracy, difference }: EqualCompute): string {
  if (accuracy === null || !difference) return "not one sample";
  const size = kind === "greedy" ? `at ${ratio(flopsRatio)}` : `of ${samples}${isLimited ? "+" : ""}`;
  const [low, high] = difference.ci95.map(points);
  return `${percent(accuracy)} ${size}: ${points(difference.difference)} [${low}, ${high}]`;
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

/** What token-level speculation did; undefined where nothing was drafted. */
export function speculationTable({ rows }: BenchSummary): TextTable | undefined {
  const drafted = rows.flatMap(({ label, tokens }) =>
    (["draft", "target"] as const).flatMap((role) => {
      const { speculation, decodeTokens = 0 } = tokens[role] ?? {};
      return speculation ? [{ label, role, decodeTokens, ...speculation }] : [];
    }),
  );
  if (drafted.length === 0) return undefined;
  return {
    caption: "Tokens drafted before they were written",
    titles: ["method", "for the", "blocks", "drafted", "accepted", "tokens per pass"],
    rows: drafted.map(({ label, role, blocks, drafted, accepted, decodeTokens }) => [
      ...[label, role, String(blocks), String(drafted)],
      drafted === 0 ? "" : percent(accepted / drafted),
      // Each written token that was no draft took a pass.
      (decodeTokens / Math.max(1, decodeTokens - accepted)).toFixed(2),
    ]),
  };
}

/** Undefined where nothing was foretold. */
export function predictionTable(
  { rows }: BenchSummary,
  prediction: Prediction | undefined,
): TextTable | undefined {
  if (!prediction) return undefined;
  const pair = (foretold: number | null, happened: number, text: (value: number) => string) =>
    foretold === null
      ? ["", text(happened), ""]
      : [text(foretold), text(happened), ratio(foretold / happened)];
  return {
    caption: "Foretold from a pilot, and what happened, per question",
    titles: ["method", "FLOPs foretold", "happened", "", "seconds foretold", "happened", ""],
    rows: rows.flatMap((row) => {
      const foretold = prediction.rows.find(({ label }) => label === row.label);
      if (!foretold || row.runs === 0) return [];
      return [
        [
          row.label,
          ...pair(foretold.flops, row.flops / row.runs, metric),
          ...pair(foretold.seconds, row.seconds / row.runs, (value) => value.toPrecision(3)),
        ],
      ];
    }),
  };
}
