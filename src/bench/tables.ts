/** The rows as files for people and for spreadsheets. */
import { chance, percent, points, ratio } from "./figures-text.js";
import type { Prediction } from "./prediction.js";
import type { BenchRow } from "./row.js";
import {
  equalComputeTable,
  limitsTable,
  predictionTable,
  speculationTable,
  type TextTable,
} from "./side-tables.js";
import type { BenchSummary } from "./summary.js";

const titles = [
  "method",
  "accuracy",
  "95 % interval",
  "against target",
  "p",
  "FLOPs",
  "of target",
  "generated",
  "seconds",
  "of target",
  "draft tokens",
  "target tokens",
  "reward tokens",
  "kept",
  "reward",
  "oracle",
  "failed",
];

/** A table, then what a reader must know to judge it. */
export function markdownOf(summary: BenchSummary, prediction?: Prediction): string {
  const { task, n, planned, rows, seeds } = summary;
  const ofAll = n === planned ? "" : ` of ${planned}`;
  const lines = [
    `# ${cell(task)}: ${n}${ofAll} questions${seeds > 1 ? `, ${seeds} seeds` : ""}`,
    "",
    `| ${titles.join(" | ")} |`,
    `|${titles.map((_, index) => (index === 0 ? "---" : "---:")).join("|")}|`,
    ...rows.map((row) => `| ${markdownCells(row).map(cell).join(" | ")} |`),
    "",
    ...notesOf(summary).map((note) => `- ${note}`),
    "",
  ];
  const byPlace = rows.filter(({ acceptanceByPlace }) => acceptanceByPlace.length > 0);
  if (byPlace.length > 0) lines.push(...placeLines(byPlace), "");
  const sideTables = [
    ...[equalComputeTable(summary), speculationTable(summary), limitsTable(summary)],
    predictionTable(summary, prediction),
  ];
  for (const table of sideTables) {
    if (table) lines.push(...tableLines(table), "");
  }
  return lines.join("\n");
}

/** What is said beside the figures, on the terminal too. */
export function notesOf(summary: BenchSummary): string[] {
  const { n, isSmallSample, failed, concurrency, rows, baseline } = summary;
  const notes: string[] = [];
  if (isSmallSample) {
    notes.push(`Only ${n} questions: differences inside the intervals say nothing.`);
  }
  if (concurrency > 1) {
    notes.push(`${concurrency} questions were at work at a time: seconds are not those of a run alone.`);
  }
  if (failed > 0) notes.push(`${failed} runs failed and count as wrong; results.jsonl says why.`);
  if (rows.some(({ equalCompute }) => equalCompute.some(({ isLimited }) => isLimited))) {
    notes.push(
      `A "+": the method's FLOPs pay for more than the ${baseline?.samples} samples that were drawn, so that baseline is a lower bound.`,
    );
  }
  if (rows.some(({ computeFraction }) => computeFraction === null)) {
    notes.push(
      "Shares of the machine's limits are left out: stepwright calibrate was not run for these models here.",
    );
  }
  const strict = rows.filter((row) => row.strictAccuracy !== row.accuracy);
  if (strict.length > 0) {
    const shares = strict.map(({ label, strictAccuracy }) => `${label} ${percent(strictAccuracy)}`);
    notes.push(`Right by strict grading, where it differs: ${shares.join(", ")}.`);
  }
  return notes;
}

export function csvOf({ rows }: BenchSummary): string {
  const columns: readonly (readonly [title: string, value: (row: BenchRow) => string | number | null])[] = [
    ["label", ({ label }) => label],
    ["method", ({ method }) => method],
    ["options", ({ options }) => JSON.stringify(options)],
    ["runs", ({ runs }) => runs],
    ["failed", ({ failed }) => failed],
    ["accuracy", ({ accuracy }) => accuracy],
    ["ci95_low", ({ ci95 }) => ci95[0]],
    ["ci95_high", ({ ci95 }) => ci95[1]],
    ["strict_accuracy", ({ strictAccuracy }) => strictAccuracy],
    ["difference_to_target", ({ versusTarget }) => versusTarget?.difference ?? null],
    ["difference_low", ({ versusTarget }) => versusTarget?.ci95[0] ?? null],
    ["difference_high", ({ versusTarget }) => versusTarget?.ci95[1] ?? null],
    ["mcnemar_p", ({ versusTarget }) => versusTarget?.p ?? null],
    ["flops", ({ flops }) => flops],
    ["generated_flops", ({ generatedFlops }) => generatedFlops],
    ["flops_vs_target", ({ flopsVsTarget }) => flopsVsTarget],
    ["seconds", ({ seconds }) => seconds],
    ["seconds_vs_target", ({ secondsVsTarget }) => secondsVsTarget],
    ["draft_tokens", ({ draftTokens }) => draftTokens],
    ["target_tokens", ({ targetTokens }) => targetTokens],
    ["reward_tokens", ({ rewardTokens }) => rewardTokens],
    ["acceptance", ({ acceptance }) => acceptance],
    ["mean_reward", ({ meanReward }) => meanReward],
    ["oracle", ({ oracle }) => oracle],
    ["bytes_moved", ({ bytesMoved }) => bytesMoved],
    ["memory_fraction", ({ memoryFraction }) => memoryFraction],
    ["compute_fraction", ({ computeFraction }) => computeFraction],
    ["expected_seconds", ({ expectedSeconds }) => expectedSeconds],
  ];
  const lines = [
    columns.map(([title]) => title),
    ...rows.map((row) => columns.map(([, value]) => value(row))),
  ];
  return lines.map((line) => `${line.map(csvField).join(",")}\r\n`).join("");
}

function csvField(value: string | number | null): string {
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function markdownCells(row: BenchRow): string[] {
  const { versusTarget } = row;
  const difference = versusTarget
    ? `${points(versusTarget.difference)} [${points(versusTarget.ci95[0])}, ${points(versusTarget.ci95[1])}]`
    : "";
  return [
    row.label,
    percent(row.accuracy),
    `${percent(row.ci95[0])} to ${percent(row.ci95[1])}`,
    difference,
    versusTarget ? chance(versusTarget.p) : "",
    row.flops.toExponential(2),
    ratio(row.flopsVsTarget),
    row.generatedFlops.toExponential(2),
    row.seconds.toPrecision(3),
    ratio(row.secondsVsTarget),
    String(row.draftTokens),
    String(row.targetTokens),
    String(row.rewardTokens),
    row.acceptance === null ? "" : percent(row.acceptance),
    row.meanReward === null ? "" : row.meanReward.toFixed(2),
    row.oracle === null ? "" : percent(row.oracle),
    String(row.failed),
  ];
}

function tableLines({ caption, titles: columns, rows }: TextTable): string[] {
  return [
    `${caption}:`,
    "",
    `| ${columns.join(" | ")} |`,
    `|${columns.map((_, index) => (index === 0 ? "---" : "---:")).join("|")}|`,
    ...rows.map((row) => `| ${row.map(cell).join(" | ")} |`),
  ];
}

function placeLines(rows: readonly BenchRow[]): string[] {
  const places = Math.min(12, Math.max(...rows.map(({ acceptanceByPlace }) => acceptanceByPlace.length)));
  const numbers = Array.from({ length: places }, (_, place) => place);
  return [
    "Draft steps kept, by the step's place in the answer (kept / drafted):",
    "",
    `| method | ${numbers.map((place) => place + 1).join(" | ")} |`,
    `|---|${numbers.map(() => "---:").join("|")}|`,
    ...rows.map(({ label, acceptanceByPlace }) => {
      const cells = numbers.map((place) => {
        const found = acceptanceByPlace[place];
        return found ? `${found.accepted}/${found.drafted}` : "";
      });
      return `| ${cell(label)} | ${cells.join(" | ")} |`;
    }),
  ];
}

/** Nothing that stands in a name can end the cell or begin markup. */
function cell(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\\|<>`*_[\]]/g, (mark) => `\\${mark}`);
}
