/** Rows as a bench folder holds them, with their figures by name. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { StepwrightError } from "../core/errors.js";
import type { BenchFile } from "./configuration.js";

export interface StoredRow {
  readonly method: string;
  readonly label: string;
  /** Every name that `figure` knows. */
  readonly names: readonly string[];
  /** "accuracy", "option:threshold", "draft:parameters"; undefined where the row has no such number. */
  figure(name: string): number | undefined;
}

const rowSchema = z.looseObject({
  method: z.string(),
  label: z.string(),
  options: z.record(z.string(), z.unknown()),
});

/** Throws `bench-invalid`. */
export async function readRows(folder: string, { sizes = {} }: BenchFile): Promise<StoredRow[]> {
  const path = join(folder, "rows.json");
  try {
    const { rows } = z
      .looseObject({ rows: z.array(rowSchema) })
      .parse(JSON.parse(await readFile(path, "utf8")));
    return rows.map((row) => {
      const figures = new Map<string, number>();
      const take = (prefix: string, values: object) => {
        for (const [name, value] of Object.entries(values)) {
          if (typeof value === "number") figures.set(`${prefix}${name}`, value);
        }
      };
      take("", row);
      take("option:", row.options);
      for (const [role, size] of Object.entries(sizes)) take(`${role}:`, size);
      return {
        method: row.method,
        label: row.label,
        names: [...figures.keys()],
        figure: (name) => figures.get(name),
      };
    });
  } catch (cause) {
    throw new StepwrightError("bench-invalid", `${path} holds no rows`, {
      subject: path,
      remedy: "issue the bench's command again: it writes them anew",
      cause,
    });
  }
}
