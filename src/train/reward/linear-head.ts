/** A logistic head: the strength of its ridge is chosen by cross-validation over questions. */
import { fitLogisticInTurns, type LogisticFit, logisticScore } from "../../core/logistic-regression.js";
import { type Examples, selected } from "./examples.js";
import { type CrossValidated, type HeadTrainer, type HeadWork, lossOf, splitsOf } from "./head-trainer.js";

/** In rows, from the strongest: a fit is the start of the next, and the weakest cost the most. */
const decades = [1e5, 1e4, 1e3, 100, 10, 1, 0.1];
/** Of one search, at most: decades, and half a decade to both sides of the best. */
const mostTries = decades.length + 2;
/** Enough to tell ridges apart; the last fit is exact. */
const roughly = 3e-3;

interface Tried {
  readonly strength: number;
  readonly outOfFold: Float64Array;
  readonly loss: number;
}

export const linearHead: HeadTrainer = {
  kind: "linear",
  essence: "one layer: each feature pulls by its weight",

  async train(work: HeadWork): Promise<CrossValidated> {
    const { examples, ofState, signal, onProgress } = work;
    const told = (share: number) => onProgress?.(share * (1 - 1 / mostTries));
    // A few numbers made for the purpose must not be pulled like the thousands of a state: they have a ridge of their own.
    const beside = ofState.includes(true) && ofState.includes(false) ? await besideStates(work) : undefined;
    const pulls = (strength: number) =>
      Float64Array.from(ofState, (state) => (state ? strength : (beside ?? strength)));
    const { strength, loss, outOfFold } = await bestStrength(work, pulls, told);
    const exact = { ridge: pulls(strength), tolerance: 1e-7, signal };
    const { weights, bias } = await fitLogisticInTurns(examples, exact);
    onProgress?.(1);
    return {
      network: [{ outputs: 1, weights: Float32Array.from(weights), biases: Float32Array.of(bias) }],
      ...{ outOfFold, loss },
      chosen: { ridge: strength, ...(beside !== undefined && { ridgeBesideStates: beside }) },
    };
  },
};

/** The best ridge of the features that are no states, as if there were no others. */
async function besideStates(work: HeadWork): Promise<number> {
  const { examples, ofState } = work;
  const rows = examples.rows.map((row) => row.filter((_, at) => !ofState[at]));
  const narrow: Examples = { ...examples, rows };
  return (
    await bestStrength(
      { ...work, examples: narrow },
      (strength) => strength,
      () => {},
    )
  ).strength;
}

async function bestStrength(
  { examples, folds, signal }: HeadWork,
  pulls: (strength: number) => number | Float64Array,
  told: (share: number) => void,
): Promise<Tried> {
  const splits = splitsOf(folds).map(({ inside, outside }) => ({
    inside,
    data: selected(examples, outside),
  }));
  const near: (LogisticFit | undefined)[] = splits.map(() => undefined);
  let done = 0;
  const tried = async (strength: number): Promise<Tried> => {
    const outOfFold = new Float64Array(examples.rows.length);
    for (const [fold, { inside, data }] of splits.entries()) {
      const options = { ridge: pulls(strength), tolerance: roughly, start: near[fold], signal };
      const fit = await fitLogisticInTurns(data, options);
      near[fold] = fit;
      for (const row of inside) outOfFold[row] = logisticScore(fit, examples.rows[row]!);
      told(++done / (splits.length * mostTries));
    }
    return { strength, outOfFold, loss: lossOf(outOfFold, examples) };
  };
  let best = await tried(decades[0]!);
  for (const strength of decades.slice(1)) {
    const next = await tried(strength);
    // Weaker ridges only lose more from here on.
    if (next.loss >= best.loss) break;
    best = next;
  }
  const middle = best.strength;
  for (const strength of [middle * Math.sqrt(10), middle / Math.sqrt(10)]) {
    const next = await tried(strength);
    if (next.loss < best.loss) best = next;
  }
  return best;
}
