/** A reward that reads a model, as two functions: what is read, and what number the reading is. */
import type { Branch, Model, Reading, ReadOptions, Usage } from "../core/model.js";
import type { Passage, Step, Token } from "../core/step.js";

export interface Reader {
  readonly model: Model;
  /**
   * The ids that the reward model was trained to see, from the first to the position at which the last step's
   * score is read. `steps` is never empty. Depends on its arguments only.
   */
  layout(question: string, steps: readonly Pick<Step, "text">[]): Promise<readonly Token[]>;
  /** What is asked of the model at that position. */
  readonly ask: Pick<ReadOptions, "tokens" | "hidden">;
  /** A judge that writes before it answers does so on forks of the branch, which stays as it is. */
  judge(reading: Reading, place: ReadPlace): Judgement | Promise<Judgement>;
  /** The most that one judgement writes; absent where it only reads. */
  readonly writes?: { readonly texts: number; readonly tokens: number };
}

/** Where a reading was taken. */
export interface ReadPlace {
  readonly branch: Branch;
  /** Every id up to the position of the reading. */
  readonly ids: readonly Token[];
  readonly signal?: AbortSignal | undefined;
}

export interface Judgement {
  readonly value: number;
  /** Probability of all answers that count, where the model could have said anything; 1 for heads. */
  readonly mass: number;
  /** What was spent beside the reading. */
  readonly usage?: Usage;
}

/** How many ids two sequences share from the start. */
export function commonPrefix(a: readonly Token[], b: readonly Token[]): number {
  const end = Math.min(a.length, b.length);
  let length = 0;
  while (length < end && a[length] === b[length]) length++;
  return length;
}

/** Ids as a passage of this model. They are handed over as ids, so the text is not needed. */
export function passageOf(model: Model, tokens: readonly Token[]): Passage {
  return { text: "", tokens, vocabulary: model.vocabulary };
}
