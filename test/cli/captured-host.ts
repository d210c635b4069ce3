/** A host that keeps what is written, for running `main` inside a test. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { Host, Output, StopSignal } from "../../src/cli/host.js";
import { linesOf } from "../../src/cli/input-lines.js";
import { main } from "../../src/cli/main.js";

export interface Captured {
  readonly host: Host;
  out(): string;
  talk(): string;
  /** As if a person had pressed Ctrl-C. */
  stop(signal?: StopSignal): void;
  closeOutput(error?: Error | null): void;
  /** Codes that `exit` was called with. */
  readonly exits: readonly number[];
  /** Calls back at each write to standard output. */
  onWrite(listener: (text: string) => void): void;
}

export interface CaptureOptions {
  readonly environment?: Record<string, string>;
  readonly input?: string;
  readonly terminal?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

export function capture(options: CaptureOptions = {}): Captured {
  const texts = { out: "", talk: "" };
  const stops = new Set<(signal: StopSignal) => void>();
  const closes = new Set<(error: Error | null) => void>();
  const writes = new Set<(text: string) => void>();
  const exits: number[] = [];
  const folder = mkdtempSync(join(tmpdir(), "stepwright-cli-"));
  const output = (name: "out" | "talk"): Output => ({
    write(text) {
      texts[name] += text;
      if (name === "out") for (const listener of writes) listener(text);
    },
    isTerminal: options.terminal ?? false,
    columns: options.columns ?? 80,
    rows: options.rows ?? 24,
  });
  const listen = <Listener>(set: Set<Listener>, listener: Listener) => {
    set.add(listener);
    return () => void set.delete(listener);
  };
  return {
    host: {
      out: output("out"),
      talk: output("talk"),
      environment: { STEPWRIGHT_HOME: join(folder, "state"), ...options.environment },
      workingFolder: folder,
      homeFolder: folder,
      inputIsTerminal: options.input === undefined,
      readInput: async () => options.input ?? "",
      inputLines: (signal) => linesOf(Readable.from([options.input ?? ""]), signal),
      onStopSignal: (listener) => listen(stops, listener),
      onOutputClosed: (listener) => void closes.add(listener),
      exit: (code) => void exits.push(code),
    },
    out: () => texts.out,
    talk: () => texts.talk,
    stop: (signal = "SIGINT") => {
      for (const listener of stops) listener(signal);
    },
    closeOutput: (error = null) => {
      for (const listener of closes) listener(error);
    },
    exits,
    onWrite: (listener) => void writes.add(listener),
  };
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly talk: string;
  readonly captured: Captured;
}

export async function run(argv: readonly string[], options: CaptureOptions = {}): Promise<Ran> {
  const captured = capture(options);
  const code = await main(argv, captured.host);
  return { code, out: captured.out(), talk: captured.talk(), captured };
}
