// Builds the studio into dist/studio, unless what is there was built from these very sources.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const stamp = join(root, "dist/.studiobuildinfo");
const digest = digestOf(["studio", "src/core", "src/methods", "src/bench"], ["package-lock.json"]);
const built = existsSync(join(root, "dist/studio/index.html")) && existsSync(stamp);

if (!built || readFileSync(stamp, "utf8") !== digest) {
  const { build } = await import("vite");
  rmSync(stamp, { force: true });
  await build({ configFile: join(root, "studio/vite.config.ts"), logLevel: "warn" });
  writeFileSync(stamp, digest);
}

function digestOf(folders, files) {
  const hash = createHash("sha256");
  const found = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith(".test.ts"))
      .map(({ parentPath, name }) => join(parentPath, name)),
  );
  for (const path of [...found, ...files.map((file) => join(root, file))].sort()) {
    hash.update(path.slice(root.length)).update("\0").update(readFileSync(path)).update("\0");
  }
  return hash.digest("hex");
}
