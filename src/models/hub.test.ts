import { createHash } from "node:crypto";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StepwrightError } from "../core/errors.js";
import { type FakeHub, startFakeHub } from "../testing/fake-hub.js";
import { encodeTinyModel } from "../testing/tiny-model.js";
import { findCached, type PullProgress, pullModel } from "./hub.js";
import { listModels, resolveModelFile } from "./hub-inventory.js";
import { type HubSettings, hubSettings } from "./hub-settings.js";
import { type HubReference, parseModelReference } from "./reference.js";

const weights = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) & 0xff));
const files = {
  "model-Q4_K_M.gguf": weights,
  "model-q8_0.gguf": encodeTinyModel(),
  "model-IQ4_XS.gguf": weights.subarray(5),
  "mmproj-model-q8_0.gguf": weights.subarray(9),
  "big-F16-00001-of-00002.gguf": weights.subarray(0, 1000),
  "big-F16-00002-of-00002.gguf": weights.subarray(1000, 3000),
  "a/twice-Q2_K.gguf": weights.subarray(1),
  "b/twice-Q2_K.gguf": weights.subarray(2),
  "small/tiny-F32.gguf": weights.subarray(0, 100),
  "README.md": Buffer.from("hello"),
};

let folder: string;
let hub: FakeHub;
let settings: HubSettings;
const fast = { baseSeconds: 0.01 };
const quick = () => ({ settings, ...fast });
const reference = (text: string) => parseModelReference(`hf:owner/model${text}`) as HubReference;
const pull = (text: string, options = {}) => pullModel(reference(text), { ...quick(), ...options });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "stepwright-hub-"));
  hub = await startFakeHub(files);
  settings = hubSettings({
    HF_ENDPOINT: hub.endpoint,
    HF_HOME: folder,
    STEPWRIGHT_MODELS: join(folder, "own"),
  });
});
afterEach(async () => {
  await hub[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function refusal(work: Promise<unknown>): Promise<StepwrightError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!StepwrightError.is(error)) throw new Error("expected a typed error", { cause: error });
  return error;
}

const blobs = () => readdirSync(join(folder, "hub", "models--owner--model", "blobs")).sort();
const storeRequests = () => hub.requests.filter(({ server }) => server === "store");
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

describe("pull", () => {
  it("brings a file into the shared cache's layout", async () => {
    const seen: PullProgress[] = [];
    const { path, commit } = await pull("/model-Q4_K_M.gguf", {
      onProgress: (p: PullProgress) => seen.push(p),
    });
    expect(readFileSync(path).equals(weights)).toBe(true);
    expect(path).toBe(
      join(folder, "hub", "models--owner--model", "snapshots", hub.commit, "model-Q4_K_M.gguf"),
    );
    expect(lstatSync(path).isSymbolicLink()).toBe(process.platform !== "win32");
    expect(blobs()).toEqual([sha256(weights)]);
    expect(readFileSync(join(dirname(dirname(dirname(path))), "refs", "main"), "utf8")).toBe(commit);
    expect(seen.at(-1)).toEqual({
      file: "model-Q4_K_M.gguf",
      bytes: weights.length,
      totalBytes: weights.length,
    });
    expect(seen.every(({ bytes }, index) => index === 0 || bytes >= seen[index - 1]!.bytes)).toBe(true);
  });

  it("does not fetch again what is there", async () => {
    const first = await pull(":q4_k_m");
    const before = storeRequests().length;
    expect(await pull(":Q4_K_M")).toEqual(first);
    expect(storeRequests().length).toBe(before);
  });

  it("checks small files by git's hash", async () => {
    expect(readFileSync((await pull(":F32")).path).length).toBe(100);
  });

  it("brings all parts of a split model and names the first", async () => {
    const seen: PullProgress[] = [];
    const pulled = await pull(":f16", { onProgress: (p: PullProgress) => seen.push(p) });
    expect(pulled.path).toMatch(/big-F16-00001-of-00002\.gguf$/);
    expect(pulled.files.map(({ path }) => path)).toEqual([
      "big-F16-00001-of-00002.gguf",
      "big-F16-00002-of-00002.gguf",
    ]);
    expect(seen.at(-1)).toMatchObject({ bytes: 3000, totalBytes: 3000 });
    expect((await pull("/big-F16-00002-of-00002.gguf")).path).toBe(pulled.path);
  });

  it("goes on where a connection was cut, and only then sends If-Range", async () => {
    hub.faults.push({ cutAfter: 100_000 }, { cutAfter: 50_000 });
    const { path } = await pull(":Q4_K_M");
    expect(readFileSync(path).equals(weights)).toBe(true);
    const [first, ...resumed] = storeRequests();
    expect(first!.headers.range).toBeUndefined();
    expect(resumed.length).toBeGreaterThanOrEqual(1);
    for (const { headers } of resumed) {
      expect(headers.range).toMatch(/^bytes=[1-9]\d*-$/);
      expect(headers["if-range"]).toBe('"store-1"');
    }
  });

  it("keeps its part when aborted, and a later pull goes on with it", async () => {
    hub.faults.push({ stallAfter: 100_000 });
    const controller = new AbortController();
    const aborted = pull(":Q4_K_M", {
      signal: controller.signal,
      onProgress: ({ bytes }: PullProgress) => bytes >= 100_000 && controller.abort(),
    });
    expect((await refusal(aborted)).code).toBe("aborted");
    expect(blobs().filter((name) => /part$|lock$/.test(name))).toEqual([
      `${sha256(weights)}.stepwright-part`,
    ]);
    hub.requests.length = 0;
    await pull(":Q4_K_M");
    expect(storeRequests().map(({ headers }) => headers.range)).toEqual(["bytes=100000-"]);
    expect(blobs()).toEqual([sha256(weights)]);
  });

  it("begins anew when the file changed in the store, or ranges are not served", async () => {
    for (const change of [() => (hub.etag = '"store-2"'), () => hub.faults.unshift({ ignoreRange: true })]) {
      rmSync(join(folder, "hub"), { recursive: true, force: true });
      hub.faults.push({ cutAfter: 100_000 });
      const failing = pull(":Q4_K_M", { attempts: 1 });
      expect((await refusal(failing)).code).toBe("download-failed");
      change();
      expect(readFileSync((await pull(":Q4_K_M")).path).equals(weights)).toBe(true);
    }
  });

  it("gives a stalled connection up and makes another", async () => {
    hub.faults.push({ stallAfter: 1000 });
    const { path } = await pull(":Q4_K_M", { stallSeconds: 0.3 });
    expect(readFileSync(path).equals(weights)).toBe(true);
  });

  it("refuses bytes with another checksum, and leaves nothing of them", async () => {
    hub.faults.push({ corrupt: true });
    const error = await refusal(pull(":Q4_K_M"));
    expect(error.code).toBe("download-failed");
    expect(error.message).toMatch(/another checksum/);
    expect(blobs()).toEqual([]);
    await pull(":Q4_K_M");
  });

  it("begins once more when a resumed part was at fault", async () => {
    const blob = join(folder, "hub", "models--owner--model", "blobs", sha256(weights));
    mkdirSync(dirname(blob), { recursive: true });
    writeFileSync(`${blob}.stepwright-part`, Buffer.alloc(5000, 1));
    expect(readFileSync((await pull(":Q4_K_M")).path).equals(weights)).toBe(true);
    writeFileSync(`${blob}.stepwright-part`, Buffer.alloc(weights.length + 5, 1));
    rmSync(blob);
    expect(readFileSync((await pull(":Q4_K_M")).path).equals(weights)).toBe(true);
  });

  it("lets two pulls at once share one download", async () => {
    const [one, other] = await Promise.all([pull(":Q4_K_M"), pull(":Q4_K_M")]);
    expect(one.path).toBe(other.path);
    expect(storeRequests().length).toBe(1);
    expect(blobs()).toEqual([sha256(weights)]);
  });

  it("takes over the lock of a process that died", async () => {
    const lock = join(folder, "hub", "models--owner--model", "blobs", `${sha256(weights)}.stepwright-lock`);
    mkdirSync(dirname(lock), { recursive: true });
    writeFileSync(lock, JSON.stringify({ pid: 2 ** 22 + 1, host: settings.host }));
    await pull(":Q4_K_M");
    rmSync(join(folder, "hub"), { recursive: true });
    mkdirSync(dirname(lock), { recursive: true });
    writeFileSync(lock, JSON.stringify({ pid: process.pid, host: "elsewhere" }));
    utimesSync(lock, new Date(0), new Date(0));
    await pull(":Q4_K_M");
    expect(blobs()).toEqual([sha256(weights)]);
  });
});

describe("refusals", () => {
  it("explains 404, 401 and 403", async () => {
    const missing = await refusal(
      pullModel(parseModelReference("hf:owner/none:Q4_0") as HubReference, quick()),
    );
    expect(missing).toMatchObject({ code: "download-failed" });
    expect(missing.message).toMatch(/no such repository/);
    hub.token = "secret";
    expect((await refusal(pull(":Q4_K_M"))).remedy).toMatch(/HF_TOKEN/);
    hub.token = null;
    hub.listFaults.push({ status: 403 });
    expect((await refusal(pull(":Q4_K_M"))).remedy).toMatch(/terms/);
  });

  it("waits as long as a busy hub asks, up to a limit", async () => {
    hub.listFaults.push({ status: 429, retryAfter: "0" }, { status: 503 });
    hub.faults.push({ status: 429, retryAfter: "0" });
    await pull(":Q4_K_M");
    hub.listFaults.push({ status: 429, retryAfter: "3600" });
    const error = await refusal(pull(":Q4_K_M"));
    expect(error).toMatchObject({ code: "download-failed" });
    expect(error.remedy).toMatch(/in 3600 seconds/);
    hub.listFaults.push({ status: 503, retryAfter: new Date(Date.now() + 7_200_000).toUTCString() });
    expect((await refusal(pull(":Q4_K_M"))).remedy).toMatch(/in 7[12]\d\d seconds/);
  });

  it("gives up on a hub that stays down, and says so for one that cannot be reached", async () => {
    hub.listFaults.push(...Array.from({ length: 3 }, () => ({ status: 500 })));
    expect((await refusal(pull(":Q4_K_M", { attempts: 3 }))).message).toMatch(/answered 500/);
    const nowhere = hubSettings({ HF_ENDPOINT: "http://127.0.0.1:9", HF_HOME: folder });
    const error = await refusal(pull(":Q4_K_M", { settings: nowhere, attempts: 2 }));
    expect(error.message).toMatch(/cannot be reached/);
  });

  it("sends the token to the hub alone", async () => {
    hub.token = "hf_secret";
    const trusted = hubSettings({ HF_ENDPOINT: hub.endpoint, HF_HOME: folder, HF_TOKEN: "hf_secret" });
    await pull(":Q4_K_M", { settings: trusted });
    const of = (server: string) => hub.requests.filter((request) => request.server === server);
    expect(of("hub").every(({ headers }) => headers.authorization === "Bearer hf_secret")).toBe(true);
    expect(of("store").length).toBe(1);
    expect(of("store").some(({ headers }) => JSON.stringify(headers).includes("hf_secret"))).toBe(false);
  });

  it("lists what there is when a choice is not clear", async () => {
    const none = await refusal(pull(":Q6_K"));
    expect(none).toMatchObject({ code: "model-not-found", subject: "hf:owner/model:Q6_K" });
    expect(none.remedy).toMatch(/model-Q4_K_M\.gguf/);
    const several = await refusal(pull(":Q2_K"));
    expect(several.remedy).toBe("name one: a/twice-Q2_K.gguf, b/twice-Q2_K.gguf");
    // Q4 is not Q4_K_M, and Q4_K_M is not IQ4_XS.
    expect((await refusal(pull(":K_M"))).code).toBe("model-not-found");
    expect((await pull(":Q8_0")).path).toMatch(/\/model-q8_0\.gguf$|\\model-q8_0\.gguf$/);
  });

  it("ignores names that a hub could use to write elsewhere", async () => {
    await using hostile = await startFakeHub({ "../../evil-Q4_0.gguf": weights, "/abs-Q4_0.gguf": weights });
    const aimed = hubSettings({ HF_ENDPOINT: hostile.endpoint, HF_HOME: folder });
    const error = await refusal(pull(":Q4_0", { settings: aimed }));
    expect(error).toMatchObject({ code: "model-not-found", remedy: "give a repository of .gguf files" });
  });

  it("downloads nothing when offline", async () => {
    for (const options of [{ offline: true }, { settings: { ...settings, offline: true } }]) {
      expect((await refusal(pull(":Q4_K_M", options))).message).toMatch(/switched off/);
    }
    expect(hub.requests).toEqual([]);
  });
});

describe("finding models", () => {
  it("names the command that brings a model", async () => {
    const error = await refusal(findCached(reference(":Q4_K_M"), settings));
    expect(error).toMatchObject({
      code: "model-not-found",
      remedy: "stepwright models pull hf:owner/model:Q4_K_M",
    });
    const { path } = await pull(":Q4_K_M");
    hub.requests.length = 0;
    expect(await resolveModelFile("hf:owner/model:q4_k_m", settings)).toBe(path);
    expect(await resolveModelFile("hf:owner/model/model-Q4_K_M.gguf", settings)).toBe(path);
    expect(await resolveModelFile(`hf:owner/model@${hub.commit}:Q4_K_M`, settings)).toBe(path);
    expect((await refusal(resolveModelFile("hf:owner/model:Q8_0", settings))).code).toBe("model-not-found");
    expect(hub.requests).toEqual([]);
  });

  it("looks for plain names in the model folders", async () => {
    mkdirSync(join(folder, "own"));
    writeFileSync(join(folder, "own", "mine.gguf"), encodeTinyModel());
    expect(await resolveModelFile("mine.gguf", settings)).toBe(join(folder, "own", "mine.gguf"));
    expect((await refusal(resolveModelFile("./mine.gguf", settings))).code).toBe("model-not-found");
    expect((await refusal(resolveModelFile("http://host:1/v1#m", settings))).message).toMatch(
      /not a model file/,
    );
  });

  it("knows the lab's models by name", async () => {
    const refused = await refusal(resolveModelFile("lab:nothing", settings));
    expect(["unknown-name", "model-not-found"]).toContain(refused.code);
    expect(refused.remedy).toBeTruthy();
  });

  it("lists the cache and the folders, sound and broken files", async () => {
    await pull(":Q8_0");
    await pull(":Q4_K_M");
    mkdirSync(join(folder, "own"));
    writeFileSync(join(folder, "own", "mine.gguf"), encodeTinyModel({ layers: 1 }));
    const models = await listModels(settings);
    expect(models.map((model) => [model.reference, model.model?.size.layers ?? model.error?.code])).toEqual([
      [join(folder, "own", "mine.gguf"), 1],
      ["hf:owner/model/model-Q4_K_M.gguf", "model-invalid"],
      ["hf:owner/model/model-q8_0.gguf", 2],
    ]);
    for (const { reference: name, path } of models) expect(await resolveModelFile(name, settings)).toBe(path);
  });
});
