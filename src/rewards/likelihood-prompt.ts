/** A question as a model would be asked it, read once for all chains of answers to it. */
import { addUsage, type Branch, type ChatMessage, type Model, noUsage, type Usage } from "../core/model.js";

/** Read when the first chain needs it and freed with the last. */
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
