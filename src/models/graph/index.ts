/** The white box, from the inside: `stepwright/graph`. Importing it loads native code into the calling process. */

export { Tensor } from "../../native/ggml/tensor.js";
export { TensorContext } from "../../native/ggml/tensor-context.js";
export type { AttentionInputs, OwnAttention } from "./cached-attention.js";
export { configOf, knownArchitectures, llamaConfig, type TransformerConfig } from "./config.js";
export type { ForwardOptions, ForwardStatus, ForwardToken } from "./forward.js";
export type { ForwardPlan, Tap } from "./forward-plan.js";
export { GraphModel, type GraphModelOptions } from "./graph-model.js";
export { fillCausalMask, PackedAttention } from "./packed-attention.js";
export {
  type Attention,
  type Point,
  Transformer,
  type TransformerHooks,
  type TransformerInputs,
  type TransformerOutputs,
  type Weights,
} from "./transformer.js";
