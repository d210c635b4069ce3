/** The next token's negative log-probability, in nats. */
import type { Objective } from "./objective.js";
import { crossEntropyLoss } from "./operations.js";
import type { PackedBatch } from "./packing.js";

export function crossEntropy(vocabulary: number): Objective<PackedBatch> {
  return {
    build(context, { logits }, input, places) {
      // One-hot rows; all zero where there is no loss.
      const labels = input("F32", vocabulary, places);
      const loss = crossEntropyLoss(context, logits, labels);
      const guess = context.output(context.argmax(logits));
      let filled: Int32Array | undefined;
      return {
        loss,
        divisor: places,
        outputs: [guess],
        fill({ targets }) {
          const rows = labels.floats();
          filled?.forEach((target, place) => {
            if (target >= 0) rows[place * vocabulary + target] = 0;
          });
          targets.forEach((target, place) => {
            if (target >= 0) rows[place * vocabulary + target] = 1;
          });
          filled = targets;
        },
        read({ targets }) {
          const guesses = guess.integers();
          let right = 0;
          for (let place = 0; place < places; place++) if (guesses[place] === targets[place]) right++;
          return { loss: loss.floats()[0]! * places, right };
        },
      };
    },
  };
}
