/**
 * Where AdaDec should pause with one model file: entropies at which its most probable token stops being the right
 * one, learned from reference solutions. Source: He et al., arXiv 2506.08980, and its code; card adadec.
 */
import { StepwrightError } from "../../core/errors.js";
import { fitLogistic } from "../../core/logistic-regression.js";
import type { Branch, ChatMessage, Model } from "../../core/model.js";
import { keyedUniform } from "../../core/random.js";

/** One token of a reference solution, as the model saw it coming. */
export interface ForcedToken {
  /** Of the model's law before it, in nats. */
  readonly entropy: number;
  /** Whether it was the most probable. */
  readonly isFirst: boolean;
}

/**
 * Reads a solution token by token after its prompt, a pass each. The first token is left out: where prompt and
 * solution meet, tokens are cut as no answer would be. Needs `logits`.
 */
export async function forceSolution(
  model: Model,
  messages: readonly ChatMessage[],
  solution: string,
): Promise<ForcedToken[]> {
  const tokens = await model.tokenize(solution);
  const { vocabulary } = model;
  const passage = (ids: readonly number[]) => ({ text: "", tokens: ids, vocabulary });
  const branch: Branch = await model.open(await model.renderChat(messages), { special: true });
  try {
    const forced: ForcedToken[] = [];
    for (const [index, token] of tokens.slice(1).entries()) {
      const { topK, entropy } = await branch.append(passage([tokens[index]!]), { topK: 1 });
      if (!topK?.[0] || entropy === undefined) throw noLaw(model);
      forced.push({ entropy, isFirst: topK[0].token === token });
    }
    return forced;
  } finally {
    branch.drop();
  }
}

export interface LearnedThreshold {
  /** In nats: AdaDec pauses from here on. */
  readonly threshold: number;
  /** Of the chance that the most probable token is right: 1 / (1 + exp(-(weight x entropy + bias))). */
  readonly weight: number;
  readonly bias: number;
  /** The chance below which it pauses. */
  readonly cut: number;
  /** Share of the held-out tokens that the cut sorts rightly; the cut was chosen on them, so it flatters. */
  readonly accuracy: number;
  /** Share of all tokens at which it would pause. */
  readonly pauseRate: number;
}

/**
 * Four fifths are fitted after balancing right and wrong, the cut is the best on the last fifth. Throws
 * `invalid-option` where tokens are too few, all alike, or more often right the less certain they are.
 */
export function learnThreshold(tokens: readonly ForcedToken[], seed = 42): LearnedThreshold {
  const order = [...tokens.keys()].sort((a, b) => draw(seed, a) - draw(seed, b));
  const heldOut = order.slice(0, Math.floor(tokens.length / 5)).map((index) => tokens[index]!);
  const fitted = order.slice(heldOut.length).map((index) => tokens[index]!);
  const right = fitted.filter(({ isFirst }) => isFirst);
  const wrong = fitted.filter(({ isFirst }) => !isFirst);
  const count = Math.min(right.length, wrong.length);
  if (count < 10 || heldOut.length === 0) {
    throw invalid(`${right.length} right and ${wrong.length} wrong guesses are too few to learn from`);
  }
  const balanced = [...right.slice(0, count), ...wrong.slice(0, count)];
  const { weights, bias } = fitLogistic({
    rows: balanced.map(({ entropy }) => Float32Array.of(entropy)),
    labels: balanced.map(({ isFirst }) => (isFirst ? 1 : 0)),
  });
  const weight = weights[0]!;
  if (weight >= 0) throw invalid("its uncertain guesses are right as often as its certain ones");
  const chance = (entropy: number) => 1 / (1 + Math.exp(-(weight * entropy + bias)));
  const accuracyAt = (cut: number) =>
    heldOut.filter(({ entropy, isFirst }) => chance(entropy) >= cut === isFirst).length / heldOut.length;
  const cuts = Array.from({ length: 99 }, (_, index) => (index + 1) / 100);
  const accuracies = cuts.map(accuracyAt);
  const accuracy = Math.max(...accuracies);
  const cut = cuts[accuracies.indexOf(accuracy)]!;
  const threshold = Math.max(0, (Math.log(cut / (1 - cut)) - bias) / weight);
  const pauseRate = tokens.filter(({ entropy }) => entropy >= threshold).length / tokens.length;
  return { threshold, weight, bias, cut, accuracy, pauseRate };
}

function draw(seed: number, index: number): number {
  return keyedUniform(seed, "forced tokens", index, "split");
}

function noLaw(model: Model): StepwrightError {
  return new StepwrightError("missing-capability", `${model.name} does not say what it would write next`, {
    subject: model.name,
    remedy: "use a local GGUF model",
  });
}

function invalid(problem: string): StepwrightError {
  return new StepwrightError("invalid-option", `no threshold can be learned: ${problem}`, {
    subject: "threshold",
    remedy: "give more solutions that the model would not write itself word for word",
  });
}
