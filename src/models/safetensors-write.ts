/** Writes safetensors files: 8 bytes of length, a JSON table, then the numbers of each tensor in order. */

export interface SafetensorsTensor {
  readonly name: string;
  /** Slowest dimension first. */
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** All tensors as F32. */
export function encodeSafetensors(tensors: readonly SafetensorsTensor[]): Uint8Array {
  const table: Record<string, unknown> = { __metadata__: { format: "pt" } };
  let offset = 0;
  for (const { name, shape, data } of tensors) {
    const end = offset + data.byteLength;
    table[name] = { dtype: "F32", shape, data_offsets: [offset, end] };
    offset = end;
  }
  const text = JSON.stringify(table);
  // Spaces fill up to where eight-byte numbers may begin.
  const header = Buffer.from(text.padEnd(8 * Math.ceil(Buffer.byteLength(text) / 8)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const numbers = tensors.map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  return Buffer.concat([length, header, ...numbers]);
}
