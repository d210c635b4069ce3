import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { writeTinyModel } from "../testing/tiny-model.js";
import { invariantBatchTokens, isBatchInvariant } from "./batch-invariance.js";
import { loadLlamaNativeModel } from "./llama-native-model.js";
import type { BatchToken, NativeModel } from "./native-model.js";

const folder = mkdtempSync(join(tmpdir(), "stepwright-invariance-"));
afterAll(() => rmSync(folder, { recursive: true }));

const request = { output: 0, draw: null, topK: 0, tokens: [], row: true };

/** Forwards to `model`, and lets `change` alter the rows of batches with more than one token. */
function altered(model: NativeModel, change: (row: Float32Array) => void): NativeModel {
  let wide = false;
  return {
    ...model,
    info: model.info,
    decode: (batch: readonly BatchToken[]) => {
      wide = batch.length > 1;
      return model.decode(batch);
    },
    readRows: (requests) => {
      const rows = model.readRows(requests);
      if (wide) for (const { row } of rows) change(row!);
      return rows;
    },
    removeCells: (sequence, from, to) => model.removeCells(sequence, from, to),
  };
}

const real = join(homedir(), ".cache/stepwright-models/smollm2-135m-instruct-q4_1.gguf");
const missing = existsSync(real) ? "" : " (skipped: the file is not in the model cache)";

describe.skipIf(missing !== "")(`quantised weights, not repacked${missing}`, () => {
  it("give a token the same bits alone and in a batch; the check sees one changed bit", async () => {
    const model = await loadLlamaNativeModel({
      path: real,
      cells: 512,
      sequences: 4,
      batchTokens: invariantBatchTokens,
      repack: false,
    });
    expect(await isBatchInvariant(model)).toBe(true);
    const nudged = altered(model, (row) => {
      const bits = new Uint32Array(row.buffer);
      bits[100] = bits[100]! ^ 1;
    });
    expect(await isBatchInvariant(nudged)).toBe(false);
    // The cache was left empty.
    expect(await model.decode([{ token: 1, position: 0, sequences: [0], output: true }])).toBe(0);
    expect(model.readRows([request])[0]!.finite).toBe(true);
    model.close();
  });
});

describe("a tiny model", () => {
  it("is left with an empty cache, whatever its kernels do", async () => {
    const path = join(folder, "tiny.gguf");
    await writeTinyModel(path, { seed: 5 });
    const model = await loadLlamaNativeModel({
      path,
      cells: 256,
      sequences: 4,
      batchTokens: 63,
      repack: false,
    });
    // Full-precision matrices have kernels of their own for several tokens: either answer is right.
    await isBatchInvariant(model);
    expect(await model.decode([{ token: 1, position: 0, sequences: [0], output: true }])).toBe(0);
    model.close();
  });
});
