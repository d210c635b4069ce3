/**
 * Stops a running computation without running JavaScript on its thread. ggml asks a callback before every graph
 * node; ours is ggml's own `ggml_is_empty`, and its argument is a made-up tensor in our memory: no dimension is
 * 0 means go on, one dimension is 0 means stop.
 */
import { layouts } from "./bindings.generated.js";
import { NativeMemory } from "./native-memory.js";

const { size, offsets } = layouts.ggml_tensor!;
const dimensions = 4;

export class AbortFlag {
  readonly #tensor = new NativeMemory(size);
  readonly #shape: BigInt64Array;

  constructor() {
    this.#shape = new BigInt64Array(this.#tensor.bytes, offsets.ne, dimensions);
    this.clear();
  }

  /** What C gets as the callback's data. */
  get address(): bigint {
    return this.#tensor.address;
  }

  clear(): void {
    this.#shape.fill(1n);
  }

  raise(): void {
    Atomics.store(this.#shape, 0, 0n);
  }

  free(): void {
    this.#tensor.free();
  }
}
