/** Reads the rows of a data file one by one, whatever its lines hold; what cannot be used is reported by line. */
import { open } from "node:fs/promises";
import { StepwrightError } from "../core/errors.js";
import type { Row } from "./task.js";

/** The longest question anyone asks is a thousandth of it. */
const longestLine = 2 ** 20;

const newLine = 0x0a;

export interface RowProblem {
  /** Counted from 1, as editors do. */
  readonly line: number;
  readonly problem: string;
}

export interface NumberedRow {
  readonly line: number;
  readonly row: Row;
}

/** JSON Lines: any line ends, with or without a byte order mark. Blank lines are passed over. */
export async function* readJsonLines(path: string): AsyncGenerator<NumberedRow | RowProblem> {
  for await (const { line, bytes } of linesOf(path)) {
    if (bytes === null) {
      yield { line, problem: `is longer than ${longestLine} bytes` };
      continue;
    }
    const text = new TextDecoder().decode(bytes).trim();
    if (text !== "") yield rowOf(text, line);
  }
}

/** The lines of a file; null stands for one that is too long, which is never held in memory. */
async function* linesOf(path: string): AsyncGenerator<{ line: number; bytes: Uint8Array | null }> {
  let line = 1;
  let pieces: Uint8Array[] = [];
  let length = 0;
  const take = () => {
    const whole = { line: line++, bytes: length > longestLine ? null : Buffer.concat(pieces) };
    pieces = [];
    length = 0;
    return whole;
  };
  for await (const chunk of chunksOf(path)) {
    let rest = chunk;
    for (let end = rest.indexOf(newLine); end >= 0; end = rest.indexOf(newLine)) {
      pieces.push(rest.subarray(0, end));
      length += end;
      yield take();
      rest = rest.subarray(end + 1);
    }
    length += rest.length;
    if (length > longestLine) pieces = [];
    else pieces.push(rest);
  }
  if (length > 0) yield take();
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    const file = await open(path, "r");
    try {
      if (!(await file.stat()).isFile()) throw new Error("it is not a file");
      for (;;) {
        const chunk = new Uint8Array(1 << 16);
        const { bytesRead } = await file.read(chunk, 0, chunk.length);
        if (bytesRead === 0) return;
        yield chunk.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    const message = missing ? "there is no such file" : `it cannot be read: ${(cause as Error).message}`;
    throw new StepwrightError("task-not-found", `task ${path}: ${message}`, {
      subject: path,
      remedy: "check the path given to --task",
      cause,
    });
  }
}

function rowOf(text: string, line: number): NumberedRow | RowProblem {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { line, problem: "is not JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { line, problem: "holds no JSON object" };
  }
  return { line, row: value as Row };
}
