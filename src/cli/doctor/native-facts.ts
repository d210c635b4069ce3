/** Facts about the native libraries, learnt in a process that may crash. */
import { fork } from "node:child_process";
import { compiledEntry } from "../../core/entry.js";
import { type ErrorData, StepwrightError } from "../../core/errors.js";
import type { NativeDescription } from "../../native/describe.js";

export type NativeFacts = { readonly description: NativeDescription } | { readonly error: ErrorData };

/** Loading takes well under a second; a minute is a hang. */
const patienceMilliseconds = 60_000;

export function nativeFacts(signal?: AbortSignal): Promise<NativeDescription> {
  return new Promise((resolve, reject) => {
    const child = fork(compiledEntry(import.meta.url, "./native-facts-main.js"), [], {
      serialization: "advanced",
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      execArgv: [],
      timeout: patienceMilliseconds,
      ...(signal ? { signal } : {}),
    });
    child.once("message", (facts: NativeFacts) => {
      if ("description" in facts) resolve(facts.description);
      else reject(StepwrightError.fromJSON(facts.error));
    });
    child.once("error", (cause) =>
      reject(new StepwrightError("native-unavailable", "the check of the libraries cannot run", { cause })),
    );
    // After a message this changes nothing.
    child.once("exit", (code, killedBy) =>
      reject(
        new StepwrightError(
          "native-unavailable",
          `loading the libraries ended the process (${killedBy ?? code})`,
          {
            remedy: "reinstall the platform package; on Linux the libraries need glibc 2.35 or newer",
          },
        ),
      ),
    );
  });
}
