/** Reads steps with a model for the probabilities of their tokens; the prompt once for all chains of a question. */
import { inVocabulary } from "../core/contexts.js";
import { StepwrightError } from "../core/errors.js";
import {
  addUsage,
  type Branch,
  type ChatMessage,
  type Model,
  noUsage,
  spanFlops,
  type Usage,
} from "../core/model.js";
import type { AppendOptions, Score, Scorer } from "../core/reward.js";
import type { Step } from "../core/step.js";
import { type Certainty, certainty } from "./certainty.js";

/** A question as the model would be asked it, read when the first chain needs it and freed with the last. */
export class LikelihoodPrompt {
  readonly model: Model;
  readonly #messages: readonly ChatMessage[];
  #branch: Promise<Branch> | null = null;
  #owed: Usage = noUsage;
  #users = 0;
  /** Known once it is read. */
  length = 0;

  constructor(model: Model, question: string, system: string | null) {
    this.model = model;
    this.#messages = [
      ...(system === null ? [] : [{ role: "system" as const, content: system }]),
      { role: "user", content: question },
    ];
  }

  enter(): void {
    this.#users++;
  }

  leave(): void {
    if (--this.#users > 0) return;
    this.#branch?.then((branch) => branch.drop()).catch(() => {});
    this.#branch = null;
  }

  async fork(signal?: AbortSignal): Promise<Branch> {
    const shared = this.#branch ?? this.#read(signal);
    this.#branch = shared;
    try {
      return (await shared).fork();
    } catch (error) {
      // A reading that failed must not fail the next call too.
      if (this.#branch === shared) this.#branch = null;
      throw error;
    }
  }

  /** What reading the prompt cost, once: it is charged to the first score. */
  takeOwed(): Usage {
    const owed = this.#owed;
    this.#owed = noUsage;
    return owed;
  }

  /** At most so many tokens are read before the first step; bytes bound them until it is known. */
  get lengthBound(): number {
    const bytes = this.#messages.reduce((sum, { content }) => sum + Buffer.byteLength(content), 64);
    return this.length || bytes;
  }

  async #read(signal?: AbortSignal): Promise<Branch> {
    const prompt = await this.model.renderChat(this.#messages, { signal });
    this.length = prompt.tokens.length;
    const branch = await this.model.open(prompt, { special: true, signal });
    try {
      const nothing = { text: "", tokens: [], vocabulary: this.model.vocabulary };
      const { usage } = await branch.append(nothing, { signal });
      this.#owed = addUsage(this.#owed, usage);
      return branch;
    } catch (error) {
      branch.drop();
      throw error;
    }
  }
}

export class LikelihoodScorer implements Scorer {
  readonly #prompt: LikelihoodPrompt;
  readonly #feature: Certainty;
  #steps: readonly Step[];
  /** Holds the prompt and the first `#read` steps; null before the first read and after a failed one. */
  #branch: Branch | null;
  #read: number;
  #dropped = false;
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(
    prompt: LikelihoodPrompt,
    feature: Certainty,
    steps: readonly Step[] = [],
    branch: Branch | null = null,
    read = 0,
  ) {
    prompt.enter();
    this.#prompt = prompt;
    this.#feature = feature;
    this.#steps = steps;
    this.#branch = branch;
    this.#read = read;
  }

  append(step: Step, options: AppendOptions = {}): Promise<Score> {
    this.#refuseDropped();
    const steps = [...this.#steps, step];
    this.#steps = steps;
    this.#waiting++;
    const score = this.#tail.then(() => this.#score(steps, options)).finally(() => this.#waiting--);
    this.#tail = score.catch(() => {});
    return score;
  }

  async #score(steps: readonly Step[], { signal, likelihood }: AppendOptions): Promise<Score> {
    const { model } = this.#prompt;
    try {
      const shared = await likelihood?.(model);
      if (shared) return this.#scoreOf(shared.logprobs, shared.usage);
      this.#branch ??= await this.#prompt.fork(signal);
      this.#refuseDropped();
      const step = steps.at(-1)!;
      const before = await this.#branch.append(await inVocabulary(steps.slice(this.#read, -1), model), {
        signal,
      });
      const passage = await inVocabulary([step], model);
      const { logprobs, usage } = await this.#branch.append(passage, { signal, logprobs: true });
      this.#read = steps.length;
      return this.#scoreOf(logprobs!, addUsage(addUsage(before.usage, usage), this.#prompt.takeOwed()));
    } catch (error) {
      // Nobody knows what the branch holds; the step that could not be scored is not in the chain.
      this.#forget();
      this.#steps = this.#steps.filter((each) => each !== steps.at(-1));
      throw error;
    }
  }

  #scoreOf(logprobs: readonly number[], usage: Usage): Score {
    return { value: certainty(this.#feature, { logprobs, entropies: [] }), usage };
  }

  skip(step: Step): void {
    this.#refuseDropped();
    this.#steps = [...this.#steps, step];
  }

  /** While a score is under way, what the branch holds is not settled: the fork reads for itself. */
  fork(): Scorer {
    this.#refuseDropped();
    const branch = this.#waiting === 0 ? (this.#branch?.fork() ?? null) : null;
    return new LikelihoodScorer(this.#prompt, this.#feature, this.#steps, branch, branch ? this.#read : 0);
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
