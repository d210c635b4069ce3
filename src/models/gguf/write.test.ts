import { describe, expect, it } from "vitest";
import { encodeGguf, halfBits } from "./write.js";

describe("halfBits", () => {
  it.each([
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519.9, 0x7bff],
    [65520, 0x7c00],
    [Number.POSITIVE_INFINITY, 0x7c00],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [1.5 * 2 ** -24, 0x0002],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [1023.9999 * 2 ** -24, 0x0400],
  ])("rounds %d to %i", (value, bits) => {
    expect(halfBits(value)).toBe(bits);
  });

  it("keeps every finite half as it is", () => {
    for (let bits = 0; bits < 0x7c00; bits++) {
      const exponent = bits >>> 10;
      const fraction = bits & 0x3ff;
      const value = exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
      if (halfBits(value) !== bits) expect(halfBits(value)).toBe(bits);
    }
    expect(halfBits(Number.NaN) & 0x7fff).toBeGreaterThan(0x7c00);
  });
});

describe("encodeGguf", () => {
  it("lays out header, entry and tensor as ggml does", () => {
    const file = encodeGguf({
      metadata: [{ key: "a", type: "uint32", value: 7 }],
      tensors: [{ name: "w", shape: [2], type: "F32", data: Float32Array.of(1, -2) }],
    });
    expect(Buffer.from(file).toString("hex")).toBe(
      [
        "47475546" + "03000000" + "0100000000000000" + "0100000000000000",
        "0100000000000000" + "61" + "04000000" + "07000000",
        "0100000000000000" + "77" + "01000000" + "0200000000000000" + "00000000" + "0000000000000000",
        "00".repeat(96 - 24 - 17 - 33),
        `0000803f000000c0${"00".repeat(24)}`,
      ].join(""),
    );
  });

  it("refuses data that does not fill the shape", () => {
    const tensor = { name: "w", shape: [3], type: "F32", data: Float32Array.of(1, 2) };
    expect(() => encodeGguf({ metadata: [], tensors: [tensor] })).toThrow(/8 bytes where its shape needs 12/);
    expect(() => encodeGguf({ metadata: [], tensors: [{ ...tensor, type: "Q4_0" }] })).toThrow(
      /whole blocks/,
    );
    expect(() => encodeGguf({ metadata: [], tensors: [{ ...tensor, type: "Q9" }] })).toThrow(
      /unknown type Q9/,
    );
  });
});
