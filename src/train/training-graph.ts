/**
 * The two graphs of an optimiser step: one adds the gradients of a batch's loss to their accumulators, the other moves
 * the weights by AdamW. All state (weights, moments, gradients) stays where ggml put it.
 */
import { forwardNodes, type TransformerHooks } from "../models/graph/transformer.js";
import { CpuBackend } from "../native/ggml/cpu-backend.js";
import { Graph, GraphMemory } from "../native/ggml/graph.js";
import type { Tensor } from "../native/ggml/tensor.js";
import { type TensorBuffer, TensorContext } from "../native/ggml/tensor-context.js";
import type { Native } from "../native/load.js";
import { useFastProducts } from "./fast-products.js";
import { type Weights, weightShapes } from "./initial-weights.js";
import { type Adapter, adapterHook } from "./low-rank-adapter.js";
import type { ModelSizes } from "./model-recipe.js";
import type { BuiltObjective, Objective } from "./objective.js";
import { PackedInputs } from "./packed-inputs.js";
import type { BatchRoom, PackedBatch } from "./packing.js";

export interface TrainingSetup<Batch> {
  readonly sizes: ModelSizes;
  readonly room: BatchRoom;
  readonly rowLength: number;
  readonly objective: Objective<Batch>;
  /** Trains the adapter, and what the objective adds, instead of the model's own weights. */
  readonly adapter?: Adapter;
  /** Leaves the model's own weights as they are; default false, and true with an adapter. */
  readonly frozen?: boolean;
}

/** Learning rate, beta1, beta2, epsilon, weight decay, 1 / (1 - beta1^t), 1 / (1 - beta2^t). */
const adamParameterCount = 7;

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
  /** Norms and biases do not decay. */
  readonly isVector: boolean;
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
  readonly #frozen = new Map<string, Tensor>();
  readonly #inputs: PackedInputs;
  /** I32 [losses]: 1 where an output has a loss, else 0. */
  readonly #keep: Tensor;
  readonly #adam: { readonly decayed: Tensor; readonly plain: Tensor };
  readonly #lossGradient: Tensor;

  constructor(native: Native, setup: TrainingSetup<Batch>) {
    const { sizes, room, rowLength, objective, adapter } = setup;
    this.#backend = new CpuBackend(native);
    const shapes = weightShapes(sizes);
    // Weight, gradient and two moments each, and as much again for what adapter and objective add.
    const state = new TensorContext(native, { tensors: 16 * shapes.size + 64 });
    this.#state = state;
    const parameter = (name: string, ...shape: readonly number[]): Tensor => {
      const like = () => state.tensor("F32", ...shape);
      const weight = state.parameter(like());
      this.#trained.set(name, {
        weight,
        gradient: like(),
        moments: [like(), like()],
        isVector: shape.length === 1,
      });
      return weight;
    };
    const frozen = setup.frozen ?? adapter !== undefined;
    for (const [name, shape] of shapes) {
      if (frozen) this.#frozen.set(name, state.tensor("F32", ...shape));
      else parameter(name, ...shape);
    }
    this.#inputs = new PackedInputs(state, room, rowLength);
    this.#keep = state.tensor("I32", room.losses);
    // Row 0 is zero, row 1 is one: gathering spreads a mask over a hidden state at the speed of a copy.
    const keepRows = state.tensor("F32", sizes.width, 2);
    this.#adam = {
      decayed: state.tensor("F32", adamParameterCount),
      plain: state.tensor("F32", adamParameterCount),
    };
    this.#lossGradient = state.tensor("F32", 1);

    // Forward, backward and the objective's own.
    const graphNodes = 256 + 5 * forwardNodes(sizes.layers, adapter ? 32 : 0);
    const updateNodes = 16 * shapes.size;
    const compute = new TensorContext(native, {
      tensors: 2 * graphNodes + updateNodes,
      graphNodes: 2 * graphNodes + updateNodes,
      gradients: true,
    });
    this.#compute = compute;
    const hooks: TransformerHooks = {
      // Of outputs without a loss the hidden state is a constant zero: no gradient comes from it or goes through it.
      at: (point, _layer, tensor) =>
        point === "hidden" ? compute.multiply(tensor, compute.getRows(keepRows, this.#keep)) : tensor,
      ...(adapter ? adapterHook(compute, adapter, shapes, parameter) : {}),
    };
    const weights = { find: (name: string) => this.#tensor(name) };
    const forward = this.#inputs.build(compute, sizes, weights, hooks);
    const input = (type: "F32" | "I32", ...shape: readonly number[]) => state.tensor(type, ...shape);
    this.#objective = objective.build(compute, forward, { input, parameter }, room.losses);

    this.#buffer = state.allocate(this.#backend.plain);
    native.ggml_backend_buffer_clear(this.#buffer.handle, 0);
    keepRows.floats().fill(1, sizes.width);

    const autograd = new Graph(compute, graphNodes, { gradients: true });
    const loss = compute.output(compute.loss(this.#objective.loss));
    autograd.expand(loss);
    const own = new Map([[loss.address, this.#lossGradient]]);
    for (const { weight, gradient } of this.#trained.values()) own.set(weight.address, gradient);
    const accumulators = new Map<number, Tensor>();
    for (let node = 0; node < autograd.nodes; node++) {
      const accumulator = own.get(native.ggml_graph_node(autograd.handle, node)!);
      if (accumulator) accumulators.set(node, accumulator);
    }
    autograd.expandBackward(accumulators);
    for (const tensor of this.#objective.outputs) autograd.expand(tensor);
    this.#gradientGraph = new Graph(compute, graphNodes);
    useFastProducts(compute, autograd, this.#gradientGraph);
    this.#memory = new GraphMemory(compute, this.#backend.plain);
    this.#memory.allocate(this.#gradientGraph);

    this.#updateGraph = new Graph(compute, updateNodes);
    for (const { weight, gradient, moments, isVector } of this.#trained.values()) {
      const parameters = isVector ? this.#adam.plain : this.#adam.decayed;
      this.#updateGraph.expand(compute.adamW(weight, gradient, ...moments, parameters));
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

  /** Sets the weights of these names, trained or not. */
  setWeights(weights: Weights): void {
    for (const [name, values] of weights) this.#tensor(name)!.floats().set(values);
  }

  /** Copies of the trained weights. */
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
    this.#inputs.fill(batch);
    this.#keep.integers().fill(0).fill(1, 0, batch.targets.length);
    this.#objective.fill(batch);
  }

  #tensor(name: string): Tensor | undefined {
    return this.#trained.get(name)?.weight ?? this.#frozen.get(name);
  }
}
