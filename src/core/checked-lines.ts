/**
 * Records as lines `{"length":L,"checksum":"hex8","record":{...}}`: L counts the bytes of the record's JSON, the
 * checksum is their CRC-32. Unlike a trace's, the lines stand for themselves and may be in any order.
 */
import { crc32 } from "./crc32.js";
import { type ErrorCode, StepwrightError } from "./errors.js";

const head = /^\{"length":(\d{1,9}),"checksum":"([0-9a-f]{8})","record":/;
const newLine = 0x0a;

export function encodeRecord(record: unknown): Uint8Array {
  const json = JSON.stringify(record);
  const checksum = checksumOf(Buffer.from(json));
  return Buffer.from(`{"length":${Buffer.byteLength(json)},"checksum":"${checksum}","record":${json}}\n`);
}

export interface CheckedRecords {
  readonly records: readonly unknown[];
  /** Bytes up to the end of the last good line: where writing goes on. */
  readonly goodBytes: number;
  /** The first line of a torn end that was dropped; null if the file ends well. */
  readonly tornAt: number | null;
}

/** Throws `code` for a damaged line with good ones after it. */
export function decodeRecords(bytes: Uint8Array, path: string, code: ErrorCode): CheckedRecords {
  const records: unknown[] = [];
  let goodBytes = 0;
  let bad: number | null = null;
  let line = 0;
  for (let start = 0; start < bytes.length; ) {
    line++;
    const end = bytes.indexOf(newLine, start);
    const record = end < 0 ? undefined : decode(bytes.subarray(start, end));
    start = end < 0 ? bytes.length : end + 1;
    if (record === undefined) bad ??= line;
    else if (bad !== null) throw damaged(path, bad, code);
    else {
      records.push(record);
      goodBytes = start;
    }
  }
  return { records, goodBytes, tornAt: bad };
}

function decode(line: Uint8Array): unknown {
  const match = head.exec(Buffer.from(line.subarray(0, 80)).toString("latin1"));
  if (!match) return undefined;
  const json = line.subarray(match[0].length, line.length - 1);
  if (json.length !== Number(match[1]) || checksumOf(json) !== match[2]) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(json));
  } catch {
    return undefined;
  }
}

function checksumOf(bytes: Uint8Array): string {
  return crc32(bytes).toString(16).padStart(8, "0");
}

function damaged(path: string, line: number, code: ErrorCode): StepwrightError {
  return new StepwrightError(code, `line ${line} of ${path} is damaged`, {
    subject: path,
    remedy: "remove that line, and the same command makes it again; or choose another folder",
  });
}
