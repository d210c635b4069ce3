/** A stream of text, line by line. */

import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

/** Lines without their ends. The last may lack one; an empty one after the last end is none. */
export async function* linesOf(input: Readable, signal: AbortSignal): AsyncGenerator<string> {
  const stop = () => input.destroy();
  signal.addEventListener("abort", stop, { once: true });
  const decoder = new StringDecoder("utf8");
  // Pieces of one long line are joined once, when it ends.
  let pieces: string[] = [];
  try {
    for await (const chunk of input) {
      const parts = (typeof chunk === "string" ? chunk : decoder.write(chunk as Buffer)).split("\n");
      for (const part of parts.slice(0, -1)) {
        yield withoutReturn([...pieces, part].join(""));
        pieces = [];
      }
      pieces.push(parts.at(-1)!);
    }
    const last = pieces.join("") + decoder.end();
    if (last !== "") yield withoutReturn(last);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
