/** A folder for what a command makes. */
import { mkdir } from "node:fs/promises";
import { StepwrightError } from "../core/errors.js";

/** `flag` chose it. Throws `storage-failed`. */
export async function makeFolder(folder: string, flag: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new StepwrightError("storage-failed", `cannot make ${folder}: ${(cause as Error).message}`, {
      subject: folder,
      remedy: `choose a folder that can be written: ${flag} DIR`,
      cause,
    });
  }
}
