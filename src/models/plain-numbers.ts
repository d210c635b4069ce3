/** Little-endian floats of the common widths as 32-bit numbers. */

/** Bytes of one number. */
export const numberBytes = { F32: 4, F16: 2, BF16: 2, F64: 8 } as const;

export type NumberFormat = keyof typeof numberBytes;

const getters: Readonly<Record<NumberFormat, (view: DataView, at: number) => number>> = {
  F32: (view, at) => view.getFloat32(at, true),
  F64: (view, at) => view.getFloat64(at, true),
  F16: (view, at) => halfValue(view.getUint16(at, true)),
  BF16: (view, at) => brainValue(view.getUint16(at, true)),
};

/** `bytes` is a whole number of numbers long. */
export function decodeNumbers(bytes: Uint8Array, format: NumberFormat): Float32Array {
  const size = numberBytes[format];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const get = getters[format];
  return Float32Array.from({ length: bytes.length / size }, (_, index) => get(view, index * size));
}

/** Value of a 16-bit float: 1 sign, 5 exponent, 10 fraction bits. */
export function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const scratch = new DataView(new ArrayBuffer(4));

/** Value of a 16-bit brain float: the upper half of a 32-bit one. */
function brainValue(bits: number): number {
  scratch.setUint32(0, bits * 65536);
  return scratch.getFloat32(0);
}
