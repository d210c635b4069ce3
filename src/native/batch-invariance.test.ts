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

describe.skipIf(missing !== "")(`separate streams in shared batches${missing}`, () => {
  it("give equal bits alone and together, through rollbacks and forks", async () => {
    const model = await loadLlamaNativeModel({
      path: real,
      cells: 256,
      sequences: 6,
      batchTokens: invariantBatchTokens,
      separateStreams: true,
      repack: false,
    });
    const length = 24;
    const token = (text: number, position: number) => 100 + ((text * 7919 + position * 104_729) % 40_000);
    const read = async (parts: readonly { text: number; sequence: number; position: number }[]) => {
      const batch = parts.map(({ text, sequence, position }) => ({
        token: token(text, position),
        position,
        sequences: [sequence],
        output: true,
      }));
      expect(await model.decode(batch)).toBe(0);
      return model.readRows(parts.map((_, output) => ({ ...request, output }))).map(({ row }) => row!);
    };
    const span = (text: number, sequence: number, from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => ({ text, sequence, position: from + index }));

    const alone: Float32Array[][] = [];
    for (const text of [0, 1, 2]) {
      const rows: Float32Array[] = [];
      for (const part of span(text, 0, 0, length)) rows.push(...(await read([part])));
      alone.push(rows);
      model.removeCells(0, 0, -1);
    }
    const check = async (...spans: ReturnType<typeof span>[]) => {
      const parts = spans.flat();
      const rows = await read(parts);
      for (const [index, { text, position }] of parts.entries()) {
        expect(Buffer.from(rows[index]!.buffer).equals(Buffer.from(alone[text]![position]!.buffer))).toBe(
          true,
        );
      }
    };
    await check(span(0, 0, 0, 9), span(1, 1, 0, 1), span(2, 2, 0, 17));
    await check(span(2, 2, 17, 18), span(0, 0, 9, 14), span(1, 1, 1, 20));
    model.removeCells(0, 6, -1);
    model.removeCells(2, 11, -1);
    model.shareCells(1, 4);
    model.removeCells(4, 12, -1);
    await check(span(0, 0, 6, 24), span(1, 4, 12, 24), span(2, 2, 11, 24), span(1, 1, 20, 21));
    await check(span(1, 1, 21, 22));
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
