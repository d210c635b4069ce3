/** The studio behind the server: its pages, their door, and the files it was told to show. */
import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { Hono } from "hono";
import { ApiError } from "../api-error.js";
import type { StudioParts } from "../app.js";
import type { ServerContext, ServerEnvironment } from "../types.js";
import { StudioAccess } from "./access.js";
import { pageHeaders, readAssets } from "./assets.js";
import { benchEntry, benchFigure, benchReport, comparison, type NamedBench } from "./bench-views.js";
import { Shelf } from "./shelf.js";

export { checkPlace } from "./shelf.js";
export { studioToken } from "./token.js";

export interface StudioOptions {
  /** Opens the door; printed with the address. */
  readonly token: string;
  /** Trace files, and folders of them. */
  readonly traces?: readonly string[];
  /** Folders that `stepwright bench` wrote. */
  readonly benches?: readonly string[];
}

/** Throws `storage-failed` where the studio was not built. */
export async function createStudio({
  token,
  traces = [],
  benches = [],
}: StudioOptions): Promise<StudioParts> {
  const assets = await readAssets();
  const access = new StudioAccess(token);
  const shelf = new Shelf(traces, benches);
  const routes = new Hono<ServerEnvironment>();

  routes.use("/studio/*", async (c, next) => {
    const given = c.req.query("token");
    if (given !== undefined && access.isToken(given)) return admitted(c, access);
    if (!access.hasCookie(c.req.raw.headers)) return refused(c);
    return next();
  });
  routes.get("/studio", (c) => c.redirect(`/studio/${new URL(c.req.url).search}`, 302));
  routes.get("/studio/files", async (c) => {
    const found = await shelf.traces();
    const facts = await Promise.all(found.map((trace) => shelf.facts(trace)));
    return c.json({
      traces: found.map(({ path: _, ...trace }, index) => ({ ...trace, ...facts[index] })),
      benches: (await Promise.all(shelf.benches.map((bench) => benchEntry(bench).catch(() => [])))).flat(),
    });
  });
  routes.get("/studio/files/traces/:id", async (c) => {
    const trace = await shelf.trace(c.req.param("id"));
    if (!trace) throw new ApiError(404, "not_found", "there is no such trace");
    const file = await open(trace.path, "r");
    const stream = file.createReadStream({ start: 0, end: Math.max(0, trace.bytes - 1) });
    return c.body(Readable.toWeb(stream) as ReadableStream, 200, {
      "content-type": "application/x-ndjson",
      "content-length": String(trace.bytes),
      "cache-control": "no-store",
    });
  });
  routes.get("/studio/files/benches/:id", async (c) =>
    c.json(await benchReport(benchOf(shelf, c.req.param("id")))),
  );
  routes.get("/studio/files/benches/:id/figures/:figure", async (c) => {
    const figure = await benchFigure(benchOf(shelf, c.req.param("id")), c.req.param("figure"));
    if (!figure) throw new ApiError(404, "not_found", "the bench has no such figure");
    return c.body(figure, 200, {
      ...pageHeaders,
      // A drawing out of somebody's folder: it may style itself, and nothing else.
      "content-security-policy":
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox",
      "content-type": "image/svg+xml",
      "cache-control": "no-cache",
    });
  });
  routes.get("/studio/files/compare", async (c) => {
    const sides = [c.req.query("one"), c.req.query("other")].map((name) => rowNamed(shelf, name ?? ""));
    return c.json(await comparison(sides[0]!, sides[1]!));
  });
  routes.get("/studio/*", (c) => {
    const name = c.req.path.slice("/studio/".length) || "index.html";
    const asset = assets.get(name);
    if (!asset) throw new ApiError(404, "not_found", "the studio has no such file");
    return c.body(asset.bytes, 200, asset.headers);
  });
  return {
    routes,
    isAllowed: (request) => access.isAllowed(request),
    owns: (path) => path === "/studio" || path.startsWith("/studio/"),
  };
}

/** The token leaves the address, so that it is in no history and no copied link. */
function admitted(c: ServerContext, access: StudioAccess): Response {
  return c.body(null, 303, {
    location: "/studio/",
    "set-cookie": access.cookie,
    "cache-control": "no-store",
    ...pageHeaders,
  });
}

function refused(c: ServerContext): Response {
  const body = `<!doctype html><html lang="en"><meta charset="utf-8"><title>stepwright studio</title>
<h1>The studio is locked</h1><p>Open the link that stepwright printed when it started: it carries the key.</p></html>`;
  if (c.req.header("accept")?.includes("text/html")) {
    return c.body(body, 401, {
      ...pageHeaders,
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
    });
  }
  throw new ApiError(401, "invalid_start_token", "the studio is locked", {
    remedy: "open the link that stepwright printed when it started",
  });
}

function benchOf(shelf: Shelf, id: string): NamedBench {
  const bench = shelf.benches.find((known) => known.id === id);
  if (!bench) throw new ApiError(404, "not_found", "there is no such bench");
  return bench;
}

/** "ID/LABEL": labels may hold slashes. */
function rowNamed(shelf: Shelf, name: string): readonly [NamedBench, string] {
  const slash = name.indexOf("/");
  return [benchOf(shelf, name.slice(0, Math.max(0, slash))), name.slice(slash + 1)];
}
