/**
 * A context of ggml in which tensors are declared; their memory comes later, from a buffer or from a graph's.
 * Every operation returns the tensor that will hold its result. Shapes in comments: the length of a row first.
 */
import { StepwrightError } from "../../core/errors.js";
import { enums } from "../bindings.generated.js";
import type { Native } from "../load.js";
import type { BufferType } from "./cpu-backend.js";
import { Tensor, type TensorTypeName, typeCode } from "./tensor.js";

export interface Rotation {
  /** I32 [tokens]. */
  readonly positions: Tensor;
  /** Frequency factors, F32 [dimensions / 2] (Llama 3). */
  readonly factors: Tensor | null;
  /** Leading dimensions of each head that are turned. */
  readonly dimensions: number;
  /** Pairs are halves apart (NeoX), not neighbours. */
  readonly halves: boolean;
  readonly base: number;
  /** Positions are multiplied by it. */
  readonly scale: number;
}

/** ggml's mode number for rotary embeddings whose pairs are half a head apart. */
const neoxMode = 2;
const singlePrecision = enums.ggml_prec.GGML_PREC_F32;

export class TensorContext {
  readonly native: Native;
  readonly handle: bigint;

  /** Room for so many tensors and graphs of so many nodes; `gradients` doubles and more what a graph takes. */
  constructor(native: Native, room: { tensors: number; graphNodes?: number; gradients?: boolean }) {
    const graph =
      room.graphNodes === undefined
        ? 0
        : native.ggml_graph_overhead_custom(room.graphNodes, room.gradients ?? false);
    const size = room.tensors * native.ggml_tensor_overhead() + graph;
    const handle = native.ggml_init({ mem_size: size, mem_buffer: null, no_alloc: true });
    if (handle === null) throw new StepwrightError("engine-failed", "no memory for a ggml context");
    this.native = native;
    this.handle = handle;
  }

  /** Gives every tensor declared so far memory of its own; free the buffer when they are no longer needed. */
  allocate(type: BufferType): TensorBuffer {
    const handle = this.native.ggml_backend_alloc_ctx_tensors_from_buft(this.handle, type);
    if (handle === null) {
      throw new StepwrightError("engine-failed", "no memory for tensors", {
        remedy: "choose a smaller model or context, or close other programs",
      });
    }
    return { handle, free: () => this.native.ggml_backend_buffer_free(handle) };
  }

  free(): void {
    this.native.ggml_free(this.handle);
  }

  // ---- declaring -------------------------------------------------------------------------------------------------

  tensor(type: TensorTypeName | (string & {}), ...shape: readonly number[]): Tensor {
    const [a, b, c, d] = shape;
    const code = typeCode(type);
    const { native, handle } = this;
    if (a === undefined) throw new StepwrightError("internal", "a tensor without a shape");
    if (b === undefined) return made(native.ggml_new_tensor_1d(handle, code, a));
    return made(native.ggml_new_tensor_4d(handle, code, a, b, c ?? 1, d ?? 1));
  }

  /** Marks a tensor as filled from outside before each computation. */
  input(tensor: Tensor): Tensor {
    this.native.ggml_set_input(tensor.address);
    return tensor;
  }

  /** Keeps a graph's tensor readable after the computation. */
  output(tensor: Tensor): Tensor {
    this.native.ggml_set_output(tensor.address);
    return tensor;
  }

  /** Marks a weight as trained. */
  parameter(tensor: Tensor): Tensor {
    this.native.ggml_set_param(tensor.address);
    return tensor;
  }

  /** Marks the number whose gradient is 1. */
  loss(tensor: Tensor): Tensor {
    this.native.ggml_set_loss(tensor.address);
    return tensor;
  }

  // ---- shapes ----------------------------------------------------------------------------------------------------

  reshape(tensor: Tensor, ...shape: readonly number[]): Tensor {
    const [a, b = 1, c = 1, d = 1] = shape;
    return made(this.native.ggml_reshape_4d(this.handle, tensor.address, a!, b, c, d));
  }

  /** A part of a tensor without a copy: shape, strides of dimensions 1 to 3 and offset in bytes. */
  view(
    tensor: Tensor,
    shape: readonly [number, number?, number?, number?],
    strides: readonly [number?, number?, number?] = [],
    offset = 0,
  ): Tensor {
    const [a, b = 1, c = 1, d = 1] = shape;
    const s1 = strides[0] ?? a * tensor.stride(0);
    const s2 = strides[1] ?? b * s1;
    const s3 = strides[2] ?? c * s2;
    return made(this.native.ggml_view_4d(this.handle, tensor.address, a, b, c, d, s1, s2, s3, offset));
  }

  /** Dimension i of the tensor becomes dimension `axes[i]` of the result. */
  permute(tensor: Tensor, ...axes: readonly [number, number, number, number]): Tensor {
    return made(this.native.ggml_permute(this.handle, tensor.address, ...axes));
  }

  transpose(tensor: Tensor): Tensor {
    return made(this.native.ggml_transpose(this.handle, tensor.address));
  }

  /** A copy with its numbers one after the other, optionally in another shape. */
  contiguous(tensor: Tensor, ...shape: readonly number[]): Tensor {
    if (shape.length === 0) return made(this.native.ggml_cont(this.handle, tensor.address));
    const [a, b = 1, c = 1, d = 1] = shape;
    return made(this.native.ggml_cont_4d(this.handle, tensor.address, a!, b, c, d));
  }

  cast(tensor: Tensor, type: TensorTypeName): Tensor {
    return made(this.native.ggml_cast(this.handle, tensor.address, typeCode(type)));
  }

  /** Writes `from` into `to`, converting; the result is a view of `to`. */
  copy(from: Tensor, to: Tensor): Tensor {
    return made(this.native.ggml_cpy(this.handle, from.address, to.address));
  }

  concat(left: Tensor, right: Tensor, axis: number): Tensor {
    return made(this.native.ggml_concat(this.handle, left.address, right.address, axis));
  }

  /** Repeats the tensor to a shape whose lengths are multiples of its own. */
  repeat(tensor: Tensor, ...shape: readonly number[]): Tensor {
    const [a, b = 1, c = 1, d = 1] = shape;
    return made(this.native.ggml_repeat_4d(this.handle, tensor.address, a!, b, c, d));
  }

  /** Rows of [width, rows, b, c] by I32 index [n, b, c] -> F32 [width, n, b, c]. */
  getRows(rows: Tensor, index: Tensor): Tensor {
    return made(this.native.ggml_get_rows(this.handle, rows.address, index.address));
  }

  /** Writes F32 rows [width, n] into [width, rows] at I64 or I32 index [n]; the result is a view of `into`. */
  setRows(into: Tensor, rows: Tensor, index: Tensor): Tensor {
    return made(this.native.ggml_set_rows(this.handle, into.address, rows.address, index.address));
  }

  // ---- arithmetic: the second operand is repeated to the shape of the first --------------------------------------

  add(left: Tensor, right: Tensor): Tensor {
    return made(this.native.ggml_add(this.handle, left.address, right.address));
  }

  subtract(left: Tensor, right: Tensor): Tensor {
    return made(this.native.ggml_sub(this.handle, left.address, right.address));
  }

  multiply(left: Tensor, right: Tensor): Tensor {
    return made(this.native.ggml_mul(this.handle, left.address, right.address));
  }

  divide(left: Tensor, right: Tensor): Tensor {
    return made(this.native.ggml_div(this.handle, left.address, right.address));
  }

  scale(tensor: Tensor, factor: number): Tensor {
    return made(this.native.ggml_scale(this.handle, tensor.address, factor));
  }

  /** factor * x + bias. */
  scaleBias(tensor: Tensor, factor: number, bias: number): Tensor {
    return made(this.native.ggml_scale_bias(this.handle, tensor.address, factor, bias));
  }

  square(tensor: Tensor): Tensor {
    return made(this.native.ggml_sqr(this.handle, tensor.address));
  }

  absolute(tensor: Tensor): Tensor {
    return made(this.native.ggml_abs(this.handle, tensor.address));
  }

  logarithm(tensor: Tensor): Tensor {
    return made(this.native.ggml_log(this.handle, tensor.address));
  }

  exponential(tensor: Tensor): Tensor {
    return made(this.native.ggml_exp(this.handle, tensor.address));
  }

  tanh(tensor: Tensor): Tensor {
    return made(this.native.ggml_tanh(this.handle, tensor.address));
  }

  sigmoid(tensor: Tensor): Tensor {
    return made(this.native.ggml_sigmoid(this.handle, tensor.address));
  }

  silu(tensor: Tensor): Tensor {
    return made(this.native.ggml_silu(this.handle, tensor.address));
  }

  /** log(1 + exp(x)). */
  softplus(tensor: Tensor): Tensor {
    return made(this.native.ggml_softplus(this.handle, tensor.address));
  }

  relu(tensor: Tensor): Tensor {
    return made(this.native.ggml_relu(this.handle, tensor.address));
  }

  clamp(tensor: Tensor, least: number, most: number): Tensor {
    return made(this.native.ggml_clamp(this.handle, tensor.address, least, most));
  }

  /** Sum of all numbers, [1]. */
  sum(tensor: Tensor): Tensor {
    return made(this.native.ggml_sum(this.handle, tensor.address));
  }

  /** Sum of each row, [1, rows, ...]. */
  sumRows(tensor: Tensor): Tensor {
    return made(this.native.ggml_sum_rows(this.handle, tensor.address));
  }

  /** Index of each row's greatest number, I32 [rows]. */
  argmax(tensor: Tensor): Tensor {
    return made(this.native.ggml_argmax(this.handle, tensor.address));
  }

  /** Indices of each row's `count` greatest numbers, in no order, I32 [count, rows, ...]. */
  topK(tensor: Tensor, count: number): Tensor {
    return made(this.native.ggml_top_k(this.handle, tensor.address, count));
  }

  // ---- layers ----------------------------------------------------------------------------------------------------

  /** [in, out] x [in, n] -> [out, n]; dimensions 2 and 3 of the matrix are repeated to those of the input. */
  matmul(matrix: Tensor, input: Tensor): Tensor {
    return made(this.native.ggml_mul_mat(this.handle, matrix.address, input.address));
  }

  /** x / sqrt(mean(x^2) + epsilon) over each row. */
  rmsNorm(tensor: Tensor, epsilon: number): Tensor {
    return made(this.native.ggml_rms_norm(this.handle, tensor.address, epsilon));
  }

  /** Softmax over rows of factor * x + mask, mask [columns, rows] of 0 and -infinity. */
  softmax(tensor: Tensor, mask: Tensor | null, factor = 1): Tensor {
    const address = mask?.address ?? null;
    return made(this.native.ggml_soft_max_ext(this.handle, tensor.address, address, factor, 0));
  }

  /** Rotary position embedding of [headSize, heads, tokens]. */
  rotate(tensor: Tensor, rotation: Rotation): Tensor {
    const { positions, factors, dimensions, halves, base, scale } = rotation;
    return made(
      this.native.ggml_rope_ext(
        this.handle,
        tensor.address,
        positions.address,
        factors?.address ?? null,
        dimensions,
        halves ? neoxMode : 0,
        // Original context, extension, attention factor and the two betas: YaRN's, not used.
        0,
        base,
        scale,
        0,
        1,
        0,
        0,
      ),
    );
  }

  /** silu(gate) * up. */
  swiglu(gate: Tensor, up: Tensor): Tensor {
    return made(this.native.ggml_swiglu_split(this.handle, gate.address, up.address));
  }

  /** gelu(gate) * up. ggml has no gradient of it. */
  geglu(gate: Tensor, up: Tensor): Tensor {
    return made(this.native.ggml_geglu_split(this.handle, gate.address, up.address));
  }

  /**
   * softmax(factor * q k^T + mask) v in one pass, without the attention rows and without a gradient.
   * q [headSize, tokens, heads], k and v F16 [headSize, rows, kvHeads], mask F16 [rows, tokens, 1 or heads] ->
   * [headSize, heads, tokens].
   */
  flashAttention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor, factor: number): Tensor {
    return made(
      this.native.ggml_flash_attn_ext(
        this.handle,
        q.address,
        k.address,
        v.address,
        mask.address,
        factor,
        0,
        0,
      ),
    );
  }

  // ---- training --------------------------------------------------------------------------------------------------

  /** Mean over rows of -sum(labels * log softmax(logits)), [1]; labels F32 of the logits' shape. */
  crossEntropy(logits: Tensor, labels: Tensor): Tensor {
    return made(this.native.ggml_cross_entropy_loss(this.handle, logits.address, labels.address));
  }

  /**
   * One step of AdamW on a parameter, in place, from its gradient and its two moments (tensors of its shape).
   * `settings` F32 [7]: rate, beta1, beta2, epsilon, decay, 1 / (1 - beta1^t), 1 / (1 - beta2^t).
   */
  adamW(weight: Tensor, gradient: Tensor, first: Tensor, second: Tensor, settings: Tensor): Tensor {
    return made(
      this.native.ggml_opt_step_adamw(
        this.handle,
        weight.address,
        gradient.address,
        first.address,
        second.address,
        settings.address,
      ),
    );
  }

  /** Asks for 32-bit sums in a matrix product or attention. */
  precise(tensor: Tensor): Tensor {
    this.native.ggml_prec_set_acc(tensor.address, singlePrecision);
    return tensor;
  }
}

/** Memory of tensors. */
export interface TensorBuffer {
  readonly handle: bigint;
  free(): void;
}

function made(address: bigint | null): Tensor {
  if (address === null) throw new StepwrightError("engine-failed", "ggml could not make a tensor");
  return new Tensor(address);
}
