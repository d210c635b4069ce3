/**
 * The two graphs of an optimiser step: one adds the gradients of a batch's loss to their accumulators, the other moves
 * the weights by AdamW. All state (weights, moments, gradients) stays where ggml put it.
 */

import { llamaConfig } from "../models/graph/config.js";
import { PackedAttention } from "../models/graph/packed-attention.js";
import { forwardNodes, Transformer } from "../models/graph/transformer.js";
import { CpuBackend } from "../native/ggml/cpu-backend.js";
import { Graph, GraphMemory } from "../native/ggml/graph.js";
import type { Tensor } from "../native/ggml/tensor.js";
import { type TensorBuffer, TensorContext } from "../native/ggml/tensor-context.js";
import type { Native } from "../native/load.js";
import { type Weights, weightShapes } from "./initial-weights.js";
import { defaultNormEpsilon, defaultRopeBase, type ModelSizes } from "./model-recipe.js";
import type { BuiltObjective, Objective } from "./objective.js";
import { adamParameterCount, adamStep } from "./operations.js";
import { type BatchRoom, fillMask, type PackedBatch } from "./packing.js";

/** What one optimiser step uses. */
export interface StepSettings {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Steps taken before this one. */
  readonly stepsDone: number;
}

export interface StepFigures {
  /** Mean over the places with a loss. */
  readonly loss: number;
  /** Share of them that was predicted right. */
  readonly accuracy: number;
}

interface Trained {
  readonly weight: Tensor;
  readonly gradient: Tensor;
  readonly moments: readonly [Tensor, Tensor];
}

export class TrainingGraph<Batch extends PackedBatch> {
  readonly #backend: CpuBackend;
  readonly #state: TensorContext;
  readonly #compute: TensorContext;
  readonly #buffer: TensorBuffer;
  readonly #memory: GraphMemory;
  readonly #gradientGraph: Graph;
  readonly #updateGraph: Graph;
  readonly #objective: BuiltObjective<Batch>;
  readonly #trained = new Map<string, Trained>();
  readonly #inputs;
  readonly #adam: { readonly decayed: Tensor; readonly plain: Tensor };
  readonly #lossGradient: Tensor;

  constructor(
    native: Native,
    sizes: ModelSizes,
    room: BatchRoom,
    rowLength: number,
    objective: Objective<Batch>,
  ) {
    const { rows, losses } = room;
    const places = rows * rowLength;
    this.#backend = new CpuBackend(native);
    const shapes = weightShapes(sizes);
    const state = new TensorContext(native, { tensors: 4 * shapes.size + 32 });
    this.#state = state;
    for (const [name, shape] of shapes) {
      const like = () => state.tensor("F32", ...shape);
      this.#trained.set(name, {
        weight: state.parameter(like()),
        gradient: like(),
        moments: [like(), like()],
      });
    }
    this.#inputs = {
      tokens: state.tensor("I32", places),
      positions: state.tensor("I32", places),
      mask: state.tensor("F32", rowLength, rowLength, 1, rows),
      // Row 0 is zero, row 1 is one: gathering spreads a mask over a hidden state at the speed of a copy.
      keepRows: state.tensor("F32", sizes.width, 2),
      outputs: state.tensor("I32", losses),
      keep: state.tensor("I32", losses),
    };
    this.#adam = {
      decayed: state.tensor("F32", adamParameterCount),
      plain: state.tensor("F32", adamParameterCount),
    };
    this.#lossGradient = state.tensor("F32", 1);

    // Forward, backward and the objective's own.
    const graphNodes = 256 + 5 * forwardNodes(sizes.layers);
    const updateNodes = 4 * shapes.size;
    const compute = new TensorContext(native, {
      tensors: 2 * graphNodes + updateNodes,
      graphNodes: graphNodes + updateNodes,
      gradients: true,
    });
    this.#compute = compute;
    const { tokens, positions, mask, outputs, keepRows, keep } = this.#inputs;
    const transformer = new Transformer(
      compute,
      decoderConfig(sizes),
      { find: (name) => this.#trained.get(name)?.weight },
      new PackedAttention(compute, rows, mask),
      {
        // Outputs are as many as fit; of those not used the hidden state is a constant zero: no gradient comes from it or goes through it.
        at: (point, _layer, tensor) =>
          point === "hidden" ? compute.multiply(tensor, compute.getRows(keepRows, keep)) : tensor,
      },
    );
    const forward = transformer.build({ tokens, positions, outputs });
    const input = (type: "F32" | "I32", ...shape: readonly number[]) => state.tensor(type, ...shape);
    this.#objective = objective.build(compute, forward, input, losses);

    this.#buffer = state.allocate(this.#backend.plain);
    native.ggml_backend_buffer_clear(this.#buffer.handle, 0);
    keepRows.floats().fill(1, sizes.width);

    this.#gradientGraph = new Graph(compute, graphNodes, { gradients: true });
    const loss = compute.output(compute.loss(this.#objective.loss));
    this.#gradientGraph.expand(loss);
    const own = new Map([[loss.address, this.#lossGradient]]);
    for (const { weight, gradient } of this.#trained.values()) own.set(weight.address, gradient);
    const accumulators = new Map<number, Tensor>();
    for (let node = 0; node < this.#gradientGraph.nodes; node++) {
      const accumulator = own.get(native.ggml_graph_node(this.#gradientGraph.handle, node)!);
      if (accumulator) accumulators.set(node, accumulator);
    }
    this.#gradientGraph.expandBackward(accumulators);
    for (const tensor of this.#objective.outputs) this.#gradientGraph.expand(tensor);
    this.#memory = new GraphMemory(compute, this.#backend.plain);
    this.#memory.allocate(this.#gradientGraph);

    this.#updateGraph = new Graph(compute, updateNodes);
    for (const [name, { weight, gradient, moments }] of this.#trained) {
      const parameters = shapes.get(name)!.length === 1 ? this.#adam.plain : this.#adam.decayed;
      this.#updateGraph.expand(adamStep(compute, weight, gradient, moments, parameters));
    }
  }

  /** Gradients of the mean loss over all batches together; they lie in `gradient` afterwards. */
  async addGradients(batches: readonly Batch[]): Promise<StepFigures> {
    for (const { gradient } of this.#trained.values()) gradient.floats().fill(0);
    const count = batches.reduce((total, batch) => total + batch.targets.length, 0);
    let lossSum = 0;
    let rightSum = 0;
    for (const batch of batches) {
      this.#fill(batch);
      this.#lossGradient.floats()[0] = this.#objective.divisor / count;
      await this.#backend.computeAside(this.#gradientGraph);
      const { loss, right } = this.#objective.read(batch);
      lossSum += loss;
      rightSum += right;
    }
    return { loss: lossSum / count, accuracy: rightSum / count };
  }

  /** Moves the weights by the gradients that `addGradients` left. */
  async update(settings: StepSettings): Promise<void> {
    const { learningRate, beta1, beta2, epsilon, weightDecay, stepsDone } = settings;
    const corrections = [1 / (1 - beta1 ** (stepsDone + 1)), 1 / (1 - beta2 ** (stepsDone + 1))];
    this.#adam.decayed.floats().set([learningRate, beta1, beta2, epsilon, weightDecay, ...corrections]);
    this.#adam.plain.floats().set([learningRate, beta1, beta2, epsilon, 0, ...corrections]);
    await this.#backend.computeAside(this.#updateGraph);
  }

  /** A weight in place. */
  weight(name: string): Float32Array {
    return this.#trained.get(name)!.weight.floats();
  }

  /** The gradient that the last `addGradients` computed, in place. */
  gradient(name: string): Float32Array {
    return this.#trained.get(name)!.gradient.floats();
  }

  /** Everything that the next step depends on, in place: weights and both moments by name. */
  state(): Map<string, Float32Array> {
    const state = new Map<string, Float32Array>();
    for (const [name, { weight, moments }] of this.#trained) {
      state.set(name, weight.floats());
      state.set(`${name}:first-moment`, moments[0].floats());
      state.set(`${name}:second-moment`, moments[1].floats());
    }
    return state;
  }

  /** Takes up a state that `state` gave earlier. */
  restore(state: ReadonlyMap<string, Float32Array>): void {
    for (const [name, values] of this.state()) values.set(state.get(name)!);
  }

  setWeights(weights: Weights): void {
    for (const [name, { weight }] of this.#trained) weight.floats().set(weights.get(name)!);
  }

  copyWeights(): Map<string, Float32Array> {
    return new Map([...this.#trained].map(([name, { weight }]) => [name, weight.floats().slice()]));
  }

  free(): void {
    this.#memory.free();
    this.#compute.free();
    this.#buffer.free();
    this.#state.free();
    this.#backend.free();
  }

  #fill(batch: Batch): void {
    this.#inputs.tokens.integers().set(batch.tokens);
    this.#inputs.positions.integers().set(batch.positions);
    this.#inputs.outputs.integers().fill(0).set(batch.lossPlaces);
    this.#inputs.keep.integers().fill(0).fill(1, 0, batch.targets.length);
    fillMask(this.#inputs.mask.floats(), batch);
    this.#objective.fill(batch);
  }
}

function decoderConfig(sizes: ModelSizes) {
  const { layers, width, heads, kvHeads } = sizes;
  const headSize = width / heads;
  return llamaConfig({
    layers,
    width,
    heads,
    kvHeads,
    normEpsilon: sizes.normEpsilon ?? defaultNormEpsilon,
    rope: { base: sizes.ropeBase ?? defaultRopeBase, scale: 1, dimensions: headSize, pairs: "neighbours" },
  });
}
