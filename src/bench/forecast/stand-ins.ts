/** Models and a reward that write and score nothing real, but cost what the real ones would. */
import { type ModelSize, noUsage, spanFlops } from "../../core/model.js";
import { keyedUniform } from "../../core/random.js";
import type { Reward, RewardAdvice, Scorer } from "../../core/reward.js";
import type { Step } from "../../core/step.js";
import { ScriptedModel } from "../../models/scripted.js";
import type { TokenChoice } from "../../models/scripted-law.js";
import type { Workload, WriterHabits } from "./workload.js";

/** Every piece but the delimiter is two characters long, so that a text's length tells its tokens. */
const word = "w ";
const delimiter = ".\n\n";
/** A step begins with one of these: steps differ, in length too. */
const beginnings = Array.from("abcdefghijklmnop", (letter) => `${letter} `);

export function standInModel(name: string, size: ModelSize, habits: WriterHabits): ScriptedModel {
  return new ScriptedModel({
    name,
    pieces: [word, delimiter, ...beginnings],
    // The vocabulary is the stand-in's own: both models share it, as a pair does.
    size,
    law: {
      tokens: ({ question, steps, begun }): readonly TokenChoice[] => {
        const written = begun.length / word.length;
        if (written === 0) {
          // A step equal to the one before would be taken for a loop.
          const open = beginnings.filter((text) => text !== steps.at(-1)?.slice(0, 2));
          return open.map((text) => ({ text, probability: 1 / open.length }));
        }
        const spread = beginnings.indexOf(begun.slice(0, 2)) / (beginnings.length - 1);
        // From 0.6 to 1.4 times the mean length.
        if (written < habits.stepTokens * (0.6 + 0.8 * spread) - 1) return [{ text: word, probability: 1 }];
        const isLast = steps.length + 1 >= rounded(habits.steps, question);
        return [{ text: isLast ? "" : delimiter, probability: 1 }];
      },
    },
  });
}

/** Up or down at random, once per question, so that the mean is kept. */
function rounded(value: number, question: string): number {
  return Math.max(1, Math.floor(value + keyedUniform(0, question, 0, "number of steps")));
}

/** A question of so many tokens in the stand-ins' pieces; `index` makes it another question. */
export function standInQuestion(index: number, tokens: number, frame: number): string {
  const marks = Array.from({ length: 4 }, (_, place) => beginnings[(index >> (4 * place)) & 15]!).join("");
  return `${marks}${word.repeat(Math.max(0, Math.round(tokens) - frame - 4))}`.trimEnd();
}

export interface StandInReward {
  /** Of the model that is read; undefined for a reward that reads none. */
  readonly size: ModelSize | undefined;
  readonly promptTokens: number;
  readonly rewards: Workload["rewards"];
  readonly isByPlace: boolean;
  readonly advice: RewardAdvice;
}

export function standInReward({ size, promptTokens, rewards, isByPlace, advice }: StandInReward): Reward {
  const rewardAt = (question: string, path: string) => {
    const own = rewards[Math.floor(keyedUniform(0, question, 0, "answer") * rewards.length)]!;
    const place = Math.min(path.split("/").length - 2, own.length - 1);
    return own[
      isByPlace ? place : Math.floor(keyedUniform(0, `${question}${path}`, 0, "reward") * own.length)
    ]!;
  };
  const scorer = (question: string, path: string, read: number, unread: number): Scorer => {
    const state = { path, read, unread };
    return {
      async append(step: Step) {
        const tokens = state.unread + step.tokens.length;
        const usage = size
          ? { ...noUsage, prefillTokens: Math.round(tokens), flops: spanFlops(size, state.read, tokens) }
          : noUsage;
        Object.assign(state, { path: `${state.path}/${step.text}`, read: state.read + tokens, unread: 0 });
        return { value: rewardAt(question, state.path), usage };
      },
      skip(step) {
        state.path += `/${step.text}`;
        state.unread += step.tokens.length;
      },
      fork: () => scorer(question, state.path, state.read, state.unread),
      drop() {},
    };
  };
  return {
    name: "stand-in",
    essence: "rewards drawn from a sample",
    ...(size && { size }),
    advice,
    open: async (question) => scorer(question, "", 0, promptTokens),
    async [Symbol.asyncDispose]() {},
  };
}
