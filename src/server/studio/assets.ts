/** The studio's built files, read once, and the headers that keep a page to itself. */
import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { StepwrightError } from "../../core/errors.js";

export interface Asset {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
}

/** Beside the compiled library; in a clone, this file is also run from its source. */
const builtFolder = fileURLToPath(new URL("../../../dist/studio/", import.meta.url));

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};

/** Only what came with the page runs, loads or is spoken to; nobody may frame it. */
export const pageHeaders: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

/** By path below `/studio/`. Throws `storage-failed` where the studio was not built. */
export async function readAssets(folder = builtFolder): Promise<ReadonlyMap<string, Asset>> {
  try {
    const found = new Map<string, Asset>();
    for (const name of await filesIn(folder)) {
      const type = types[extname(name)];
      if (type === undefined) continue;
      // Names of assets carry a digest of their contents.
      const keep = name.startsWith("assets/") ? "private, max-age=31536000, immutable" : "no-cache";
      const bytes = new Uint8Array(await readFile(join(folder, name)));
      found.set(name, { bytes, headers: { ...pageHeaders, "content-type": type, "cache-control": keep } });
    }
    if (!found.has("index.html")) throw new Error("there is no index.html");
    return found;
  } catch (cause) {
    throw new StepwrightError("storage-failed", "the studio's pages are not there", {
      subject: folder,
      remedy: "in a clone, run npm run build; a package has them: install it again",
      cause,
    });
  }
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) =>
      join(parentPath, name).slice(join(folder, "/").length).replaceAll("\\", "/"),
    );
}
