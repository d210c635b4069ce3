/**
 * libllama's log. It is silent but for moments when this thread asks why a call failed: a JavaScript callback
 * must never run on a compute thread, so the silent state is a native function that does nothing.
 */
import koffi from "koffi";
import { enums } from "./bindings.generated.js";
import type { NativeFunctions } from "./library.js";

const longestReason = 600;

export interface LogLine {
  readonly level: number;
  readonly text: string;
}

export class NativeLog {
  readonly #set: (callback: bigint | null) => void;
  readonly #silence: bigint;
  #collecting: LogLine[] | undefined;
  #callback: bigint | undefined;

  /** `silence` is the address of a C function without side effects; its arguments are ignored. */
  constructor(set: NativeFunctions["ggml_log_set"] | NativeFunctions["llama_log_set"], silence: bigint) {
    this.#set = (callback) => set(callback, null);
    this.#silence = silence;
    this.#set(silence);
  }

  /** Runs a synchronous native call and returns what it logged. */
  collect<Result>(call: () => Result): { result: Result; lines: LogLine[] } {
    const lines: LogLine[] = [];
    this.#collecting = lines;
    // Registered once and kept: an unregistered callback that is still wanted would be called into nothing.
    this.#callback ??= koffi.register(
      (level: number, text: string) => this.#collecting?.push({ level, text }),
      koffi.pointer(koffi.proto("void(int level, const char *text, void *data)")),
    );
    this.#set(this.#callback);
    try {
      return { result: call(), lines };
    } finally {
      this.#set(this.#silence);
      this.#collecting = undefined;
    }
  }
}

/** The errors among the lines as one sentence; empty when there are none. */
export function reasonFrom(lines: readonly LogLine[]): string {
  const reasons: string[] = [];
  let wanted = false;
  for (const { level, text } of lines) {
    if (level !== enums.ggml_log_level.GGML_LOG_LEVEL_CONT) {
      wanted = level === enums.ggml_log_level.GGML_LOG_LEVEL_ERROR;
    }
    if (wanted && text.trim() !== "") reasons.push(text.trim());
  }
  return reasons.join("; ").slice(0, longestReason);
}
