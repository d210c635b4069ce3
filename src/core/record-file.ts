/** A file of checked records, each with a key of its own: on disk before the next is made, found again by its key. */
import { readFile } from "node:fs/promises";
import { decodeRecords, encodeRecord } from "./checked-lines.js";
import { type ErrorCode, StepwrightError } from "./errors.js";
import { type GrowingFile, type OpenGrowingFile, openGrowingFile } from "./growing-file.js";

export interface RecordFileOptions<Value> {
  /** The record as it was stored, checked; null for one that is none. */
  parse(stored: unknown): Value | null;
  key(record: Value): string;
  /** Of the errors about the file's contents. */
  readonly code: ErrorCode;
  readonly openFile?: OpenGrowingFile;
}

export class RecordFile<Value> implements AsyncDisposable {
  readonly path: string;
  readonly #options: RecordFileOptions<Value>;
  readonly #file: GrowingFile;
  readonly #records: Map<string, Value>;
  #writing: Promise<void> = Promise.resolve();
  #failure: StepwrightError | undefined;

  private constructor(
    path: string,
    options: RecordFileOptions<Value>,
    file: GrowingFile,
    records: Map<string, Value>,
  ) {
    this.path = path;
    this.#options = options;
    this.#file = file;
    this.#records = records;
  }

  /** Opens the file, or makes it; a torn end is cut off. Throws the options' code, or `storage-failed`. */
  static async open<Value>(path: string, options: RecordFileOptions<Value>): Promise<RecordFile<Value>> {
    try {
      const { records, goodBytes } = await readRecords(path, options);
      const file = await (options.openFile ?? openGrowingFile)(path, goodBytes);
      return new RecordFile(path, options, file, records);
    } catch (error) {
      throw StepwrightError.is(error) ? error : storageError("opened", path, error);
    }
  }

  get size(): number {
    return this.#records.size;
  }

  get(key: string): Value | undefined {
    return this.#records.get(key);
  }

  has(key: string): boolean {
    return this.#records.has(key);
  }

  /** In the order in which they were written. */
  values(): Value[] {
    return [...this.#records.values()];
  }

  /** Resolves when the record is on disk. Throws `storage-failed`. */
  append(record: Value): Promise<void> {
    const written = this.#writing.then(() => this.#write(record));
    this.#writing = written.catch(() => {});
    return written;
  }

  async #write(record: Value): Promise<void> {
    // After half a line nothing may follow: it would be lost with it.
    if (this.#failure) throw this.#failure;
    try {
      await this.#file.append(encodeRecord(record));
      await this.#file.sync();
    } catch (error) {
      this.#failure = storageError("written", this.path, error);
      throw this.#failure;
    }
    this.#records.set(this.#options.key(record), record);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    await this.#file.close();
  }
}

/** What the file holds, and where writing goes on (null where there is none). Throws the options' code. */
export async function readRecords<Value>(
  path: string,
  { parse, key, code }: RecordFileOptions<Value>,
): Promise<{ records: Map<string, Value>; goodBytes: number | null }> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  if (bytes === null) return { records: new Map(), goodBytes: null };
  const { records: stored, goodBytes } = decodeRecords(bytes, path, code);
  const records = new Map<string, Value>();
  for (const [index, one] of stored.entries()) {
    const record = parse(one);
    if (record === null) {
      throw new StepwrightError(code, `line ${index + 1} of ${path} holds no such record`, {
        subject: path,
        remedy: "it may be of another version of stepwright: choose another folder",
      });
    }
    // The first of two is the one that others were made from.
    if (!records.has(key(record))) records.set(key(record), record);
  }
  return { records, goodBytes };
}

function storageError(verb: string, path: string, cause: unknown): StepwrightError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StepwrightError("storage-failed", `${path} cannot be ${verb}: ${reason}`, {
    subject: path,
    remedy: "make room or choose another folder; what is finished is kept",
    cause,
  });
}
