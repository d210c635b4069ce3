/** A model with fixed weights that reads packed batches: the teacher of a distillation. */
import { forwardNodes } from "../models/graph/transformer.js";
import { CpuBackend } from "../native/ggml/cpu-backend.js";
import { Graph, GraphMemory } from "../native/ggml/graph.js";
import type { Tensor } from "../native/ggml/tensor.js";
import { type TensorBuffer, TensorContext } from "../native/ggml/tensor-context.js";
import type { Native } from "../native/load.js";
import { type Weights, weightShapes } from "./initial-weights.js";
import type { ModelSizes } from "./model-recipe.js";
import { PackedInputs } from "./packed-inputs.js";
import type { BatchRoom, PackedBatch } from "./packing.js";

export class PackedModel {
  readonly #backend: CpuBackend;
  readonly #state: TensorContext;
  readonly #compute: TensorContext;
  readonly #buffer: TensorBuffer;
  readonly #memory: GraphMemory;
  readonly #graph: Graph;
  readonly #inputs: PackedInputs;
  readonly #logits: Tensor;

  constructor(native: Native, sizes: ModelSizes, weights: Weights, room: BatchRoom, rowLength: number) {
    const shapes = weightShapes(sizes);
    this.#backend = new CpuBackend(native);
    this.#state = new TensorContext(native, { tensors: shapes.size + 8 });
    const tensors = new Map<string, Tensor>();
    for (const [name, shape] of shapes) tensors.set(name, this.#state.tensor("F32", ...shape));
    this.#inputs = new PackedInputs(this.#state, room, rowLength);
    this.#buffer = this.#state.allocate(this.#backend.plain);
    for (const [name, tensor] of tensors) tensor.floats().set(weights.get(name)!);

    const nodes = forwardNodes(sizes.layers);
    this.#compute = new TensorContext(native, { tensors: 2 * nodes, graphNodes: nodes });
    const { logits } = this.#inputs.build(this.#compute, sizes, {
      find: (name) => tensors.get(name),
    });
    this.#logits = this.#compute.output(logits);
    this.#graph = new Graph(this.#compute, nodes);
    this.#graph.expand(logits);
    this.#memory = new GraphMemory(this.#compute, this.#backend.plain);
    this.#memory.allocate(this.#graph);
  }

  /** Logits at the batch's places with a loss, row after row, in place: valid until the next call. */
  async logits(batch: PackedBatch): Promise<Float32Array> {
    this.#inputs.fill(batch);
    await this.#backend.computeAside(this.#graph);
    return this.#logits.floats();
  }

  free(): void {
    this.#memory.free();
    this.#compute.free();
    this.#buffer.free();
    this.#state.free();
    this.#backend.free();
  }
}
