/** A small network on a hidden state: one linear layer, or two with a ReLU between them. */
import { StepwrightError } from "../core/errors.js";
import type { Tensor, TensorSet } from "../core/tensor.js";
import { sigmoid } from "./law.js";

export interface Head {
  /** Length of the hidden state it takes. */
  readonly inputs: number;
  /** How much each input counts, where that is all there is to it: one layer, one output. */
  readonly weights: Float32Array | null;
  /** In [0, 1]: the sigmoid of one output, or the second of two classes. Throws `reward-invalid` on another length. */
  apply(hidden: Float32Array): Promise<number>;
}

interface Layer {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
}

/** Layers by the names under which they are found, first match wins. */
const layouts: readonly (readonly string[])[] = [
  ["v_head.summary"], // Skywork, and TRL's value heads
  ["score.0", "score.2"], // Qwen2.5-Math-PRM
  ["score"], // transformers' sequence and token classification
  ["classifier"],
  ["cls.output"], // GGUF
];

/** Every tensor name that a head may be made of. */
export const headTensorNames: readonly string[] = [...new Set(layouts.flat())].flatMap((layer) => [
  `${layer}.weight`,
  `${layer}.bias`,
]);

/** Throws `reward-invalid`: no head among the tensors, or layers that do not fit each other. */
export function createHead(tensors: TensorSet, subject: string): Head {
  const names = layouts.find((layers) => layers.every((layer) => tensors.has(`${layer}.weight`)));
  if (!names) {
    throw invalid(
      subject,
      "holds no value head",
      `give a file with one: ?head=FILE (${layouts[0]![0]}.weight)`,
    );
  }
  const layers = names.map((name) => ({
    weight: tensors.get(`${name}.weight`)!,
    bias: tensors.get(`${name}.bias`),
  }));
  const width = layers[0]!.weight.shape[1] ?? 0;
  let inputs = width;
  for (const [index, { weight, bias }] of layers.entries()) {
    const [rows, columns] = weight.shape;
    if (weight.shape.length !== 2 || columns !== inputs || weight.values.length !== rows! * columns) {
      throw invalid(subject, `has a layer ${names[index]} of shape ${weight.shape.join(" x ")} in its head`);
    }
    if (bias && bias.values.length !== rows) {
      throw invalid(subject, `has a bias of ${bias.values.length} numbers for ${rows} outputs in its head`);
    }
    if (![weight, bias].every((tensor) => tensor?.values.every(Number.isFinite) ?? true)) {
      throw invalid(subject, `has numbers that are not finite in its head, in ${names[index]}`);
    }
    inputs = rows!;
  }
  if (inputs !== 1 && inputs !== 2) throw invalid(subject, `has a head with ${inputs} outputs, not 1 or 2`);
  return {
    inputs: width,
    weights: layers.length === 1 && inputs === 1 ? layers[0]!.weight.values : null,
    async apply(hidden) {
      if (hidden.length !== width) {
        throw invalid(
          subject,
          `has a head for states ${width} long, and the model's are ${hidden.length} long`,
          "use the head that was trained on this model",
        );
      }
      let state = hidden;
      for (const [index, layer] of layers.entries()) {
        state = await applyLayer(layer, state);
        if (index + 1 < layers.length) state = state.map((value) => Math.max(0, value));
      }
      return state.length === 1 ? sigmoid(state[0]!) : sigmoid(state[1]! - state[0]!);
    },
  };
}

/** Multiplications between two looks at the event loop, about two milliseconds. */
const slice = 2_000_000;

async function applyLayer({ weight, bias }: Layer, input: Float32Array): Promise<Float32Array> {
  const [rows, columns] = weight.shape as [number, number];
  const output = new Float32Array(rows);
  let since = 0;
  for (let row = 0; row < rows; row++) {
    let sum = bias ? bias.values[row]! : 0;
    for (let column = 0, at = row * columns; column < columns; column++, at++) {
      sum += weight.values[at]! * input[column]!;
    }
    output[row] = sum;
    since += columns;
    if (since >= slice) {
      since = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return output;
}

function invalid(
  subject: string,
  message: string,
  remedy = "the file is damaged, or holds another network: get it again",
): StepwrightError {
  return new StepwrightError("reward-invalid", `${subject} ${message}`, { subject, remedy });
}
