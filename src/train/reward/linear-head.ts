/** A logistic head: the strength of its ridge is chosen by cross-validation over questions. */
import { fitLogisticInTurns, type LogisticFit, logisticScore } from "../../core/logistic-regression.js";
import { selected } from "./examples.js";
import { type CrossValidated, type HeadTrainer, type HeadWork, lossOf, splitsOf } from "./head-trainer.js";

/** In rows, from the strongest: a fit is the start of the next, and the weakest cost the most. */
const decades = [1e5, 1e4, 1e3, 100, 10, 1, 0.1];
/** A few numbers made for the purpose are never pulled harder than this beside the thousands of a state. */
const greatestBesideStates = 10;
/** Enough to tell ridges apart; the last fit is exact. */
const roughly = 3e-3;

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
    let done = 0;
    const validated = async (strength: number) => {
      const outOfFold = new Float64Array(examples.rows.length);
      for (const [fold, { inside, data }] of splits.entries()) {
        const options = { ridge: pulls(strength), tolerance: roughly, start: near[fold], signal };
        const fit = await fitLogisticInTurns(data, options);
        near[fold] = fit;
        for (const row of inside) outOfFold[row] = logisticScore(fit, examples.rows[row]!);
        onProgress?.(++done / (splits.length * (decades.length + 2) + 1));
      }
      return { strength, outOfFold, loss: lossOf(outOfFold, examples) };
    };
    let best = await validated(decades[0]!);
    for (const strength of decades.slice(1)) {
      const next = await validated(strength);
      // Weaker ridges only lose more from here on.
      if (next.loss >= best.loss) break;
      best = next;
    }
    const middle = best.strength;
    for (const strength of [middle * Math.sqrt(10), middle / Math.sqrt(10)]) {
      const next = await validated(strength);
      if (next.loss < best.loss) best = next;
    }
    const { strength, loss, outOfFold } = best;
    const exact = { ridge: pulls(strength), tolerance: 1e-7, signal };
    const { weights, bias } = await fitLogisticInTurns(examples, exact);
    onProgress?.(1);
    return {
      network: [{ outputs: 1, weights: Float32Array.from(weights), biases: Float32Array.of(bias) }],
      ...{ outOfFold, loss, chosen: { ridge: strength } },
    };
  },
};
