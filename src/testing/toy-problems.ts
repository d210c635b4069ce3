/**
 * A family of problems with a known optimum: so many steps, each right or wrong, in several wordings of one token
 * each. The answer is right if every step is. The reward sees whether the prefix is right so far, through noise.
 */
import { keyedUniform } from "../core/random.js";
import { ScriptedModel } from "../models/scripted.js";
import { ScriptedReward } from "../models/scripted-reward.js";

export interface ToyProblemOptions {
  /** Numbers the problem: its noise is its own. */
  readonly index: number;
  /** Default 6, at most 12. */
  readonly steps?: number;
  /** How often the model's step is right; default 0.6. */
  readonly skill?: number;
  /** How often the reward takes a right prefix for a wrong one, or the other way round; default 0. */
  readonly noise?: number;
}

export interface ToyProblem {
  readonly question: string;
  readonly roles: { readonly draft: ScriptedModel; readonly reward: ScriptedReward };
  isRight(text: string): boolean;
  /** How often one sample is right. */
  readonly chance: number;
}

const wordings = 4;
const longest = 12;

/** What may be written as step number `depth`; the number keeps a step from being equal to the one before. */
function wordsAt(depth: number, after: "\n\n" | ""): string[] {
  const wording = Array.from({ length: wordings }, (_, number) => number);
  return ["right", "wrong"].flatMap((kind) => wording.map((number) => `${kind} ${depth}.${number}${after}`));
}

const pieces = Array.from({ length: longest }, (_, depth) => [
  ...wordsAt(depth, "\n\n"),
  ...wordsAt(depth, ""),
]).flat();

export function toyProblem({
  index,
  steps: length = 6,
  skill = 0.6,
  noise = 0,
}: ToyProblemOptions): ToyProblem {
  const question = `problem ${index}`;
  const law = (written: number) =>
    wordsAt(written, written === length - 1 ? "" : "\n\n").map((text) => ({
      text,
      probability: (text.startsWith("right") ? skill : 1 - skill) / wordings,
      end: written === length - 1,
    }));
  const score = (_: string, steps: readonly string[]) => {
    const isRightSoFar = steps.every((step) => step.startsWith("right"));
    const isMistaken = keyedUniform(index, steps.join(""), steps.length, "noise") < noise;
    // Not all alike, so that choices are seldom ties.
    const shade = keyedUniform(index, steps.join(""), steps.length, "shade") / 10;
    return isRightSoFar !== isMistaken ? 0.85 + shade : 0.05 + shade;
  };
  return {
    question,
    roles: {
      draft: new ScriptedModel({
        name: "toy",
        pieces,
        law: { steps: (_, steps) => law(steps.length) },
      }),
      reward: new ScriptedReward({ score }),
    },
    isRight: (text) => {
      const steps = text.trim().split("\n\n");
      return steps.length === length && steps.every((step) => step.startsWith("right"));
    },
    chance: skill ** length,
  };
}
