/** The start token, kept so that an open studio still knows its server after a restart. */
import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StepwrightError } from "../../core/errors.js";

/** The token of this folder, made where there is none; only its owner may read the file. Throws `storage-failed`. */
export async function studioToken(folder: string): Promise<string> {
  const path = join(folder, "studio-token");
  try {
    await mkdir(folder, { recursive: true });
    const made = randomBytes(24).toString("base64url");
    await writeFile(path, made, { flag: "wx", mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    await chmod(path, 0o600);
    const kept = (await readFile(path, "utf8")).trim();
    if (/^[\w-]{32}$/.test(kept)) return kept;
    await writeFile(path, made, { mode: 0o600 });
    return made;
  } catch (cause) {
    throw new StepwrightError("storage-failed", "the studio's start token cannot be kept", {
      subject: path,
      remedy: "make the folder writable, or set STEPWRIGHT_HOME to one that is",
      cause,
    });
  }
}
