/** A head's own chance of "right" mapped to the share that was right where it said so. */

export interface CalibrationTable {
  /** In [0, 1], never falling; as long as `outputs`. */
  readonly inputs: Float32Array;
  /** In [0, 1], never falling. */
  readonly outputs: Float32Array;
}

/** Straight lines between the table's points, constant beyond its ends. */
export function calibrated({ inputs, outputs }: CalibrationTable, value: number): number {
  const above = inputs.findIndex((input) => input > value);
  if (above < 0) return outputs.at(-1)!;
  if (above === 0) return outputs[0]!;
  const [from, to] = [inputs[above - 1]!, inputs[above]!];
  const share = (value - from) / (to - from);
  return outputs[above - 1]! + share * (outputs[above]! - outputs[above - 1]!);
}
