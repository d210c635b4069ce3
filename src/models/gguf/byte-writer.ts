import { type ElementType, valueBytes } from "./format.js";

export type Scalar = number | bigint | boolean | string;

const setters: Readonly<
  Record<Exclude<ElementType, "string">, (view: DataView, at: number, value: Scalar) => void>
> = {
  uint8: (view, at, value) => view.setUint8(at, Number(value)),
  int8: (view, at, value) => view.setInt8(at, Number(value)),
  uint16: (view, at, value) => view.setUint16(at, Number(value), true),
  int16: (view, at, value) => view.setInt16(at, Number(value), true),
  uint32: (view, at, value) => view.setUint32(at, Number(value), true),
  int32: (view, at, value) => view.setInt32(at, Number(value), true),
  float32: (view, at, value) => view.setFloat32(at, Number(value), true),
  bool: (view, at, value) => view.setInt8(at, value ? 1 : 0),
  uint64: (view, at, value) => view.setBigUint64(at, BigInt(value), true),
  int64: (view, at, value) => view.setBigInt64(at, BigInt(value), true),
  float64: (view, at, value) => view.setFloat64(at, Number(value), true),
};

/** A growing buffer of little-endian values, as GGUF lays them out: strings follow their length in 64 bits. */
export class ByteWriter {
  length = 0;
  #buffer = new Uint8Array(4096);
  #view = new DataView(this.#buffer.buffer);

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  scalar(type: ElementType, value: Scalar): void {
    if (type === "string") {
      const text = new TextEncoder().encode(String(value));
      this.scalar("uint64", text.length);
      this.bytes(text);
    } else {
      this.#reserve(8);
      setters[type](this.#view, this.length, value);
      this.length += valueBytes[type];
    }
  }

  copyTo(target: Uint8Array): void {
    target.set(this.#buffer.subarray(0, this.length));
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.length + count));
    grown.set(this.#buffer.subarray(0, this.length));
    this.#buffer = grown;
    this.#view = new DataView(grown.buffer);
  }
}
