import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { StepwrightError } from "../../core/errors.js";
import { quantizeRows } from "../../native/ggml/quantize.js";
import type { TensorTypeName } from "../../native/ggml/tensor.js";
import { loadLlamaNativeModel } from "../../native/llama-native-model.js";
import { loadNative } from "../../native/load.js";
import type { BatchToken, NativeModel } from "../../native/native-model.js";
import { tinyFamilies, tinyFamilyContent } from "../../testing/tiny-families.js";
import { type GgufContent, writeGguf } from "../gguf/write.js";
import { GraphModel } from "./graph-model.js";
import { loadGraphNativeModel } from "./graph-native-model.js";

const folder = mkdtempSync(join(tmpdir(), "stepwright-graph-"));
afterAll(() => rmSync(folder, { recursive: true }));

const length = 80;
const tokens = Array.from({ length }, (_, index) => (index * 37 + 11) % 250);

/** The law after each token, read in pieces of the given length into one of two sequences. */
async function lawsOf(model: NativeModel, piece: number): Promise<Float32Array[]> {
  const laws: Float32Array[] = [];
  for (let from = 0; from < length; from += piece) {
    const batch: BatchToken[] = tokens.slice(from, from + piece).map((token, index) => ({
      token,
      position: from + index,
      sequences: [1],
      output: true,
    }));
    expect(await model.decode(batch)).toBe(0);
    const rows = model.readRows(
      batch.map((_, output) => ({ output, draw: null, topK: 0, tokens: [], row: true })),
    );
    laws.push(...rows.map(({ row }) => row!));
  }
  expect(model.removeCells(1, 0, -1)).toBe(true);
  return laws;
}

async function greatestDifference(content: GgufContent, name: string, piece: number): Promise<number> {
  const path = join(folder, `${name}.gguf`);
  await writeGguf(path, content);
  const options = { path, cells: 256, sequences: 2, batchTokens: 128 };
  const white = await loadGraphNativeModel(options);
  const black = await loadLlamaNativeModel(options);
  try {
    expect({ ...white.info, description: "" }).toEqual({ ...black.info, description: "" });
    const ours = await lawsOf(white, piece);
    const theirs = await lawsOf(black, piece);
    // A model that has learnt nothing would agree with anything.
    expect(Math.max(...ours[40]!) - Math.min(...ours[40]!)).toBeGreaterThan(1);
    return Math.max(
      ...ours.flatMap((law, index) => [...law].map((value, id) => Math.abs(value - theirs[index]![id]!))),
    );
  } finally {
    white.close();
    black.close();
  }
}

describe.each(tinyFamilies)("the white box of a tiny %s", (family) => {
  it.each([1, 7, length])("has libllama's laws, %i tokens at a time", async (piece) => {
    expect(await greatestDifference(tinyFamilyContent(family), `${family}-${piece}`, piece)).toBeLessThan(
      1e-5,
    );
  });
});

describe("a file's own settings", () => {
  it("turn each frequency by its factor (Llama 3)", async () => {
    const data = Float32Array.from({ length: 8 }, (_, index) => 1 + index / 3);
    const factors = { name: "rope_freqs.weight", shape: [8], type: "F32", data };
    const content = tinyFamilyContent("llama");
    expect(
      await greatestDifference({ ...content, tensors: [...content.tensors, factors] }, "factors", 7),
    ).toBeLessThan(1e-5);
  });

  it.each([
    [
      "an unknown family",
      { key: "general.architecture", type: "string", value: "gpt2" },
      /architecture "gpt2"/,
    ],
    ["a stretched context", { key: "llama.rope.scaling.type", type: "string", value: "yarn" }, /"yarn"/],
    [
      "keys unlike values",
      { key: "llama.attention.value_length", type: "uint32", value: 8 },
      /values of another size/,
    ],
  ] as const)("are refused with a way out: %s", async (_, entry, message) => {
    const { metadata, tensors } = tinyFamilyContent("llama");
    const renamed = metadata.map((old) =>
      entry.key === "general.architecture"
        ? { ...old, key: old.key.replace(/^llama\./, `${entry.value}.`) }
        : old,
    );
    const path = join(folder, "refused.gguf");
    await writeGguf(path, { metadata: [...renamed.filter(({ key }) => key !== entry.key), entry], tensors });
    const error = await GraphModel.open(path, { rows: 256, sequences: 1 }).catch((thrown) => thrown);
    expect(StepwrightError.is(error, "model-invalid")).toBe(true);
    expect(error.message).toMatch(message);
    expect(error.remedy).toMatch(/graph:/);
  });
});

describe("tensors that do not fit", () => {
  const content = tinyFamilyContent("qwen3");
  const refusal = async (changed: GgufContent) => {
    const path = join(folder, "misshapen.gguf");
    await writeGguf(path, changed);
    const error = await GraphModel.open(path, { rows: 256, sequences: 1 }).catch((thrown) => thrown);
    expect(StepwrightError.is(error, "model-invalid")).toBe(true);
    return error.message;
  };

  it.each(content.tensors.filter(({ name }) => !/blk\.0\.|_norm\.weight/.test(name)).map(({ name }) => name))(
    "are refused before ggml sees them: %s",
    async (name) => {
      const tensors = content.tensors.map((tensor) => {
        if (tensor.name !== name) return tensor;
        const shape = tensor.shape.with(-1, tensor.shape.at(-1)! - 2);
        return {
          ...tensor,
          shape,
          data: (tensor.data as Float32Array).slice(0, shape[0]! * (shape[1] ?? 1)),
        };
      });
      expect(await refusal({ ...content, tensors })).toContain(`"${name}"`);
    },
  );

  it("are missed by name", async () => {
    const tensors = content.tensors.filter(({ name }) => name !== "blk.1.ffn_gate.weight");
    expect(await refusal({ ...content, tensors })).toContain('lacks the tensor "blk.1.ffn_gate.weight"');
  });
});

describe("weights", () => {
  const types: TensorTypeName[] = ["F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "IQ4_NL", "MXFP4"];
  const wide: TensorTypeName[] = ["Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_XS", "TQ2_0"];

  it.each([...types, ...wide])("stored as %s give libllama's laws", async (type) => {
    const native = loadNative();
    const content = tinyFamilyContent("qwen3", { width: 256, heads: 4, feedForward: 512, metadata: [] });
    const headed = content.metadata.map((entry) =>
      /\.(key|value)_length$/.test(entry.key) ? { ...entry, value: 64 } : entry,
    ) as typeof content.metadata;
    const tensors = content.tensors.map((tensor) => {
      const { name, shape, data } = tensor;
      if (name.includes("_norm.") && name.startsWith("blk.") && shape[0] === 16) {
        return { ...tensor, shape: [64], data: new Float32Array(64).fill(1) };
      }
      if (shape.length < 2) return tensor;
      return { ...tensor, type, data: quantizeRows(native, type, data as Float32Array, shape[0]!) };
    });
    expect(await greatestDifference({ metadata: headed, tensors }, type, 5)).toBeLessThan(1e-5);
  });
});
