/** Writes safetensors: 8 bytes of length, a JSON table of tensors, then their numbers. */
import type { TensorSet } from "../core/tensor.js";

/** Texts that the file says about itself. */
export type SafetensorsFacts = Readonly<Record<string, string>>;

/** All tensors as F32, in the set's order. The same input gives the same bytes. */
export function encodeSafetensors(tensors: TensorSet, facts: SafetensorsFacts = {}): Uint8Array {
  const table: Record<string, unknown> = {};
  if (Object.keys(facts).length > 0) table.__metadata__ = facts;
  let end = 0;
  for (const [name, { shape, values }] of tensors) {
    const from = end;
    end += 4 * values.length;
    table[name] = { dtype: "F32", shape, data_offsets: [from, end] };
  }
  const text = JSON.stringify(table);
  // The numbers begin at a multiple of eight bytes; blanks may follow the table.
  const header = Buffer.from(text.padEnd(text.length + ((8 - (Buffer.byteLength(text) % 8)) % 8)));
  const bytes = new Uint8Array(8 + header.length + end);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  let at = 8 + header.length;
  for (const { values } of tensors.values()) {
    for (const value of values) {
      view.setFloat32(at, value, true);
      at += 4;
    }
  }
  return bytes;
}
