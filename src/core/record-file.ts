/** A file of checked records, each with a key of its own: on disk before the next is made, found again by its key. */
import { readFile } from "node:fs/promises";
import { decodeRecords, encodeRecord } from "./checked-lines.js";
import { type ErrorCode, StepwrightError } from "./errors.js";
import { type GrowingFile, type OpenGrowingFile, openGrowingFile } from "./growing-file.js";

export interface RecordFileOptions<Value> {
  /** The record as it was stored, checked; null for one that is none. */
  parse(stored: unknown): Value | null;
  key(record: Value): string;
  /** What the file holds, in the words of notices and errors: "result". */
  readonly what: string;
  /** Of the errors about the file's contents. */
  readonly code: ErrorCode;
  /** True for a record that a later one of its key replaces without a notice; else the first of two counts. */
  isReplaceable?(record: Value): boolean;
  /** True for a record that counts as missing from now on; its line stays. */
  isForgotten?(record: Value): boolean;
  readonly openFile?: OpenGrowingFile;
}

export class RecordFile<Value> implements AsyncDisposable {
  readonly path: string;
  /** What was dropped or passed over when the file was opened, in words. */
  readonly notices: readonly string[];
  readonly #options: RecordFileOptions<Value>;
  readonly #file: GrowingFile;
  readonly #records: Map<string, Value>;
  #writing: Promise<void> = Promise.resolve();
  #failure: StepwrightError | undefined;

  private constructor(
    path: string,
    options: RecordFileOptions<Value>,
    file: GrowingFile,
    { records, notices }: Pick<StoredRecords<Value>, "records" | "notices">,
  ) {
    this.path = path;
    this.notices = notices;
    this.#options = options;
    this.#file = file;
    this.#records = records;
  }

  /** Opens the file, or makes it; a torn end is cut off. Throws the options' code, or `storage-failed`. */
  static async open<Value>(path: string, options: RecordFileOptions<Value>): Promise<RecordFile<Value>> {
    try {
      const stored = await readRecords(path, options);
      const file = await (options.openFile ?? openGrowingFile)(path, stored.goodBytes);
      return new RecordFile(path, options, file, stored);
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

export interface StoredRecords<Value> {
  readonly records: Map<string, Value>;
  readonly notices: readonly string[];
  /** Where writing goes on; null where there is no file. */
  readonly goodBytes: number | null;
}

/** What the file holds; nothing is written. Throws the options' code. */
export async function readRecords<Value>(
  path: string,
  { parse, key, what, code, isReplaceable, isForgotten }: RecordFileOptions<Value>,
): Promise<StoredRecords<Value>> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  const { records: stored, goodBytes, tornAt } = decodeRecords(bytes ?? new Uint8Array(), path, code);
  const notices = tornAt === null ? [] : [`dropped the torn end of ${path}, from line ${tornAt} on`];
  const records = new Map<string, Value>();
  for (const [index, one] of stored.entries()) {
    const record = parse(one);
    if (record === null) {
      throw new StepwrightError(code, `line ${index + 1} of ${path} holds no ${what}`, {
        subject: path,
        remedy: "it may be of another version of stepwright: choose another folder",
      });
    }
    const earlier = records.get(key(record));
    // The first of two is the one that others were made from.
    if (earlier === undefined || isReplaceable?.(earlier)) records.set(key(record), record);
    else notices.push(`passed over line ${index + 1} of ${path}, which repeats a ${what}`);
  }
  for (const [name, record] of records) if (isForgotten?.(record)) records.delete(name);
  return { records, notices, goodBytes: bytes && goodBytes };
}

function storageError(verb: string, path: string, cause: unknown): StepwrightError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StepwrightError("storage-failed", `${path} cannot be ${verb}: ${reason}`, {
    subject: path,
    remedy: "make room or choose another folder; what is finished is kept",
    cause,
  });
}
