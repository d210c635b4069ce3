// Builds the studio into dist/studio, unless what is there was built from these very sources.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const stamp = join(root, "dist/.studiobuildinfo");
const digest = digestOf(["studio", "src/core", "src/methods", "src/bench", "package-lock.json"]);

if (
  !existsSync(join(root, "dist/studio/index.html")) ||
  !existsSync(stamp) ||
  readFileSync(stamp, "utf8") !== digest
) {
  rmSync(stamp, { force: true });
  await build({ configFile: join(root, "studio/vite.config.ts"), logLevel: "warn" });
  writeFileSync(stamp, digest);
}

function digestOf(places) {
  const hash = createHash("sha256");
  for (const place of places) {
    const path = join(root, place);
    const files = place.includes(".") ? [""] : readdirSync(path, { recursive: true, withFileTypes: true });
    const names = files.map((file) =>
      file === "" ? path : file.isFile() ? join(file.parentPath, file.name) : "",
    );
    for (const name of names.filter((name) => name !== "" && !/\.test\.ts$/.test(name)).sort()) {
      hash.update(name.slice(root.length)).update("\0").update(readFileSync(name)).update("\0");
    }
  }
  return hash.digest("hex");
}
