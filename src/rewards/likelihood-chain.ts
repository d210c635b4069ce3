/** Reads a chain of steps with a model for the probabilities of their tokens, and for its states over them. */
import { inVocabulary } from "../core/contexts.js";
import { StepwrightError } from "../core/errors.js";
import { addUsage, type Branch, spanFlops } from "../core/model.js";
import type { AppendOptions, StepLikelihood } from "../core/reward.js";
import type { Step } from "../core/step.js";
import type { LikelihoodPrompt } from "./likelihood-prompt.js";

export interface LikelihoodOptions extends AppendOptions {
  readonly states?: boolean | undefined;
}

export class LikelihoodChain {
  readonly #prompt: LikelihoodPrompt;
  #steps: readonly Step[];
  /** Holds the prompt and the first `#read` steps; null before the first read and after a failed one. */
  #branch: Branch | null;
  #read: number;
  #dropped = false;
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(prompt: LikelihoodPrompt, steps: readonly Step[] = [], branch: Branch | null = null, read = 0) {
    prompt.enter();
    this.#prompt = prompt;
    this.#steps = steps;
    this.#branch = branch;
    this.#read = read;
  }

  append(step: Step, options: LikelihoodOptions = {}): Promise<StepLikelihood> {
    this.#refuseDropped();
    const steps = [...this.#steps, step];
    this.#steps = steps;
    this.#waiting++;
    const reading = this.#tail.then(() => this.#readStep(steps, options)).finally(() => this.#waiting--);
    this.#tail = reading.catch(() => {});
    return reading;
  }

  async #readStep(
    steps: readonly Step[],
    { signal, likelihood, states = false }: LikelihoodOptions,
  ): Promise<StepLikelihood> {
    const { model } = this.#prompt;
    try {
      const shared = await likelihood?.(model, { states });
      if (shared && (!states || shared.states)) return shared;
      this.#branch ??= await this.#prompt.fork(signal);
      this.#refuseDropped();
      const before = await this.#branch.append(await inVocabulary(steps.slice(this.#read, -1), model), {
        signal,
      });
      const passage = await inVocabulary(steps.slice(-1), model);
      const { logprobs, usage, ...rest } = await this.#branch.append(passage, {
        ...{ signal, logprobs: true },
        ...(states && { states }),
      });
      this.#read = steps.length;
      const costs = [before.usage, usage, this.#prompt.takeOwed(), ...(shared ? [shared.usage] : [])];
      return { ...rest, logprobs: logprobs!, usage: costs.reduce((sum, cost) => addUsage(sum, cost)) };
    } catch (error) {
      // Nobody knows what the branch holds; the step that could not be read is not in the chain.
      this.#forget();
      this.#steps = this.#steps.filter((each) => each !== steps.at(-1));
      throw error;
    }
  }

  skip(step: Step): void {
    this.#refuseDropped();
    this.#steps = [...this.#steps, step];
  }

  /** While a reading is under way, what the branch holds is not settled: the fork reads for itself. */
  fork(): LikelihoodChain {
    this.#refuseDropped();
    const branch = this.#waiting === 0 ? (this.#branch?.fork() ?? null) : null;
    return new LikelihoodChain(this.#prompt, this.#steps, branch, branch ? this.#read : 0);
  }

  flopsBound(step: Step): number {
    const { model, lengthBound } = this.#prompt;
    const unread = [...this.#steps.slice(this.#read), step].map((each) =>
      each.vocabulary === model.vocabulary ? each.tokens.length : Buffer.byteLength(each.text),
    );
    const count = unread.reduce((sum, tokens) => sum + tokens, this.#branch ? 1 : lengthBound);
    return spanFlops(model.size, this.#branch?.length ?? 0, count);
  }

  drop(): void {
    if (this.#dropped) return;
    this.#dropped = true;
    this.#forget();
    this.#prompt.leave();
  }

  #forget(): void {
    this.#branch?.drop();
    this.#branch = null;
    this.#read = 0;
  }

  #refuseDropped(): void {
    if (this.#dropped) throw new StepwrightError("internal", "the scorer was used after it was dropped");
  }
}
