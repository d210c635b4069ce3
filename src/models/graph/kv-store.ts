/** Keys and values of all layers, in rows: a row holds one token's keys (and values) of all heads of a layer. */
import type { BufferType } from "../../native/ggml/cpu-backend.js";
import type { Tensor } from "../../native/ggml/tensor.js";
import { type TensorBuffer, TensorContext } from "../../native/ggml/tensor-context.js";
import type { Native } from "../../native/load.js";
import type { TransformerConfig } from "./config.js";
import { RowTable, type RowTableOptions } from "./row-table.js";

export class KvStore {
  readonly table: RowTable;
  /** One per layer, F16 [headSize * kvHeads, rows], keys rotated. */
  readonly keys: readonly Tensor[];
  readonly values: readonly Tensor[];
  readonly #context: TensorContext;
  readonly #buffer: TensorBuffer;
  readonly #memory: Uint16Array[];
  readonly #width: number;
  readonly #headSize: number;

  constructor(native: Native, type: BufferType, config: TransformerConfig, options: RowTableOptions) {
    this.table = new RowTable(options);
    this.#headSize = config.headSize;
    this.#width = config.headSize * config.kvHeads;
    this.#context = new TensorContext(native, { tensors: 2 * config.layers });
    const declare = () =>
      Array.from({ length: config.layers }, () => this.#context.tensor("F16", this.#width, options.rows));
    this.keys = declare();
    this.values = declare();
    this.#buffer = this.#context.allocate(type);
    this.#memory = [...this.keys, ...this.values].map((tensor) => tensor.halves());
    // A row that was never written must not hold a NaN: masks do not hide those.
    for (const memory of this.#memory) memory.fill(0);
  }

  /** Lets `to` hold what `from` holds: the same rows, or copies where sequences are separate. False without room. */
  share(from: number, to: number): boolean {
    if (from === to) return true;
    const { table } = this;
    if (!table.separate) {
      table.share(from, to);
      return true;
    }
    table.remove(to, 0, -1);
    for (const row of table.rowsOf(from)) {
      const copy = table.append([to], table.positions[row]!);
      if (copy < 0) return false;
      this.copyRow(row, copy);
    }
    return true;
  }

  /** Bits of a layer's 16-bit floats, in place. */
  memory(layer: number): { keys: Uint16Array; values: Uint16Array } {
    return { keys: this.#memory[layer]!, values: this.#memory[this.keys.length + layer]! };
  }

  /** Copies all layers of a row. */
  copyRow(from: number, to: number): void {
    const width = this.#width;
    for (const memory of this.#memory) memory.copyWithin(to * width, from * width, (from + 1) * width);
  }

  /** Copies keys and values of one head of one layer. */
  copyHead(layer: number, kvHead: number, from: number, to: number): void {
    const at = (row: number) => row * this.#width + kvHead * this.#headSize;
    for (const memory of Object.values(this.memory(layer))) {
      memory.copyWithin(at(to), at(from), at(from) + this.#headSize);
    }
  }

  free(): void {
    this.#buffer.free();
    this.#context.free();
  }
}
