/** Thrift's compact encoding, as far as Parquet's headers use it: structs become maps from field number to value. */

export type ThriftValue = number | boolean | Uint8Array | readonly ThriftValue[] | ThriftStruct;
export type ThriftStruct = ReadonlyMap<number, ThriftValue>;

const deepest = 32;

export class ThriftReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** Where reading goes on. */
  get position(): number {
    return this.#at;
  }

  /** Throws a plain error for bytes that are no struct. */
  readStruct(depth = 0): ThriftStruct {
    if (depth > deepest) throw new Error("its header is nested too deeply");
    const fields = new Map<number, ThriftValue>();
    let id = 0;
    for (;;) {
      const byte = this.#byte();
      if (byte === 0) return fields;
      const step = byte >> 4;
      id = step === 0 ? this.#zigzag() : id + step;
      fields.set(id, this.#value(byte & 15, depth));
    }
  }

  #value(type: number, depth: number): ThriftValue {
    switch (type) {
      case 1:
        return true;
      case 2:
        return false;
      case 3:
        return (this.#byte() << 24) >> 24;
      case 4:
      case 5:
      case 6:
        return this.#zigzag();
      case 7:
        return new DataView(this.#take(8).slice().buffer).getFloat64(0, true);
      case 8:
        return this.#take(this.#varint());
      case 9:
      case 10:
        return this.#list(depth + 1);
      case 12:
        return this.readStruct(depth + 1);
      default:
        throw new Error(`its header holds a value of unknown type ${type}`);
    }
  }

  #list(depth: number): ThriftValue[] {
    if (depth > deepest) throw new Error("its header is nested too deeply");
    const byte = this.#byte();
    const type = byte & 15;
    const size = byte >> 4 === 15 ? this.#varint() : byte >> 4;
    const values: ThriftValue[] = [];
    for (let index = 0; index < size; index++) {
      // In a list a truth value is a byte of its own.
      values.push(type === 1 || type === 2 ? this.#byte() === 1 : this.#value(type, depth));
    }
    return values;
  }

  #zigzag(): number {
    const value = this.#varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** Exact up to 2^53, which no count or offset of a file that can be read exceeds. */
  #varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.#byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
      if (scale > 2 ** 63) throw new Error("a number in its header is too long");
    }
  }

  #byte(): number {
    return this.#take(1)[0]!;
  }

  #take(count: number): Uint8Array {
    const end = this.#at + count;
    if (end > this.#bytes.length) throw new Error("its header is cut off");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }
}
