/**
 * A trace as JSON Lines: `{"length":L,"checksum":"hex8","index":i,"record":{...}}`, where L counts the bytes of
 * the record's JSON and the checksum is their CRC-32. A line that was cut off, damaged, doubled or moved shows.
 */
import { crc32 } from "./crc32.js";
import { StepwrightError } from "./errors.js";
import { type TraceEvent, traceVersion } from "./trace-event.js";
import { parseTraceEvent } from "./trace-schema.js";

/** Longer lines are refused: a step of 100,000 tokens fits well. */
const longestLine = 16 * 2 ** 20;

const newLine = 0x0a;
const encoder = new TextEncoder();
const head = /^\{"length":(\d{1,9}),"checksum":"([0-9a-f]{8})","index":(\d{1,9}),"record":/;

export function encodeLine(event: TraceEvent, index: number): Uint8Array {
  const record = JSON.stringify(event);
  const bytes = encoder.encode(record);
  const checksum = crc32(bytes).toString(16).padStart(8, "0");
  return encoder.encode(
    `{"length":${bytes.length},"checksum":"${checksum}","index":${index},"record":${record}}\n`,
  );
}

export interface TraceContents {
  readonly events: readonly TraceEvent[];
  /** What was dropped, in words. */
  readonly notices: readonly string[];
  /** Bytes up to the end of the last good line: where a resumed run goes on writing. */
  readonly goodBytes: number;
}

type Line = { readonly index: number; readonly checksum: string; readonly record: unknown };

/**
 * Reads a trace piece by piece. A torn tail and doubled lines are dropped with a notice; a damaged, missing or
 * moved line with good ones after it is refused (`trace-invalid`), and so is a trace of a newer version.
 */
export class TraceReader {
  readonly #events: TraceEvent[] = [];
  readonly #checksums: string[] = [];
  readonly #notices: string[] = [];
  #goodBytes = 0;
  #bytes = 0;
  #lines = 0;
  #rest: Uint8Array = new Uint8Array();
  /** The first bad line, while no good one has followed. */
  #bad: { readonly line: number; readonly problem: string } | undefined;

  /** The events that were read so far. */
  get events(): readonly TraceEvent[] {
    return this.#events;
  }

  push(chunk: Uint8Array): void {
    let bytes = joined(this.#rest, chunk);
    for (let end = bytes.indexOf(newLine); end >= 0; end = bytes.indexOf(newLine)) {
      this.#line(bytes.subarray(0, end));
      bytes = bytes.subarray(end + 1);
    }
    if (bytes.length > longestLine) throw invalid(`line ${this.#lines + 1} is longer than any record`);
    this.#rest = Uint8Array.from(bytes);
  }

  end(): TraceContents {
    const torn = this.#rest.length > 0 ? this.#lines + 1 : this.#bad?.line;
    if (this.#bad || torn) {
      const line = this.#bad?.line ?? torn;
      this.#notices.push(`dropped the torn end of the trace, from line ${line} on`);
    }
    if (this.#events[0]?.type !== "run-started") {
      throw invalid("this is not a trace of a run: its first record is missing", "start the run anew");
    }
    return { events: this.#events, notices: this.#notices, goodBytes: this.#goodBytes };
  }

  #line(bytes: Uint8Array): void {
    const number = ++this.#lines;
    this.#bytes += bytes.length + 1;
    if (bytes.length > longestLine) throw invalid(`line ${number} is longer than any record`);
    const line = parseLine(bytes);
    if (typeof line === "string") {
      this.#bad ??= { line: number, problem: line };
      return;
    }
    if (this.#bad) throw invalid(`line ${this.#bad.line} ${this.#bad.problem}, with good lines after it`);
    if (line.index < this.#events.length && line.checksum === this.#checksums[line.index]) {
      this.#notices.push(`dropped line ${number}, which doubles record ${line.index}`);
    } else this.#accept(line, number);
    this.#goodBytes = this.#bytes;
  }

  #accept({ index, checksum, record }: Line, number: number): void {
    const expected = this.#events.length;
    if (index !== expected) {
      throw invalid(`line ${number} holds record ${index} where record ${expected} belongs`);
    }
    if (index === 0) checkVersion(record);
    const parsed = parseTraceEvent(record);
    if ("problem" in parsed) throw invalid(`line ${number} holds no event of a run (${parsed.problem})`);
    this.#events.push(parsed.event);
    this.#checksums.push(checksum);
  }
}

export function parseTrace(bytes: Uint8Array): TraceContents {
  const reader = new TraceReader();
  reader.push(bytes);
  return reader.end();
}

/** No Node in here: the studio reads traces in a browser. */
function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

/** The line's parts, or what is wrong with it. The checksum is of the bytes as they are, before they are parsed. */
function parseLine(bytes: Uint8Array): Line | string {
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, 96));
  const match = head.exec(start);
  if (!match) return "does not begin as a record";
  const [prefix, length, checksum, index] = match as unknown as [string, string, string, string];
  const record = bytes.subarray(prefix.length, bytes.length - 1);
  if (record.length !== Number(length) || bytes.at(-1) !== 0x7d) return "is not as long as it says";
  if (crc32(record).toString(16).padStart(8, "0") !== checksum) return "does not match its checksum";
  try {
    return { index: Number(index), checksum, record: JSON.parse(new TextDecoder().decode(record)) };
  } catch {
    return "is not JSON";
  }
}

function checkVersion(record: unknown): void {
  const { version } = Object(record) as { version?: unknown };
  if (typeof version !== "number" || version <= traceVersion) return;
  throw invalid(
    `the trace has version ${version}, this program reads up to ${traceVersion}`,
    "read it with the newer version of stepwright that wrote it",
  );
}

function invalid(message: string, remedy?: string): StepwrightError {
  return new StepwrightError("trace-invalid", message, {
    subject: "trace",
    remedy: remedy ?? "restore the file from a copy, or start the run anew",
  });
}
