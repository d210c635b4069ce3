/** Finds compiled JavaScript for worker threads and child processes, which cannot run our TypeScript sources. */

/**
 * The compiled file next to the calling module: `compiledEntry(import.meta.url, "./worker.js")`.
 * A module run from `src` (tests do that) gets its twin under `dist`, which `npm run build` makes.
 */
export function compiledEntry(importMetaUrl: string, relative: `./${string}.js`): URL {
  const url = new URL(relative, importMetaUrl);
  if (!new URL(importMetaUrl).pathname.endsWith(".ts")) return url;
  const at = url.pathname.lastIndexOf("/src/");
  if (at >= 0) url.pathname = `${url.pathname.slice(0, at)}/dist/${url.pathname.slice(at + "/src/".length)}`;
  return url;
}
