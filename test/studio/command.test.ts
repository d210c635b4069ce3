/** `stepwright studio` from the command line. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { main } from "../../src/cli/main.js";
import { encodeLine } from "../../src/core/trace.js";
import { capture, run } from "../cli/captured-host.js";
import { rsdTrace } from "./world.js";

interface Facts {
  readonly url: string;
  readonly studio: string;
  readonly presets: readonly string[];
}

async function opened(argv: readonly string[], prepare: (folder: string) => void = () => {}) {
  const captured = capture();
  prepare(captured.host.workingFolder);
  const started = new Promise<Facts>((resolve) => captured.onWrite((text) => resolve(JSON.parse(text))));
  const ended = main(["studio", "--port", "0", "--json", ...argv], captured.host);
  const facts = await Promise.race([
    started,
    ended.then((code) => {
      throw new Error(`ended with ${code}: ${captured.talk()}`);
    }),
  ]);
  const door = await fetch(facts.studio, { redirect: "manual" });
  const headers = { cookie: door.headers.get("set-cookie")!.split(";")[0]! };
  const ask = async (path: string) => (await fetch(facts.url + path, { headers })).json();
  return { captured, facts, ask, ended };
}

test("without models it shows the files that it was given, and answers nothing", async () => {
  const trace = Buffer.concat((await rsdTrace()).map(encodeLine));
  const { captured, facts, ask, ended } = await opened(["run.jsonl", "more"], (folder) => {
    writeFileSync(join(folder, "run.jsonl"), trace);
    mkdirSync(join(folder, "more/deep"), { recursive: true });
    writeFileSync(join(folder, "more/deep/other.jsonl"), trace);
    writeFileSync(join(folder, "more/secret.txt"), "no trace");
  });
  expect(captured.talk()).toContain(facts.studio);
  const { traces } = (await ask("/studio/files")) as { traces: { name: string; method: string }[] };
  expect(traces.map(({ name }) => name).sort()).toEqual([join("deep", "other.jsonl"), "run.jsonl"]);
  expect(traces.every(({ method }) => method === "rsd")).toBe(true);
  expect(await ask("/v1/models")).toMatchObject({ data: [] });
  captured.stop("SIGTERM");
  expect(await ended).toBe(0);
});

test("with models it can be asked", async () => {
  const { captured, facts, ask, ended } = await opened([
    "--draft",
    "demo:draft",
    "--target",
    "demo:target",
    "--no-store",
  ]);
  expect(facts.presets).toContain("rsd/default");
  const { data } = (await ask("/v1/models")) as {
    data: { id: string; stepwright: { options: { properties: object } } }[];
  };
  const preset = data.find(({ id }) => id === "rsd/default")!;
  expect(Object.keys(preset.stepwright.options.properties)).toContain("threshold");
  captured.stop("SIGTERM");
  expect(await ended).toBe(0);
});

test("what is not there is refused before anything is served", async () => {
  const { code, talk } = await run(["studio", "--port", "0", "nowhere.jsonl"]);
  expect(code).toBe(1);
  expect(talk).toContain("nowhere.jsonl");
});
