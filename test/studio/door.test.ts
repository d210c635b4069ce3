/** Who may see the studio, and what its pages may do. Over real sockets. */

import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readBenchFolder } from "../../src/bench/bench-folder.js";
import { pairedDifference } from "../../src/bench/paired-difference.js";
import { studioToken } from "../../src/server/studio/index.js";
import { rsdTrace, type StudioWorld, studioWorld, token } from "./world.js";

let world: StudioWorld;
beforeAll(async () => {
  world = await studioWorld({ bench: true });
  await world.addTrace("one.jsonl", await rsdTrace());
});
afterAll(() => world[Symbol.asyncDispose]());

const reach = (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
  fetch(`${world.origin}${path}`, { redirect: "manual", headers, ...init });

async function cookie(): Promise<string> {
  const response = await reach(`/studio/?token=${token}`);
  return response.headers.get("set-cookie")!.split(";")[0]!;
}

test("17 the studio is shut without its start token, its files and its lists with it", async () => {
  for (const path of [
    "/studio/",
    "/studio/index.html",
    "/studio/assets/x.js",
    "/studio/files",
    "/studio/files/traces/0123456789abcdef",
  ]) {
    for (const query of ["", "?token=", "?token=wrong", `?token=${token}x`]) {
      const response = await reach(path + query);
      expect(response.status, path + query).toBe(401);
      expect(response.headers.get("set-cookie")).toBeNull();
    }
  }
  const page = await reach("/studio/", { accept: "text/html" });
  expect(page.status).toBe(401);
  expect(await page.text()).toContain("Open the link");
});

test("17 the token becomes a cookie that no script reads, and leaves the address", async () => {
  const response = await reach(`/studio/?token=${token}`);
  expect(response.status).toBe(303);
  expect(response.headers.get("location")).toBe("/studio/");
  const given = response.headers.get("set-cookie")!;
  expect(given).toMatch(/HttpOnly/);
  expect(given).toMatch(/SameSite=Lax/);
  expect(given).not.toContain(token);
  expect((await reach("/studio/", { cookie: given.split(";")[0]! })).status).toBe(200);
});

test("17 pages and files carry their policy: no other scripts, no sniffing, no frames", async () => {
  const headers = { cookie: await cookie() };
  const page = await reach("/studio/", headers);
  const html = await page.text();
  const assets = [...html.matchAll(/(?:src|href)="(\/studio\/[^"]+)"/g)].map((match) => match[1]!);
  expect(assets.length).toBeGreaterThan(1);
  expect(html).not.toMatch(/<script(?! type="module"[^>]* src=)/);
  for (const path of ["/studio/", ...assets]) {
    const response = await reach(path, headers);
    expect(response.status, path).toBe(200);
    expect(response.headers.get("content-security-policy")).toMatch(
      /default-src 'none'.*frame-ancestors 'none'/,
    );
    expect(response.headers.get("content-security-policy")).not.toContain("unsafe");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("x-frame-options")).toBe("DENY");
  }
});

test("what is built runs in a browser: nothing of Node is left in it", async () => {
  const folder = fileURLToPath(new URL("../../dist/studio/assets/", import.meta.url));
  const scripts = (await readdir(folder)).filter((name) => name.endsWith(".js"));
  expect(scripts.length).toBeGreaterThan(2);
  for (const name of scripts) {
    const text = await readFile(join(folder, name), "utf8");
    expect(text, name).not.toMatch(/browser-external|["']node:|\bBuffer\.|\.unref\(/);
  }
});

test("the cookie opens the API to the studio's own pages alone", async () => {
  const own = { cookie: await cookie() };
  expect((await reach("/v1/runs", own)).status).toBe(200);
  // The server of these tests asks for no key, so what counts is whose runs they are.
  const start = (headers: Record<string, string>) =>
    reach(
      "/v1/runs",
      { "content-type": "application/json", ...headers },
      { method: "POST", body: JSON.stringify({ model: "rsd/default", question: "Echo x in 1 steps." }) },
    );
  const { id } = (await (await start(own)).json()) as { id: string };
  expect((await reach(`/v1/runs/${id}`, own)).status).toBe(200);
  expect((await reach(`/v1/runs/${id}`)).status).toBe(404);
  expect((await reach(`/v1/runs/${id}`, { ...own, "sec-fetch-site": "cross-site" })).status).toBe(404);
  expect((await start({ ...own, origin: "http://evil.example" })).status).toBe(403);
});

test("files are named by ids: no path reaches another file", async () => {
  const headers = { cookie: await cookie() };
  const { traces, benches } = (await (await reach("/studio/files", headers)).json()) as {
    traces: { id: string; name: string; method: string; finish: string }[];
    benches: { id: string; rows: string[] }[];
  };
  expect(traces).toMatchObject([{ name: "one.jsonl", method: "rsd", finish: "stop" }]);
  expect(JSON.stringify(traces)).not.toContain(world.folder);
  expect(
    (await (await reach(`/studio/files/traces/${traces[0]!.id}`, headers)).text()).length,
  ).toBeGreaterThan(500);
  for (const path of [
    "/studio/files/traces/..%2f..%2fone.jsonl",
    "/studio/assets/..%2f..%2f..%2fpackage.json",
    `/studio/files/benches/${benches[0]!.id}/figures/..%2fbench.json`,
    `/studio/files/benches/${encodeURIComponent(world.folder)}`,
  ]) {
    expect((await reach(path, headers)).status, path).toBe(404);
  }
});

test("a comparison is the bench's own paired difference", async () => {
  const headers = { cookie: await cookie() };
  const { benches } = (await (await reach("/studio/files", headers)).json()) as { benches: { id: string }[] };
  const query = new URLSearchParams({ one: `${benches[0]!.id}/rsd`, other: `${benches[0]!.id}/draft` });
  const found = await (await reach(`/studio/files/compare?${query}`, headers)).json();
  const { byLabel } = await readBenchFolder(join(world.folder, "sums"));
  const expected = pairedDifference(byLabel.get("rsd")!.flat(), byLabel.get("draft")!.flat());
  expect(expected.better).toBeGreaterThan(0);
  expect(found).toMatchObject({ questions: 24, ...expected });
});

test("the token is kept for its owner alone, and made anew where it is spoilt", async () => {
  const folder = join(world.folder, "state");
  const made = await studioToken(folder);
  expect(await studioToken(folder)).toBe(made);
  expect((await stat(join(folder, "studio-token"))).mode & 0o077).toBe(0);
  await writeFile(join(folder, "studio-token"), "spoilt");
  const next = await studioToken(folder);
  expect(next).toMatch(/^[\w-]{32}$/);
  expect(await studioToken(folder)).toBe(next);
});
