/** Data files that are read as a whole: one JSON array, comma-separated values, or Parquet. */
import { readFile, stat } from "node:fs/promises";
import { StepwrightError } from "../core/errors.js";
import { parquetRows } from "./parquet.js";
import type { NumberedRow, RowProblem } from "./rows.js";
import type { Row } from "./task.js";

/** Test sets have a few megabytes at most. */
const largestFile = 256 * 2 ** 20;

export async function readJsonArray(path: string): Promise<(NumberedRow | RowProblem)[]> {
  let rows: unknown;
  try {
    rows = JSON.parse(await textOf(path));
  } catch (cause) {
    throw StepwrightError.is(cause) ? cause : invalid(path, "is not JSON", cause);
  }
  if (!Array.isArray(rows)) throw invalid(path, "holds no JSON array");
  return rows.map((row: unknown, index) =>
    typeof row === "object" && row !== null && !Array.isArray(row)
      ? { line: index + 1, row: row as Row }
      : { line: index + 1, problem: "holds no JSON object" },
  );
}

/** The first line names the fields. A field in quotation marks may hold commas, line breaks and doubled marks. */
export async function readCommaSeparated(path: string): Promise<(NumberedRow | RowProblem)[]> {
  const [names, ...records] = [...recordsOf(await textOf(path))];
  return records.map(({ line, fields }) =>
    fields.length === names!.fields.length
      ? { line, row: Object.fromEntries(fields.map((field, index) => [names!.fields[index], field])) }
      : { line, problem: `has ${fields.length} fields where ${names!.fields.length} belong` },
  );
}

function* recordsOf(text: string): Generator<{ line: number; fields: string[] }> {
  let at = 0;
  let line = 1;
  while (at < text.length) {
    const start = line;
    const fields: string[] = [];
    for (let more = true; more; ) {
      let field = "";
      if (text[at] === '"') {
        for (at++; at < text.length; at++) {
          if (text[at] === '"' && text[++at] !== '"') break;
          if (text[at] === "\n") line++;
          field += text[at];
        }
      }
      const end = endOfField(text, at);
      fields.push(field + text.slice(at, end));
      more = text[end] === ",";
      at = end + 1;
      if (text[end] === "\r" && text[at] === "\n") at++;
    }
    line++;
    if (fields.length > 1 || fields[0] !== "") yield { line: start, fields };
  }
}

function endOfField(text: string, at: number): number {
  let end = at;
  while (end < text.length && text[end] !== "," && text[end] !== "\n" && text[end] !== "\r") end++;
  return end;
}

export async function readParquet(path: string): Promise<NumberedRow[]> {
  const file = await bytesOf(path);
  try {
    return parquetRows(file);
  } catch (cause) {
    throw invalid(path, `cannot be read: ${(cause as Error).message}`, cause);
  }
}

async function textOf(path: string): Promise<string> {
  return new TextDecoder().decode(await bytesOf(path));
}

async function bytesOf(path: string): Promise<Uint8Array> {
  try {
    if ((await stat(path)).size > largestFile) throw invalid(path, `is larger than ${largestFile} bytes`);
    return await readFile(path);
  } catch (cause) {
    throw StepwrightError.is(cause) ? cause : invalid(path, "cannot be read", cause);
  }
}

function invalid(path: string, message: string, cause?: unknown): StepwrightError {
  return new StepwrightError("task-invalid", `${path} ${message}`, {
    subject: path,
    remedy: "bring it again: stepwright tasks pull NAME",
    cause,
  });
}
