/** `results.jsonl`: one line for every finished run, on disk before the next begins. */
import type { OpenGrowingFile } from "../core/growing-file.js";
import { RecordFile, type RecordFileOptions, readRecords } from "../core/record-file.js";
import { type BenchResult, parseResult, resultKey } from "./result.js";

export type ResultFile = RecordFile<BenchResult>;

export interface ResultFileOptions {
  /** Failed runs count as missing: their lines stay, and the results of new runs go before them. */
  readonly forgetFailed?: boolean;
  readonly openFile?: OpenGrowingFile;
}

/** Opens the file, or makes it; a torn end is cut off. Throws `bench-invalid` or `storage-failed`. */
export function openResults(path: string, options: ResultFileOptions = {}): Promise<ResultFile> {
  const { forgetFailed = false, openFile } = options;
  return RecordFile.open(path, {
    ...results,
    isForgotten: (result) => forgetFailed && hasFailed(result),
    ...(openFile && { openFile }),
  });
}

/** What the file holds; nothing is written. Throws `bench-invalid`. */
export async function readResults(path: string): Promise<BenchResult[]> {
  const { records } = await readRecords(path, results);
  return [...records.values()];
}

const hasFailed = ({ finish }: BenchResult) => finish === "failed";

const results: RecordFileOptions<BenchResult> = {
  parse: (stored) => parseResult(stored) ?? null,
  key: resultKey,
  what: "result",
  code: "bench-invalid",
  isReplaceable: hasFailed,
};
