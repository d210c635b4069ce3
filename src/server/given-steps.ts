/** Texts from outside as steps of an answer, with what their writer would have told of them where a reward needs it. */

import { type Branch, type ChatMessage, type Model, noUsage, offers, type Usage } from "../core/model.js";
import type { Writer } from "../core/search.js";
import type { Step, Token } from "../core/step.js";
import { ApiError } from "./api-error.js";

export interface GivenStep {
  readonly step: Step;
  /** What reading it for its probabilities cost. */
  readonly usage: Usage;
}

export interface GivenStepsOptions {
  /** Who would have written them. */
  readonly model: Model;
  /** The part in which that model writes: a reward may look at whose step it is. */
  readonly role: Writer;
  readonly conversation: readonly ChatMessage[];
  /** Reads every token's probability and its law's entropy off the model. */
  readonly figures: boolean;
  readonly signal: AbortSignal;
}

/** Throws 400 where the model cannot tell the figures. */
export async function openGivenSteps(options: GivenStepsOptions): Promise<GivenSteps> {
  const { model, role, conversation, figures, signal } = options;
  if (!figures) return new GivenSteps({ model, role }, undefined, signal);
  if (!offers(model, "logits")) {
    throw new ApiError(
      400,
      "missing_capability",
      `${model.name} does not tell the figures that this reward needs`,
      {
        param: "model",
      },
    );
  }
  const prompt = await model.renderChat(conversation, { signal });
  return new GivenSteps({ model, role }, await model.open(prompt, { special: true, signal }), signal);
}

export class GivenSteps implements Disposable {
  readonly #model: Model;
  readonly #role: Writer;
  readonly #branch: Branch | undefined;
  readonly #signal: AbortSignal;

  constructor(
    { model, role }: Pick<GivenStepsOptions, "model" | "role">,
    branch: Branch | undefined,
    signal: AbortSignal,
  ) {
    this.#model = model;
    this.#role = role;
    this.#branch = branch;
    this.#signal = signal;
  }

  /** The step that follows those given so far. */
  async next(text: string): Promise<GivenStep> {
    const { vocabulary } = this.#model;
    const tokens = await this.#model.tokenize(text);
    const { logprobs, entropies, usage } = await this.#figures(tokens);
    const step = { text, tokens, vocabulary, origin: this.#role, stop: "delimiter" } as const;
    return { step: { ...step, logprobs, entropies }, usage };
  }

  [Symbol.dispose](): void {
    this.#branch?.drop();
  }

  async #figures(tokens: readonly Token[]) {
    const { vocabulary } = this.#model;
    const passage = { text: "", tokens, vocabulary };
    const read = await this.#branch?.append(passage, { logprobs: true, signal: this.#signal });
    const { logprobs = [], entropies = [], usage = noUsage } = read ?? {};
    return { logprobs, entropies, usage };
  }
}
