/** A head with one hidden layer: how long and with which decay it learns is chosen by cross-validation over questions. */
import { inTurns, type Slices } from "../../core/in-turns.js";
import { selected } from "./examples.js";
import { type CrossValidated, type HeadTrainer, type HeadWork, lossOf, splitsOf } from "./head-trainer.js";
import { MlpLearner } from "./mlp-learner.js";

const decays = [0.1, 3];
const mostEpochs = 60;
/** Epochs without a lower loss before learning ends. */
const patience = 6;

interface Course {
  readonly decay: number;
  readonly epochs: number;
  readonly loss: number;
  readonly outOfFold: Float64Array;
}

export const mlpHead: HeadTrainer = {
  kind: "mlp",
  essence: "one hidden layer of ReLU: features may matter together",

  async train(work: HeadWork): Promise<CrossValidated> {
    const { examples, seed, signal, onProgress } = work;
    const courses: Course[] = [];
    for (const [index, decay] of decays.entries()) {
      const told = (share: number) => onProgress?.((index + share) / (decays.length + 0.5));
      courses.push(await inTurns(course(work, decay, told), signal));
    }
    const best = courses.reduce((one, other) => (other.loss < one.loss ? other : one));
    const learner = new MlpLearner(examples, { seed, decay: best.decay });
    for (let epoch = 0; epoch < best.epochs; epoch++) await inTurns(learner.epoch(), signal);
    onProgress?.(1);
    const { outOfFold, loss, decay, epochs } = best;
    return { network: learner.network(), outOfFold, loss, chosen: { decay, epochs } };
  },
};

/** All folds side by side, epoch by epoch, until the loss of what they did not see stops falling. */
function* course(
  { examples, folds, seed }: HeadWork,
  decay: number,
  told: (share: number) => void,
): Slices<Course> {
  const splits = splitsOf(folds).map(({ inside, outside }) => ({
    inside,
    learner: new MlpLearner(selected(examples, outside), { seed, decay }),
  }));
  let best: Course | undefined;
  for (let epochs = 1; epochs <= mostEpochs; epochs++) {
    const outOfFold = new Float64Array(examples.rows.length);
    for (const { inside, learner } of splits) {
      yield* learner.epoch();
      for (const row of inside) outOfFold[row] = learner.logOdds(examples.rows[row]!);
      yield;
    }
    const loss = lossOf(outOfFold, examples);
    if (best === undefined || loss < best.loss) best = { decay, epochs, loss, outOfFold };
    told(epochs / mostEpochs);
    if (epochs - best.epochs >= patience) break;
  }
  return best!;
}
