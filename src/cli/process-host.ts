/** The host of a real process. */
import { homedir } from "node:os";
import type { Host, Output, StopSignal } from "./host.js";
import { linesOf } from "./input-lines.js";

/** More input than this is not a question. */
const inputLimit = 4 * 1024 * 1024;

const stopSignals: readonly StopSignal[] = ["SIGINT", "SIGTERM"];

export function processHost(): Host {
  const out = outputOf(process.stdout);
  return {
    out,
    talk: outputOf(process.stderr),
    environment: process.env,
    workingFolder: process.cwd(),
    homeFolder: homedir(),
    inputIsTerminal: process.stdin.isTTY === true,
    readInput: readStandardInput,
    inputLines: (signal) => linesOf(process.stdin, signal),
    onStopSignal(listener) {
      for (const signal of stopSignals) process.on(signal, listener);
      return () => {
        for (const signal of stopSignals) process.off(signal, listener);
      };
    },
    onOutputClosed(listener) {
      out.closed.then(listener);
    },
    exit: (code) => process.exit(code),
  };
}

/** After a failed write nothing more is written: nobody reads, or there is no room. */
function outputOf(stream: NodeJS.WriteStream): Output & { readonly closed: Promise<Error | null> } {
  let open = true;
  const closed = new Promise<Error | null>((resolve) => {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      open = false;
      resolve(error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED" ? null : error);
    });
  });
  return {
    closed,
    write(text) {
      if (open) stream.write(text);
    },
    get isTerminal() {
      return stream.isTTY === true;
    },
    get columns() {
      return stream.columns || 80;
    },
    get rows() {
      return stream.rows || 24;
    },
  };
}

async function readStandardInput(signal: AbortSignal): Promise<string> {
  const stop = () => process.stdin.destroy();
  signal.addEventListener("abort", stop, { once: true });
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > inputLimit) break;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
  return Buffer.concat(chunks).toString("utf8");
}
