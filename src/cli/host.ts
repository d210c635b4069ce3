/** All that the command line touches of the outside world, so that tests can stand in for it. */

export interface Output {
  write(text: string): void;
  readonly isTerminal: boolean;
  readonly columns: number;
  readonly rows: number;
}

/** Signals a person or a supervisor sends; a second one within a command ends the process at once. */
export type StopSignal = "SIGINT" | "SIGTERM";

export interface Host {
  readonly out: Output;
  readonly talk: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingFolder: string;
  readonly homeFolder: string;
  /** True when a person could be typing on standard input. */
  readonly inputIsTerminal: boolean;
  /** All of standard input; what has come so far when the signal fires. */
  readInput(signal: AbortSignal): Promise<string>;
  /** Standard input line by line as it comes; ends early when the signal fires. */
  inputLines(signal: AbortSignal): AsyncIterable<string>;
  /** Calls back at every stop signal; returns how to stop listening. */
  onStopSignal(listener: (signal: StopSignal) => void): () => void;
  /** Calls back when standard output takes no more: with null where its reader has gone, else with the error. */
  onOutputClosed(listener: (error: Error | null) => void): void;
  /** Ends the process without waiting for anything. */
  exit(code: number): void;
}
