/** A bench folder, read and not written: what the analyses start from. */
import { join } from "node:path";
import { StepwrightError } from "../core/errors.js";
import { groupBy } from "../core/group-by.js";
import { type BenchFile, readBenchFile } from "./configuration.js";
import type { BenchResult } from "./result.js";
import { readResults } from "./result-file.js";

export interface BenchFolder {
  readonly path: string;
  readonly file: BenchFile;
  readonly results: readonly BenchResult[];
  /** By label, the results of each question in the order of their seeds. Baselines' samples have labels too. */
  readonly byLabel: ReadonlyMap<string, readonly (readonly BenchResult[])[]>;
}

/** Throws `bench-invalid` where the folder holds no bench. */
export async function readBenchFolder(path: string): Promise<BenchFolder> {
  const file = await readBenchFile(join(path, "bench.json"));
  if (!file) {
    throw new StepwrightError("bench-invalid", `${path} holds no bench`, {
      subject: path,
      remedy: "name a folder that stepwright bench has written",
    });
  }
  const all = await readResults(join(path, "results.jsonl"));
  const byLabel = new Map(
    [...groupBy(all, ({ method }) => method)].map(([label, own]) => [
      label,
      [...groupBy(own, ({ question }) => question).values()].map((samples) =>
        samples.toSorted((a, b) => a.seed - b.seed),
      ),
    ]),
  );
  return { path, file, results: all, byLabel };
}
