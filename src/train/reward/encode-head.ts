/** A trained head as a file. */
import { encodeSafetensors } from "../../models/safetensors-writer.js";
import { calibrationTensors, type HeadFacts, headFactsOf, meansTensor } from "../../rewards/head-file.js";
import { tensorsOf } from "./network.js";
import type { TrainedHead } from "./train-head.js";

/** The same head and facts give the same bytes. */
export function encodeHead(head: TrainedHead, facts: Omit<HeadFacts, "features">): Uint8Array {
  const { network, calibration, means, features } = head;
  const vector = (values: Float32Array) => ({ shape: [values.length], values });
  const tensors = new Map([...tensorsOf(network), [meansTensor, vector(means)] as const]);
  if (calibration) {
    tensors.set(calibrationTensors.inputs, vector(calibration.inputs));
    tensors.set(calibrationTensors.outputs, vector(calibration.outputs));
  }
  return encodeSafetensors(tensors, headFactsOf({ ...facts, features: [...features] }));
}
