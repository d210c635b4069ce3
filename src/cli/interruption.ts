/** Stopping: the first signal asks a command to end well, the second ends the process. */
import type { Host, StopSignal } from "./host.js";

const codes: Readonly<Record<StopSignal, number>> = { SIGINT: 130, SIGTERM: 143 };

export interface Interruption extends Disposable {
  readonly signal: AbortSignal;
  /** The exit code that the stop signal asks for; undefined if none came. */
  readonly exitCode: number | undefined;
  /** Why nothing can be printed any more: null where its reader just left; undefined while all is well. */
  readonly outputClosed: Error | null | undefined;
}

export function watchForStop(host: Host): Interruption {
  const controller = new AbortController();
  let exitCode: number | undefined;
  let outputClosed: Error | null | undefined;
  const stopListening = host.onStopSignal((signal) => {
    if (exitCode !== undefined) return host.exit(exitCode);
    exitCode = codes[signal];
    controller.abort(new Error(`stopped by ${signal}`));
  });
  host.onOutputClosed((error) => {
    outputClosed = error;
    controller.abort(error ?? new Error("nobody reads the output any more"));
  });
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    get outputClosed() {
      return outputClosed;
    },
    [Symbol.dispose]: stopListening,
  };
}
