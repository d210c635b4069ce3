import { describe, expect, it } from "vitest";
import { estimateMemory } from "./memory-estimate.js";

describe("estimateMemory", () => {
  it("counts a key and a value of 16-bit numbers per cell, layer and head", () => {
    // Qwen2.5 0.5B: 24 layers, 2 KV heads of 64: 12 KiB per cell.
    const request = { weights: 491_400_064, cells: 4096, layers: 24, kvHeads: 2, headSize: 64 };
    expect(estimateMemory(request)).toEqual({
      weights: 491_400_064,
      cache: 4096 * 12_288,
      total: 491_400_064 + 4096 * 12_288,
    });
  });

  it("stays exact beyond 32 bits", () => {
    const { cache } = estimateMemory({ weights: 0, cells: 1_048_576, layers: 80, kvHeads: 8, headSize: 128 });
    expect(cache).toBe(1_048_576 * 80 * 8 * 128 * 4);
  });
});
