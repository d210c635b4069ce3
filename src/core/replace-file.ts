/** Writing a file whole or not at all. */
import { mkdir, open, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { StepwrightError } from "./errors.js";

/** Whole or not at all, also when the power goes. Folders on the way are made. Throws `storage-failed`. */
export async function replaceFile(path: string, contents: string | Uint8Array): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(`${path}.new`, "w");
    try {
      await file.writeFile(contents);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.new`, path);
  } catch (cause) {
    throw new StepwrightError("storage-failed", `cannot write ${path}: ${(cause as Error).message}`, {
      subject: path,
      remedy: "make room or choose another folder: --out",
      cause,
    });
  }
}
