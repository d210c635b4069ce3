/** A logistic head: the strength of its ridge is chosen by cross-validation over questions. */
import { fitLogisticInTurns, type LogisticFit, logisticScore } from "../../core/logistic-regression.js";
import { selected } from "./examples.js";
import { type CrossValidated, type HeadTrainer, type HeadWork, lossOf, splitsOf } from "./head-trainer.js";

/** In rows, from the strongest: a fit is the start of the next, and the weakest cost the most. */
const strengths = Array.from({ length: 15 }, (_, index) => 10 ** (5 - index / 2));
/** A few numbers made for the purpose are never pulled harder than this beside the thousands of a state. */
const greatestBesideStates = 10;
/** So often the loss may rise before weaker ridges are given up. */
const patience = 2;
/** Enough to tell ridges apart; the last fit is exact. */
const roughly = 1e-3;

export const linearHead: HeadTrainer = {
  kind: "linear",
  essence: "one layer: each feature pulls by its weight",

  async train({ examples, folds, ofState, signal, onProgress }: HeadWork): Promise<CrossValidated> {
    const splits = splitsOf(folds).map(({ inside, outside }) => ({
      inside,
      data: selected(examples, outside),
    }));
    const mixed = ofState.includes(true) && ofState.includes(false);
    const pulls = (strength: number) =>
      Float64Array.from(ofState, (state) =>
        mixed && !state ? Math.min(strength, greatestBesideStates) : strength,
      );
    const near: (LogisticFit | undefined)[] = splits.map(() => undefined);
    let best: { strength: number; loss: number; outOfFold: Float64Array } | undefined;
    let risen = 0;
    for (const [index, strength] of strengths.entries()) {
      const outOfFold = new Float64Array(examples.rows.length);
      for (const [fold, { inside, data }] of splits.entries()) {
        const start = near[fold];
        const fit = await fitLogisticInTurns(data, {
          ridge: pulls(strength),
          tolerance: roughly,
          start,
          signal,
        });
        near[fold] = fit;
        for (const row of inside) outOfFold[row] = logisticScore(fit, examples.rows[row]!);
        onProgress?.((index + (fold + 1) / splits.length) / (strengths.length + 1));
      }
      const loss = lossOf(outOfFold, examples);
      if (best === undefined || loss < best.loss) {
        best = { strength, loss, outOfFold };
        risen = 0;
      } else if (++risen === patience) break;
    }
    const { strength, loss, outOfFold } = best!;
    const { weights, bias } = await fitLogisticInTurns(examples, {
      ridge: pulls(strength),
      tolerance: 1e-7,
      signal,
    });
    onProgress?.(1);
    return {
      network: [{ outputs: 1, weights: Float32Array.from(weights), biases: Float32Array.of(bias) }],
      ...{ outOfFold, loss, chosen: { ridge: strength } },
    };
  },
};
