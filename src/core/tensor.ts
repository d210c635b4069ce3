/** Weights as plain numbers: small heads that are applied outside a model. */

export interface Tensor {
  /** Slowest dimension first: a matrix is [rows, columns], a vector [length]. */
  readonly shape: readonly number[];
  /** Row after row. */
  readonly values: Float32Array;
}

export type TensorSet = ReadonlyMap<string, Tensor>;
