/** Memory outside the JavaScript heap, at an address that stays: what C keeps pointers to. */
import koffi from "koffi";

export class NativeMemory {
  readonly address: bigint;
  #bytes: ArrayBuffer | undefined;

  /** Zeroed memory of so many bytes. */
  constructor(size: number) {
    this.address = koffi.alloc("uint8_t", size) as bigint;
    this.#bytes = koffi.view(this.address, size);
    new Uint8Array(this.#bytes).fill(0);
  }

  /** The memory itself, no copy. Throws once it is freed. */
  get bytes(): ArrayBuffer {
    if (this.#bytes === undefined) throw new Error("native memory was used after it was freed");
    return this.#bytes;
  }

  free(): void {
    if (this.#bytes === undefined) return;
    this.#bytes = undefined;
    koffi.free(this.address);
  }
}

/** Reads memory that a library owns, in place. It is valid only as long as the library keeps it. */
export function viewFloats(address: bigint, count: number): Float32Array {
  return new Float32Array(koffi.view(address, count * Float32Array.BYTES_PER_ELEMENT));
}
