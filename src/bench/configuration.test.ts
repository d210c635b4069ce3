import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { errorOf } from "../testing/bench-world.js";
import {
  type BenchConfiguration,
  benchVersion,
  checkSameBench,
  checkSameModels,
  identityOf,
  writeBenchFile,
} from "./configuration.js";

let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stepwright-configuration-"));
  path = join(folder, "bench.json");
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const configuration: BenchConfiguration = {
  version: benchVersion,
  task: { name: "gsm8k", offset: 0, limit: 10, grading: "gsm8k", questions: "sha256-1" },
  seeds: [0],
  methods: [{ label: "rsd:threshold=0.7", method: "rsd", options: { threshold: 0.7, weight: "step" } }],
  request: { maxTokens: 2048, sampling: { temperature: 0, topK: 0 } },
  references: { draft: "/a.gguf", threads: 1 },
};
const models = { draft: { name: "a", fingerprint: "sha256-a" } };

test("equal configurations have one identity, whatever the order of their keys", () => {
  const { version, task, ...rest } = configuration;
  expect(identityOf({ ...rest, task, version })).toBe(identityOf(configuration));
  expect(identityOf({ ...configuration, seeds: [1] })).not.toBe(identityOf(configuration));
});

test("a folder goes on with its own bench, and names what differs in another", async () => {
  expect(await checkSameBench(path, configuration)).toBe(false);
  await writeBenchFile(path, configuration, { models });
  expect(await checkSameBench(path, configuration)).toBe(true);
  const changes: [string, Partial<BenchConfiguration>, string][] = [
    ["seeds.1", { seeds: [0, 1] }, "nothing, here it is 1"],
    [
      "request.sampling.temperature",
      { request: { maxTokens: 2048, sampling: { temperature: 1, topK: 0 } } },
      "0, here it is 1",
    ],
    [
      "methods.0.options.threshold",
      { methods: [{ ...configuration.methods[0]!, options: { threshold: 0.8, weight: "step" } }] },
      "0.7, here it is 0.8",
    ],
    ["references.draft", { references: { draft: "/b.gguf", threads: 1 } }, "/a.gguf, here it is /b.gguf"],
  ];
  for (const [at, change, words] of changes) {
    const error = await errorOf(checkSameBench(path, { ...configuration, ...change }));
    expect(error).toMatchObject({ code: "invalid-option", subject: at });
    expect(error.message).toContain(`its ${at} is ${words}`);
  }
});

test("other weights under the same name are refused", async () => {
  await writeBenchFile(path, configuration, { models });
  await checkSameModels(path, models);
  const error = await errorOf(checkSameModels(path, { draft: { name: "a", fingerprint: "sha256-b" } }));
  expect(error.message).toContain("models.draft.fingerprint is sha256-a, here it is sha256-b");
});

test("what is no bench, or a newer one, is refused", async () => {
  await writeFile(path, "{}");
  expect((await errorOf(checkSameBench(path, configuration))).code).toBe("bench-invalid");
  await writeBenchFile(path, { ...configuration, version: benchVersion + 1 }, { models });
  expect((await errorOf(checkSameBench(path, configuration))).message).toContain("version 2");
});
