/** Compares a training graph's gradients with finite differences. */
import type { PackedBatch } from "../train/packing.js";
import type { TrainingGraph } from "../train/training-graph.js";

/**
 * The loss's slope along the gradient of one weight, divided by the gradient's norm: 1 when the gradient is right. All
 * entries take part, so that single precision does not drown small ones. The graph's gradients change.
 */
export async function relativeSlope<Batch extends PackedBatch>(
  graph: TrainingGraph<Batch>,
  batch: Batch,
  name: string,
  step = 5e-4,
): Promise<number> {
  await graph.addGradients([batch]);
  const gradient = graph.gradient(name).slice();
  const norm = Math.hypot(...gradient);
  const values = graph.weight(name);
  const old = values.slice();
  const lossAt = async (distance: number) => {
    values.set(old.map((value, index) => value + (distance * gradient[index]!) / norm));
    return (await graph.addGradients([batch])).loss;
  };
  const slope = ((await lossAt(step)) - (await lossAt(-step))) / (2 * step);
  values.set(old);
  return slope / norm;
}
