/** A head that was trained here, read from its file: from a step's inputs to a chance that the step is right. */
import { createHash } from "node:crypto";
import { StepwrightError } from "../core/errors.js";
import type { TensorSet } from "../core/tensor.js";
import { type CalibrationTable, calibrated } from "./calibration-table.js";
import { createHead, headTensorNames } from "./head.js";
import { calibrationTensors, type HeadFacts, meansTensor, readHeadFacts } from "./head-file.js";
import type { FeaturePull, RewardContext } from "./kind.js";
import { type FeatureName, featuresOf, isState, needsOf } from "./readings/features.js";
import { readerRoles, type StepReadings } from "./readings/readings.js";

export interface TrainedHead {
  readonly facts: HeadFacts;
  /** Of its numbers and all that its file says. */
  readonly fingerprint: string;
  /** The calibrated chance, in [0, 1]. Throws `reward-failed` for a reading that is missing, `reward-invalid` for a state of another width. */
  score(readings: StepReadings): Promise<number>;
  /** What each feature did to the score, greatest first; null for a head that is not one layer, or has no means. */
  readonly pulls: ((readings: StepReadings) => FeaturePull[]) | null;
}

/** Throws `reward-invalid` for anything but a whole head, and what the context throws. */
export async function openTrainedHead(
  file: string,
  context: Pick<RewardContext, "loadHead" | "loadHeadFacts">,
): Promise<TrainedHead> {
  const told = await context.loadHeadFacts(file);
  const facts = readHeadFacts(told, file);
  const names = [...headTensorNames, calibrationTensors.inputs, calibrationTensors.outputs, meansTensor];
  const tensors = await context.loadHead(file, names);
  const head = createHead(tensors, file);
  const { features } = facts;
  if (!canBe(features, head.inputs))
    throw damaged(file, `has ${head.inputs} inputs for the ${features.length} features it names`);
  const table = calibrationOf(tensors, file);
  const means = tensors.get(meansTensor)?.values;
  if (means && (means.length !== head.inputs || !means.every(Number.isFinite))) {
    throw damaged(file, `has ${means.length} means for ${head.inputs} inputs`);
  }
  const { weights } = head;
  return {
    facts,
    fingerprint: fingerprintOf(told, tensors),
    async score(readings) {
      const chance = await head.apply(featuresOf(features, readings));
      // What is no number must not become one.
      return table && Number.isFinite(chance) ? calibrated(table, chance) : chance;
    },
    pulls: weights && means ? (readings) => pullsOf(features, readings, { weights, means }) : null,
  };
}

/** Whether so many inputs can be these features, states being as wide as their models. */
function canBe(features: readonly FeatureName[], inputs: number): boolean {
  const states = features.filter(isState);
  const left = inputs - (features.length - states.length);
  const roles = needsOf(states).states;
  if (roles.length === 0) return left === 0;
  // Of two models' widths only the sum is known here; the self-test tells the rest.
  return left >= states.length && (roles.length === readerRoles.length || left % states.length === 0);
}

function calibrationOf(tensors: TensorSet, file: string): CalibrationTable | null {
  const inputs = tensors.get(calibrationTensors.inputs)?.values;
  const outputs = tensors.get(calibrationTensors.outputs)?.values;
  if (!inputs && !outputs) return null;
  if (!inputs || !outputs || inputs.length === 0 || inputs.length !== outputs.length) {
    throw damaged(file, "has half a calibration");
  }
  for (const values of [inputs, outputs]) {
    const sound = values.every(
      (value, index) => value >= 0 && value <= 1 && (index === 0 || value >= values[index - 1]!),
    );
    if (!sound) throw damaged(file, "has a calibration that is not rising within 0 and 1");
  }
  return { inputs, outputs };
}

function pullsOf(
  features: readonly FeatureName[],
  readings: StepReadings,
  { weights, means }: { readonly weights: Float32Array; readonly means: Float32Array },
): FeaturePull[] {
  let at = 0;
  const pulls = features.map((feature) => {
    let pull = 0;
    for (const value of featuresOf([feature], readings)) {
      pull += weights[at]! * (value - means[at]!);
      at++;
    }
    return { feature, pull };
  });
  return pulls.sort((one, other) => Math.abs(other.pull) - Math.abs(one.pull));
}

function fingerprintOf(told: ReadonlyMap<string, string>, tensors: TensorSet): string {
  const hash = createHash("sha256").update(JSON.stringify([...told].sort()));
  for (const [name, { shape, values }] of tensors) {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    hash.update(JSON.stringify([name, shape])).update(bytes);
  }
  return hash.digest("hex");
}

function damaged(subject: string, problem: string): StepwrightError {
  return new StepwrightError("reward-invalid", `${subject} ${problem}`, {
    subject,
    remedy: "train it again: stepwright train reward",
  });
}
