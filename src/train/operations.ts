/** ggml's operations that only training uses. */
import { StepwrightError } from "../core/errors.js";
import { Tensor } from "../native/ggml/tensor.js";
import type { TensorContext } from "../native/ggml/tensor-context.js";

/** Mean over rows of -sum(labels x log softmax(logits)); labels F32 of the same shape, each row a law or all zero. */
export function crossEntropyLoss(context: TensorContext, logits: Tensor, labels: Tensor): Tensor {
  return made(context.native.ggml_cross_entropy_loss(context.handle, logits.address, labels.address));
}

/** log(1 + exp(x)). */
export function softplus(context: TensorContext, tensor: Tensor): Tensor {
  return made(context.native.ggml_softplus(context.handle, tensor.address));
}

/** Numbers of `adamStep` by place in its parameter tensor. */
export const adamParameterCount = 7;

/**
 * AdamW's step on a weight in place. Parameters F32 [7]: learning rate, beta1, beta2, epsilon, weight decay,
 * 1 / (1 - beta1^t), 1 / (1 - beta2^t).
 */
export function adamStep(
  context: TensorContext,
  weight: Tensor,
  gradient: Tensor,
  moments: readonly [Tensor, Tensor],
  parameters: Tensor,
): Tensor {
  return made(
    context.native.ggml_opt_step_adamw(
      context.handle,
      weight.address,
      gradient.address,
      moments[0].address,
      moments[1].address,
      parameters.address,
    ),
  );
}

function made(address: bigint | null): Tensor {
  if (address === null) throw new StepwrightError("engine-failed", "ggml could not make a tensor");
  return new Tensor(address);
}
