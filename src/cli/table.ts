/** A table in columns: the first to the left, figures to the right. */
import { columnsOf, padEnd, padStart } from "./terminal-text.js";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

export function tableLines(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const lines = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => columnsOf(line[index] ?? ""))));
  return lines.map((line) =>
    columns
      .map(({ align }, index) => {
        const pad = align === "right" ? padStart : padEnd;
        return pad(line[index] ?? "", widths[index]!);
      })
      .join("  ")
      .trimEnd(),
  );
}
