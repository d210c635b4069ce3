/** The trace that a run leaves. */
import type { TraceSink } from "../core/run.js";
import type { CommandContext } from "./command.js";

export interface RunTrace extends AsyncDisposable {
  readonly run: string;
  readonly path: string;
  readonly sink: TraceSink;
}

export async function newTrace(
  _context: CommandContext,
  _settings: { readonly trace?: string | undefined; readonly noTrace: boolean },
): Promise<RunTrace | null> {
  return null;
}
