import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeTinyModel } from "../../src/testing/tiny-model.js";
import { run } from "./captured-host.js";

const folder = mkdtempSync(join(tmpdir(), "stepwright-models-"));
const environment = { STEPWRIGHT_MODELS: folder, HF_HUB_CACHE: join(folder, "hub") };
const tiny = encodeTinyModel();

beforeAll(() => {
  writeFileSync(join(folder, "tiny.gguf"), tiny);
  writeFileSync(join(folder, "broken.gguf"), "GGUF and nothing more");
});

describe("models list", () => {
  it("shows every file, and what is wrong with a broken one", async () => {
    const { code, out } = await run(["models", "list"], { environment });
    expect(code).toBe(0);
    expect(out).toMatch(/tiny\.gguf .*F32 +512$/m);
    expect(out).toMatch(/broken\.gguf: .+/);
    const data = JSON.parse((await run(["models", "list", "--json"], { environment })).out);
    expect(data).toMatchObject([
      { path: join(folder, "broken.gguf"), model: null, error: { code: "model-invalid" } },
      { path: join(folder, "tiny.gguf"), bytes: tiny.length, model: { architecture: "llama" }, error: null },
    ]);
  });

  it("says where it looked when there is none", async () => {
    const empty = mkdtempSync(join(tmpdir(), "stepwright-empty-"));
    const { code, out, talk } = await run(["models", "list"], {
      environment: { STEPWRIGHT_MODELS: empty, HF_HUB_CACHE: empty },
    });
    expect({ code, out }).toEqual({ code: 0, out: "" });
    expect(talk).toContain(empty);
  });
});

describe("models info", () => {
  it("finds a file by path or by its name in a model folder", async () => {
    for (const reference of [join(folder, "tiny.gguf"), "tiny.gguf"]) {
      const { code, out } = await run(["models", "info", reference], { environment });
      expect(code).toBe(0);
      expect(out).toMatch(/^architecture +llama$/m);
      expect(out).toMatch(/^context +512 tokens/m);
    }
    const data = JSON.parse((await run(["models", "info", "tiny.gguf", "--json"], { environment })).out);
    expect(data).toMatchObject({
      architecture: "llama",
      size: { layers: 2, width: 64, context: 512 },
      fingerprint: `sha256-${createHash("sha256").update(tiny).digest("hex")}`,
    });
  });

  it("refuses what is no model: exit 2 for a name, 1 for a file", async () => {
    expect((await run(["models", "info", "gone.gguf"], { environment })).code).toBe(2);
    expect((await run(["models", "info"], { environment })).code).toBe(2);
    const broken = await run(["models", "info", "broken.gguf", "--json"], { environment });
    expect(broken.code).toBe(1);
    expect(JSON.parse(broken.out).error.code).toBe("model-invalid");
  });
});

describe("models pull", () => {
  const hash = createHash("sha256").update(tiny).digest("hex");
  const hub = createServer((request, response) => {
    if (request.url?.startsWith("/api/models/owner/name/revision/main")) {
      const siblings = [
        { rfilename: "tiny-f32.gguf", size: tiny.length, lfs: { sha256: hash, size: tiny.length } },
      ];
      response.end(JSON.stringify({ sha: "0123456789".repeat(4), siblings }));
    } else if (request.url?.includes("/resolve/")) {
      response.setHeader("content-length", tiny.length);
      response.end(tiny);
    } else {
      response.statusCode = 404;
      response.end();
    }
  });
  let online: Record<string, string>;

  beforeAll(async () => {
    await new Promise<void>((resolve) => hub.listen(0, "127.0.0.1", resolve));
    online = { ...environment, HF_ENDPOINT: `http://127.0.0.1:${(hub.address() as AddressInfo).port}` };
  });
  afterAll(() => new Promise((resolve) => hub.close(resolve)));

  it("prints the path on standard output, progress on standard error", async () => {
    const { code, out, talk } = await run(["models", "pull", "hf:owner/name:F32"], { environment: online });
    expect(code).toBe(0);
    expect(readFileSync(out.trim()).equals(tiny)).toBe(true);
    expect(talk).toMatch(/^100% of .*tiny-f32\.gguf$/m);
    const info = await run(["models", "info", "hf:owner/name:f32"], { environment: online });
    expect(info.out).toMatch(/^architecture +llama$/m);
    const again = await run(["models", "pull", "hf:owner/name/tiny-f32.gguf", "--json"], {
      environment: online,
    });
    expect(JSON.parse(again.out).path).toBe(out.trim());
  });

  it("fails with what to do", async () => {
    const cases = [
      ["hf:owner/name:Q9", 2, "tiny-f32.gguf"],
      ["./tiny.gguf", 2, "is not on the hub"],
      ["hf:owner", 2, "hf:owner/repository"],
    ] as const;
    for (const [reference, expected, message] of cases) {
      const { code, talk } = await run(["models", "pull", reference], { environment: online });
      expect({ reference, code }).toEqual({ reference, code: expected });
      expect(talk).toContain(message);
    }
    const offline = await run(["models", "pull", "hf:owner/name:F32", "--offline"], { environment: online });
    expect(offline.code).toBe(1);
    expect(offline.talk).toContain("downloads are switched off");
  });
});
