/** What each row's FLOPs went into, per question: draft, target and reward, reading and writing. */
import type { RoleSpending } from "../../core/ledger.js";
import { metric } from "../figures-text.js";
import type { BenchRow } from "../row.js";
import { linearScale } from "./scale.js";
import { element, figure, line, text, title } from "./svg.js";

const roles = ["draft", "target", "reward"] as const;

/** Null where no row spent anything. */
export function costFigure(rows: readonly BenchRow[], width: number): string | null {
  const costs = rows.map((row) => ({ row, parts: partsOf(row) }));
  const most = Math.max(...costs.map(({ parts }) => sum(parts.map(({ flops }) => flops))), 0);
  if (!(most > 0)) return null;
  const isNarrow = width < 500;
  const rowHeight = isNarrow ? 44 : 30;
  const left = isNarrow ? 12 : Math.min(260, 24 + 7 * Math.max(...rows.map(({ label }) => label.length)));
  const right = width - 70;
  const top = 34;
  const height = top + rows.length * rowHeight + 34;
  const x = linearScale([0, most], [left, right], (value) => metric(value).trim(), isNarrow ? 3 : 5);
  const grid = x.ticks.map(
    ({ value, label }) =>
      line(x.at(value), top, x.at(value), height - 30, "grid") +
      text(x.at(value), height - 12, label, { class: "tick", "text-anchor": "middle" }),
  );
  const bars = costs.map(({ row, parts }, index) => {
    const y = top + index * rowHeight + (isNarrow ? 18 : 4);
    const name = isNarrow
      ? text(left, y - 4, row.label, { class: "label" })
      : text(left - 8, y + 14, row.label, { class: "label", "text-anchor": "end" });
    let from = 0;
    const segments = parts.map(({ role, kind, flops }) => {
      const start = x.at(from);
      from += flops;
      const words = title(`${row.label}: ${role} ${kind}, ${metric(flops)}FLOPs per question`);
      const shape = {
        x: start,
        y,
        width: Math.max(0, x.at(from) - start),
        height: 20,
        class: `role ${role} ${kind}`,
      };
      return element("rect", shape, words);
    });
    return name + segments.join("") + text(x.at(from) + 6, y + 14, metric(from).trim(), { class: "tick" });
  });
  return figure(
    width,
    height,
    "FLOPs per question by role",
    [...grid, ...bars, legend(isNarrow ? 12 : left)].join(""),
  );
}

interface Part {
  readonly role: (typeof roles)[number];
  readonly kind: "written" | "read";
  readonly flops: number;
}

/** A role's FLOPs, shared between writing and reading by tokens. */
function partsOf({ tokens, runs }: BenchRow): Part[] {
  return roles.flatMap((role) => {
    const spent = tokens[role];
    if (!spent || runs === 0) return [];
    const written = writtenShare(spent);
    return [
      { role, kind: "written" as const, flops: (spent.flops * written) / runs },
      { role, kind: "read" as const, flops: (spent.flops * (1 - written)) / runs },
    ].filter(({ flops }) => flops > 0);
  });
}

function writtenShare({ decodeTokens, prefillTokens }: RoleSpending): number {
  const tokens = decodeTokens + prefillTokens;
  return tokens === 0 ? 0 : decodeTokens / tokens;
}

function legend(left: number): string {
  const entries = [
    ["draft written", "draft written"],
    ["target written", "target written"],
    ["reward", "reward read"],
    ["paler: read", "target read"],
  ] as const;
  return entries
    .map(([words, name], index) => {
      const x = left + index * (left < 20 ? 86 : 120);
      return (
        element("rect", { x, y: 8, width: 11, height: 11, class: `role ${name}` }) +
        text(x + 15, 18, left < 20 ? words.replace(" written", "") : words, { class: "tick" })
      );
    })
    .join("");
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
