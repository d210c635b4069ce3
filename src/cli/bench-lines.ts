/** The rows of a bench for a person at a terminal. */

import { chance, percent } from "../bench/figures-text.js";
import type { BenchRow } from "../bench/row.js";
import { equalComputeTable, limitsTable, speculationTable, type TextTable } from "../bench/side-tables.js";
import type { BenchSummary } from "../bench/summary.js";
import { notesOf } from "../bench/tables.js";
import { count, metric, seconds } from "./numbers.js";
import type { Style } from "./style.js";
import { tableLines } from "./table.js";
import { harmless } from "./terminal-text.js";

const titles = ["method", "right", "95 %", "p", "FLOPs", "of target", "time", "of target", "draft", "target"];

export function benchLines(summary: BenchSummary, style: Style): string[] {
  const { task, n, planned, rows } = summary;
  const asked = n === planned ? `${count(n)} questions` : `${count(n)} of ${count(planned)} questions`;
  const columns = [...titles, "kept"].map(
    (title, index) => ({ title, align: index === 0 ? "left" : "right" }) as const,
  );
  const [title, ...lines] = tableLines(columns, rows.map(cells));
  return [
    style.bold(harmless(`${task}: ${asked}`)),
    style.dim(title!),
    ...lines,
    ...sideLines(equalComputeTable(summary), style),
    ...sideLines(speculationTable(summary), style),
    ...(rows.some(({ computeFraction }) => computeFraction !== null)
      ? sideLines(limitsTable(summary), style)
      : []),
    ...notesOf(summary).map((note) => style.dim(harmless(note))),
  ];
}

function sideLines(table: TextTable | undefined, style: Style): string[] {
  if (!table) return [];
  const columns = table.titles.map(
    (title, index) => ({ title, align: index === 0 ? "left" : "right" }) as const,
  );
  const [title, ...lines] = tableLines(
    columns,
    table.rows.map((row) => row.map(harmless)),
  );
  return ["", style.bold(table.caption), style.dim(title!), ...lines, ""];
}

function cells(row: BenchRow): string[] {
  const times = (factor: number | null) => (factor === null ? "" : factor.toPrecision(2));
  return [
    harmless(row.label),
    percent(row.accuracy),
    `${(row.ci95[0] * 100).toFixed(0)} to ${(row.ci95[1] * 100).toFixed(0)}`,
    row.versusTarget ? chance(row.versusTarget.p) : "",
    metric(row.flops),
    times(row.flopsVsTarget),
    seconds(row.seconds),
    times(row.secondsVsTarget),
    count(row.draftTokens),
    count(row.targetTokens),
    row.acceptance === null ? "" : percent(row.acceptance),
  ];
}
