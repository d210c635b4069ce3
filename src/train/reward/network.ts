/** A head while it is made: layers that take a step's features as they are read, with all scales folded in. */
import type { Tensor, TensorSet } from "../../core/tensor.js";

export interface Layer {
  readonly outputs: number;
  /** Output after output, each as long as the layer's input. */
  readonly weights: Float32Array;
  readonly biases: Float32Array;
}

/** One layer, or two with a ReLU between them; the last has one output, the log-odds. */
export type Network = readonly [Layer] | readonly [Layer, Layer];

/** The log-odds, bit for bit as `rewards/head.ts` finds them. */
export function logOdds(network: Network, row: Float32Array): number {
  let state = row;
  for (const [index, layer] of network.entries()) {
    const next = affine(layer, state);
    state = index + 1 < network.length ? next.map((value) => Math.max(0, value)) : next;
  }
  return state[0]!;
}

/** The same network with other log-odds: `scale` times its own, plus `shift`. */
export function rescaled(network: Network, scale: number, shift: number): Network {
  const last = network.at(-1)!;
  const outer: Layer = {
    outputs: 1,
    weights: last.weights.map((weight) => weight * scale),
    biases: last.biases.map((bias) => bias * scale + shift),
  };
  return network.length === 1 ? [outer] : [network[0], outer];
}

/** Under the names by which a head is found. */
export function tensorsOf(network: Network): TensorSet {
  const names = network.length === 1 ? ["score"] : ["score.0", "score.2"];
  return new Map(
    network.flatMap(({ outputs, weights, biases }, index): [string, Tensor][] => [
      [`${names[index]}.weight`, { shape: [outputs, weights.length / outputs], values: weights }],
      [`${names[index]}.bias`, { shape: [outputs], values: biases }],
    ]),
  );
}

function affine({ outputs, weights, biases }: Layer, input: Float32Array): Float32Array {
  const result = new Float32Array(outputs);
  for (let output = 0, at = 0; output < outputs; output++) {
    let sum = biases[output]!;
    for (let index = 0; index < input.length; index++, at++) sum += weights[at]! * input[index]!;
    result[output] = sum;
  }
  return result;
}
