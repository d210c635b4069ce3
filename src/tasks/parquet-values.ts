/** The encodings of values and levels in Parquet's pages (Encodings.md of the format). Throws plain errors. */

export type ParquetValue = string | number | boolean | null;

/** Parquet's numbers for its physical types. */
export const physicalTypes = { boolean: 0, int32: 1, int64: 2, float: 4, double: 5, byteArray: 6 } as const;

/** The hybrid of runs and packed bits: `count` numbers of `width` bits. */
export function readHybrid(bytes: Uint8Array, width: number, count: number): number[] {
  const values: number[] = [];
  if (width === 0) return new Array<number>(count).fill(0);
  if (width > 32) throw new Error("its numbers are too wide");
  let at = 0;
  while (values.length < count) {
    let header = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined || shift > 28) throw new Error("a run of values is cut off");
      header += (byte & 127) * 2 ** shift;
      if (byte < 128) break;
    }
    if (header % 2 === 0) {
      const value = littleEndian(bytes, at, Math.ceil(width / 8));
      at += Math.ceil(width / 8);
      const length = Math.min(header / 2, count - values.length);
      for (let index = 0; index < length; index++) values.push(value);
      continue;
    }
    const packed = ((header - 1) / 2) * width;
    if (at + packed > bytes.length + width) throw new Error("packed values are cut off");
    const length = Math.min(((header - 1) / 2) * 8, count - values.length);
    for (let index = 0; index < length; index++) values.push(bitsAt(bytes, at * 8 + index * width, width));
    at += packed;
  }
  return values;
}

/** `count` values one after another. */
export function readPlain(bytes: Uint8Array, type: number, count: number): ParquetValue[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder();
  const values: ParquetValue[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    switch (type) {
      case physicalTypes.boolean:
        values.push(bitsAt(bytes, index, 1) === 1);
        break;
      case physicalTypes.int32:
        values.push(view.getInt32(at, true));
        at += 4;
        break;
      case physicalTypes.int64:
        values.push(Number(view.getBigInt64(at, true)));
        at += 8;
        break;
      case physicalTypes.float:
        values.push(view.getFloat32(at, true));
        at += 4;
        break;
      case physicalTypes.double:
        values.push(view.getFloat64(at, true));
        at += 8;
        break;
      case physicalTypes.byteArray: {
        const end = at + 4 + view.getUint32(at, true);
        if (end > bytes.length) throw new Error("a text is cut off");
        values.push(decoder.decode(bytes.subarray(at + 4, end)));
        at = end;
        break;
      }
      default:
        throw new Error(`it holds values of type ${type}, which stepwright does not read`);
    }
  }
  return values;
}

function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  if (at + count > bytes.length) throw new Error("a run of values is cut off");
  let value = 0;
  for (let index = 0; index < count; index++) value += bytes[at + index]! * 2 ** (8 * index);
  return value;
}

/** Bits are counted from the lowest of each byte. */
function bitsAt(bytes: Uint8Array, start: number, width: number): number {
  let value = 0;
  for (let bit = 0; bit < width; bit++) {
    const byte = bytes[(start + bit) >> 3];
    if (byte === undefined) throw new Error("packed values are cut off");
    value += ((byte >> ((start + bit) & 7)) & 1) * 2 ** bit;
  }
  return value;
}
