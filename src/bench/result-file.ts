/** `results.jsonl`: one line for every finished run, on disk before the next begins. */
import { readFile } from "node:fs/promises";
import { decodeRecords, encodeRecord } from "../core/checked-lines.js";
import { StepwrightError } from "../core/errors.js";
import { type GrowingFile, type OpenGrowingFile, openGrowingFile } from "../core/growing-file.js";
import { type BenchResult, parseResult, resultKey } from "./result.js";

export interface ResultFileOptions {
  /** Failed runs count as missing. */
  readonly forgetFailed?: boolean;
  readonly openFile?: OpenGrowingFile;
}

export class ResultFile implements AsyncDisposable {
  readonly #path: string;
  readonly #file: GrowingFile;
  readonly #results: Map<string, BenchResult>;
  /** What was dropped when the file was opened, in words. */
  readonly notices: readonly string[];
  #writing: Promise<void> = Promise.resolve();
  #failure: StepwrightError | undefined;

  private constructor(
    path: string,
    file: GrowingFile,
    contents: { results: Map<string, BenchResult>; notices: string[] },
  ) {
    this.#path = path;
    this.#file = file;
    this.#results = contents.results;
    this.notices = contents.notices;
  }

  /**
   * Opens the file, or makes it; a torn end is cut off. With `forgetFailed`, failed runs count as missing: their
   * lines stay, and the results of new runs go before them. Throws `bench-invalid` or `storage-failed`.
   */
  static async open(path: string, options: ResultFileOptions = {}): Promise<ResultFile> {
    const { forgetFailed = false, openFile = openGrowingFile } = options;
    try {
      const contents = await readResults(path);
      if (forgetFailed) {
        for (const [key, { finish }] of contents.results)
          if (finish === "failed") contents.results.delete(key);
      }
      const file = await openFile(path, contents.goodBytes);
      return new ResultFile(path, file, contents);
    } catch (error) {
      throw StepwrightError.is(error) ? error : storageError("opened", path, error);
    }
  }

  get results(): readonly BenchResult[] {
    return [...this.#results.values()];
  }

  has(cell: Pick<BenchResult, "question" | "method" | "seed">): boolean {
    return this.#results.has(resultKey(cell));
  }

  /** Resolves when the line is on disk. Throws `storage-failed`. */
  append(result: BenchResult): Promise<void> {
    const written = this.#writing.then(() => this.#write(result));
    this.#writing = written.catch(() => {});
    return written;
  }

  async #write(result: BenchResult): Promise<void> {
    // After half a line nothing may follow: it would be lost with it.
    if (this.#failure) throw this.#failure;
    try {
      await this.#file.append(encodeRecord(result));
      await this.#file.sync();
    } catch (error) {
      this.#failure = storageError("written", this.#path, error);
      throw this.#failure;
    }
    this.#results.set(resultKey(result), result);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }
}

/** What the file holds; nothing is written. Throws `bench-invalid`. */
export async function readResults(path: string) {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  const { records, goodBytes, tornAt } = decodeRecords(bytes ?? new Uint8Array(), path, "bench-invalid");
  const notices = tornAt === null ? [] : [`dropped the torn end of ${path}, from line ${tornAt} on`];
  const results = new Map<string, BenchResult>();
  for (const [index, record] of records.entries()) {
    const result = parseResult(record);
    if (!result) {
      throw new StepwrightError("bench-invalid", `line ${index + 1} of ${path} holds no result`, {
        subject: path,
        remedy: "it may be of another version of stepwright: choose another --out",
      });
    }
    const key = resultKey(result);
    const earlier = results.get(key);
    if (earlier && earlier.finish !== "failed")
      notices.push(`passed over line ${index + 1} of ${path}, which repeats a result`);
    else results.set(key, result);
  }
  return { results, notices, goodBytes: bytes && goodBytes };
}

function storageError(verb: string, path: string, cause: unknown): StepwrightError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StepwrightError("storage-failed", `the results cannot be ${verb}: ${reason}`, {
    subject: path,
    remedy: "make room or choose another folder: --out DIR; what is finished is kept",
    cause,
  });
}
