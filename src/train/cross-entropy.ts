/** The next token's negative log-probability, in nats. */
import type { Objective } from "./objective.js";
import type { PackedBatch } from "./packing.js";

export function crossEntropy(vocabulary: number): Objective<PackedBatch> {
  return {
    build(context, { logits }, declare, losses) {
      // One-hot rows; all zero where there is no loss.
      const labels = declare.input("F32", vocabulary, losses);
      const loss = context.crossEntropy(logits, labels);
      const guess = context.output(context.argmax(logits));
      let filled: Int32Array = new Int32Array(0);
      return {
        loss,
        divisor: losses,
        outputs: [guess],
        fill({ targets }) {
          const rows = labels.floats();
          filled.forEach((target, row) => {
            rows[row * vocabulary + target] = 0;
          });
          targets.forEach((target, row) => {
            rows[row * vocabulary + target] = 1;
          });
          filled = targets;
        },
        read({ targets }) {
          const guesses = guess.integers();
          const right = targets.reduce((count, target, row) => count + (guesses[row] === target ? 1 : 0), 0);
          return { loss: loss.floats()[0]! * losses, right };
        },
      };
    },
  };
}
