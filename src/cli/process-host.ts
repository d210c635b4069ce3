/** The host of a real process. */
import { homedir } from "node:os";
import type { Host, Output, StopSignal } from "./host.js";

/** More input than this is not a question. */
const inputLimit = 4 * 1024 * 1024;

export function processHost(): Host {
  const closed = new Set<() => void>();
  let outputClosed = false;
  const onWriteError = (error: NodeJS.ErrnoException) => {
    // `| head` closes the pipe: nobody reads, so there is nothing left to say or to compute.
    if (error.code !== "EPIPE" && error.code !== "ERR_STREAM_DESTROYED") throw error;
    outputClosed = true;
    for (const listener of closed) listener();
  };
  process.stdout.on("error", onWriteError);
  process.stderr.on("error", onWriteError);

  const output = (stream: NodeJS.WriteStream): Output => ({
    write(text) {
      if (!outputClosed) stream.write(text);
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
  });

  return {
    out: output(process.stdout),
    talk: output(process.stderr),
    environment: process.env,
    workingFolder: process.cwd(),
    homeFolder: homedir(),
    inputIsTerminal: process.stdin.isTTY === true,
    readInput: readStandardInput,
    onStopSignal(listener) {
      const signals: StopSignal[] = ["SIGINT", "SIGTERM"];
      for (const signal of signals) process.on(signal, listener);
      return () => {
        for (const signal of signals) process.off(signal, listener);
      };
    },
    onOutputClosed(listener) {
      closed.add(listener);
      if (outputClosed) listener();
      return () => closed.delete(listener);
    },
    exit: (code) => process.exit(code),
  };
}

async function readStandardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > inputLimit) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}
