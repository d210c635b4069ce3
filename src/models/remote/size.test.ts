import { describe, expect, test } from "vitest";
import { remoteSize } from "./size.js";

describe("the size of a served model", () => {
  test("what is given wins over what is told", () => {
    const told = { parameters: 5e8, width: 896, vocabulary: 151_936, context: 8192, bytes: 4e8 };
    expect(remoteSize("m", told, { parameters: 6e8, layers: 24, width: 900, context: 100 })).toEqual({
      parameters: 6e8,
      multiplied: 6e8,
      layers: 24,
      attentionWidth: 900,
      vocabulary: 151_936,
      context: 100,
      bytes: 4e8,
    });
  });

  test.each([
    ["of 7 billion", 7e9, 32, 4096],
    ["of 70 billion", 70e9, 80, 8192],
  ])("a model %s is guessed to have about its usual shape", (_, parameters, layers, width) => {
    const size = remoteSize("m", {}, { parameters });
    expect(size.layers / layers).toBeGreaterThan(0.6);
    expect(size.layers / layers).toBeLessThan(1.7);
    expect(size.attentionWidth / width).toBeGreaterThan(0.6);
    expect(size.attentionWidth / width).toBeLessThan(1.7);
  });

  test("without parameters it is refused, with what to write", () => {
    expect(() => remoteSize("m", { width: 64 }, {})).toThrow(/how large m is/);
  });
});
