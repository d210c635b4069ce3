/**
 * Small ggml graphs over one row of logits that stays where libllama wrote it. A graph is built once for a
 * vocabulary and pointed at row after row.
 */
import koffi from "koffi";
import { StepwrightError } from "../core/errors.js";
import { enums, layouts } from "./bindings.generated.js";
import { blockLength } from "./blocked-row.js";
import type { CpuBackend } from "./ggml/cpu-backend.js";
import type { Native } from "./load.js";
import { NativeMemory, viewFloats } from "./native-memory.js";

const { GGML_TYPE_F32 } = enums.ggml_type;
const { GGML_STATUS_SUCCESS } = enums.ggml_status;
const tensorOffsets = layouts.ggml_tensor!.offsets;
/** More nodes than any graph here has. */
const graphCapacity = 16;

/** A context of tensors and the graph that computes `build`'s tensors from one row of `length` logits. */
export class RowGraph<Name extends string> {
  readonly #backend: CpuBackend;
  readonly #context: bigint;
  readonly #graph: bigint;
  readonly #buffer: bigint;
  readonly #row: bigint;
  readonly #tensors: Record<Name, bigint>;

  constructor(
    backend: CpuBackend,
    length: number,
    build: (native: Native, context: bigint, row: bigint) => Record<Name, bigint | null>,
  ) {
    const { native } = backend;
    this.#backend = backend;
    const size =
      graphCapacity * native.ggml_tensor_overhead() + native.ggml_graph_overhead_custom(graphCapacity, false);
    const context = native.ggml_init({ mem_size: size, mem_buffer: null, no_alloc: true });
    if (context === null) throw outOfMemory();
    this.#context = context;
    const row = native.ggml_new_tensor_1d(context, GGML_TYPE_F32, length)!;
    // Any address marks the row as already placed, so that it gets no memory of its own.
    koffi.encode(row, tensorOffsets.data!, "void *", row);
    this.#row = row;
    const tensors = build(native, context, row);
    this.#graph = native.ggml_new_graph_custom(context, graphCapacity, false)!;
    for (const tensor of Object.values<bigint | null>(tensors))
      native.ggml_build_forward_expand(this.#graph, tensor);
    const buffer = native.ggml_backend_alloc_ctx_tensors(context, backend.handle);
    if (buffer === null) {
      native.ggml_free(context);
      throw outOfMemory();
    }
    this.#buffer = buffer;
    this.#tensors = tensors as Record<Name, bigint>;
  }

  /** Address of a tensor's data. */
  data(name: Name): bigint {
    return koffi.decode(this.#tensors[name], tensorOffsets.data!, "void *") as bigint;
  }

  /** The tensor's numbers in place: they change with every `compute`. */
  floats(name: Name, count: number): Float32Array {
    return viewFloats(this.data(name), count);
  }

  setFloatParameter(name: Name, index: number, value: number): void {
    koffi.encode(this.#tensors[name], tensorOffsets.op_params! + 4 * index, "float", value);
  }

  /** Runs the graph over the row at `address`. */
  compute(address: bigint): void {
    koffi.encode(this.#row, tensorOffsets.data!, "void *", address);
    const status = this.#backend.native.ggml_backend_graph_compute(this.#backend.handle, this.#graph);
    if (status !== GGML_STATUS_SUCCESS) {
      throw new StepwrightError("engine-failed", `reading a row of logits failed with ggml status ${status}`);
    }
  }

  free(): void {
    this.#backend.native.ggml_backend_buffer_free(this.#buffer);
    this.#backend.native.ggml_free(this.#context);
  }
}

/** The row's law at a temperature: `probabilities`, the sums of their whole blocks, and sum(p * logit). */
export class LawGraph {
  readonly probabilities: Float32Array;
  readonly blockSums: Float32Array;
  readonly #cross: Float32Array;
  readonly #graph: RowGraph<"probabilities" | "sums" | "cross">;
  readonly #ones = new NativeMemory(4 * blockLength);

  /** With `lowest`, logits below it count as it in sum(p * logit): 0 * -infinity is not a number. */
  constructor(backend: CpuBackend, length: number, lowest?: number) {
    const blocks = Math.floor(length / blockLength);
    new Float32Array(this.#ones.bytes).fill(1);
    this.#graph = new RowGraph(backend, length, (native, context, row) => {
      const probabilities = native.ggml_soft_max_ext(context, row, null, 1, 0);
      const finite = lowest === undefined ? row : native.ggml_clamp(context, row, lowest, largestFloat);
      const cross = native.ggml_mul_mat(context, finite, probabilities);
      if (blocks === 0) return { probabilities, sums: probabilities, cross };
      const ones = native.ggml_new_tensor_1d(context, GGML_TYPE_F32, blockLength)!;
      koffi.encode(ones, tensorOffsets.data!, "void *", this.#ones.address);
      const whole = native.ggml_view_2d(context, probabilities, blockLength, blocks, 4 * blockLength, 0);
      return { probabilities, sums: native.ggml_mul_mat(context, whole, ones), cross };
    });
    this.probabilities = this.#graph.floats("probabilities", length);
    this.blockSums = blocks === 0 ? new Float32Array(0) : this.#graph.floats("sums", blocks);
    this.#cross = this.#graph.floats("cross", 1);
  }

  /** Sum of p * logit. */
  get cross(): number {
    return this.#cross[0]!;
  }

  compute(address: bigint, temperature: number): void {
    this.#graph.setFloatParameter("probabilities", 0, 1 / temperature);
    this.#graph.compute(address);
  }

  free(): void {
    this.#graph.free();
    this.#ones.free();
  }
}

const largestFloat = 3.4028234663852886e38;

/** The ids of the `count` greatest logits, in no order. */
export class LargestGraph {
  readonly ids: Int32Array;
  readonly #graph: RowGraph<"ids">;

  constructor(backend: CpuBackend, length: number, count: number) {
    this.#graph = new RowGraph(backend, length, (native, context, row) => ({
      ids: native.ggml_top_k(context, row, count),
    }));
    this.ids = new Int32Array(koffi.view(this.#graph.data("ids"), 4 * count));
  }

  compute(address: bigint): void {
    this.#graph.compute(address);
  }

  free(): void {
    this.#graph.free();
  }
}

function outOfMemory(): StepwrightError {
  return new StepwrightError("engine-failed", "no memory for reading logits", {
    remedy: "close other programs, or use fewer KV cells",
  });
}
