// Puts the platform packages of other systems into package-lock.json. npm leaves out optional packages that its
// registry did not offer when the lock was written (a mirror may hold only this system's), and `npm ci` then
// refuses the lock everywhere. Run it after every change of dependencies: `node scripts/complete-lock.js`.
import { readFileSync, writeFileSync } from "node:fs";

const path = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(path, "utf8"));
const systems = {
  darwin: "darwin",
  mac: "darwin",
  win: "win32",
  win32: "win32",
  linux: "linux",
  android: "android",
};
let added = 0;

for (const [owner, entry] of Object.entries({ ...lock.packages })) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (`node_modules/${name}` in lock.packages) continue;
    const words = name.slice(name.indexOf("/") + 1).split("-");
    const system = words.map((word) => systems[word]).find(Boolean);
    const processor = words.find((word) => ["x64", "arm64"].includes(word));
    if (!system || !processor || !/^\d+\.\d+\.\d+$/.test(version)) {
      console.error(`cannot tell the platform of ${name}@${version}, wanted by ${owner || "this package"}`);
      process.exitCode = 1;
      continue;
    }
    lock.packages[`node_modules/${name}`] = {
      version,
      cpu: [processor],
      ...(entry.dev ? { dev: true } : {}),
      optional: true,
      os: [system],
    };
    added++;
  }
}

const { "": root, ...packages } = lock.packages;
lock.packages = {
  "": root,
  ...Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1))),
};
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} platform packages added`);
