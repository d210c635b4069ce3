/** A computation graph of ggml, and the memory its intermediate tensors share. */
import { StepwrightError } from "../../core/errors.js";
import type { BufferType } from "./cpu-backend.js";
import { Tensor } from "./tensor.js";
import type { TensorContext } from "./tensor-context.js";

export class Graph {
  readonly handle: bigint;
  readonly #context: TensorContext;

  /** Room for so many nodes and leaves; `gradients` makes room for a backward pass (count its nodes too). */
  constructor(context: TensorContext, nodes: number, options: { gradients?: boolean } = {}) {
    const { native, handle } = context;
    this.#context = context;
    this.handle = native.ggml_new_graph_custom(handle, nodes, options.gradients ?? false)!;
  }

  get nodes(): number {
    return this.#context.native.ggml_graph_n_nodes(this.handle);
  }

  /** Appends the tensor and what it is computed from; nodes run in the order in which they were appended. */
  expand(tensor: Tensor): Tensor {
    this.#context.native.ggml_build_forward_expand(this.handle, tensor.address);
    return tensor;
  }

  /**
   * Appends the gradients of the loss with respect to the parameters. `accumulators` holds a tensor for each forward
   * node whose gradient must have memory of its own, by node index.
   */
  expandBackward(accumulators: ReadonlyMap<number, Tensor> = new Map()): void {
    const pointers = new BigUint64Array(this.nodes);
    for (const [node, tensor] of accumulators) pointers[node] = tensor.address;
    const { native, handle } = this.#context;
    native.ggml_build_backward_expand(handle, this.handle, pointers);
  }

  /** The gradient of the loss with respect to a tensor, null where none flows to it. */
  gradient(tensor: Tensor): Tensor | null {
    const address = this.#context.native.ggml_graph_get_grad(this.handle, tensor.address);
    return address === null ? null : new Tensor(address);
  }

  /** Sets gradients to zero and the loss's own to one. */
  reset(): void {
    this.#context.native.ggml_graph_reset(this.handle);
  }
}

/** Places a graph's tensors in one buffer, reusing the memory of those that are no longer needed. */
export class GraphMemory {
  readonly #context: TensorContext;
  readonly #handle: bigint;

  constructor(context: TensorContext, type: BufferType) {
    this.#context = context;
    this.#handle = context.native.ggml_gallocr_new(type)!;
  }

  /** @throws StepwrightError `engine-failed` when there is no memory */
  allocate(graph: Graph): void {
    if (this.#context.native.ggml_gallocr_alloc_graph(this.#handle, graph.handle)) return;
    throw new StepwrightError("engine-failed", "no memory for a computation", {
      remedy: "use smaller batches, or close other programs",
    });
  }

  get bytes(): number {
    return this.#context.native.ggml_gallocr_get_buffer_size(this.#handle, 0);
  }

  free(): void {
    this.#context.native.ggml_gallocr_free(this.#handle);
  }
}
