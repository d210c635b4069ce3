/** Reads little-endian values from a source with a fixed buffer; every length is checked against the file first. */
import { StepwrightError } from "../../core/errors.js";
import type { ByteSource } from "./source.js";

const chunkBytes = 1 << 20;
/** The largest vocabularies of today need about 16 MiB. */
const longestHeader = 128 * 2 ** 20;

export function invalidModel(name: string, problem: string, remedy?: string): StepwrightError {
  return new StepwrightError("model-invalid", `${name} is not a usable GGUF file: ${problem}`, {
    subject: name,
    remedy: remedy ?? "download or convert the model again",
  });
}

/** A name out of a file, fit for a message: short and without control characters. */
export function shown(name: string): string {
  const plain = name.replace(/\p{C}/gu, "?");
  return `"${plain.length > 60 ? `${plain.slice(0, 60)}...` : plain}"`;
}

export class HeaderReader {
  /** Position in the file of the next byte. */
  offset = 0;
  #chunk: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #start = 0;

  constructor(readonly source: ByteSource) {}

  fail(problem: string): StepwrightError {
    return invalidModel(this.source.name, problem);
  }

  /** Whether the next `count` bytes are buffered: loops over many small values only await when this is false. */
  has(count: number): boolean {
    return this.offset - this.#start + count <= this.#chunk.length;
  }

  /** Buffers the next `count` bytes (at most a chunk), or throws that the file ends too early. */
  async need(count: number): Promise<void> {
    if (this.has(count)) return;
    this.#checkRange(count);
    const length = Math.max(count, chunkBytes);
    this.#chunk = await this.source.read(this.offset, length);
    this.#view = new DataView(this.#chunk.buffer, this.#chunk.byteOffset, this.#chunk.byteLength);
    this.#start = this.offset;
    if (!this.has(count)) throw this.fail(`it ends at byte ${this.source.size}, inside its header`);
  }

  skip(count: number): void {
    this.#checkRange(count);
    this.offset += count;
  }

  /** The buffered bytes that follow; a view, overwritten by the next `need`. */
  take(count: number): Uint8Array {
    const from = this.offset - this.#start;
    this.offset += count;
    return this.#chunk.subarray(from, from + count);
  }

  /** The buffered value that follows, read by a DataView method. */
  value<T>(bytes: number, read: (view: DataView, at: number) => T): T {
    const value = read(this.#view, this.offset - this.#start);
    this.offset += bytes;
    return value;
  }

  /** The buffered unsigned 64-bit value that follows, rounded above 2^53: only good for comparing with limits. */
  length(): number {
    const at = this.offset - this.#start;
    this.offset += 8;
    return this.#view.getUint32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true);
  }

  #checkRange(count: number): void {
    if (!(this.offset + count <= this.source.size)) {
      throw this.fail(`it ends at byte ${this.source.size}, inside its header`);
    }
    if (this.offset + count > longestHeader) throw this.fail("its header is longer than 128 MiB");
  }
}

/** A name: UTF-8 text of bounded length without zero bytes. */
export async function readName(reader: HeaderReader, what: string, longest: number): Promise<string> {
  await reader.need(8);
  const length = reader.length();
  if (length > longest) throw reader.fail(`a ${what} has ${length} bytes; at most ${longest} are accepted`);
  if (length === 0) throw reader.fail(`a ${what} is empty`);
  await reader.need(length);
  const name = Buffer.from(reader.take(length)).toString("utf8");
  if (name.includes("\0")) throw reader.fail(`the ${what} ${shown(name)} holds a zero byte`);
  return name;
}
