/**
 * Incremental scoring for any reader: roll the branch back to what it shares with the wanted ids, read the
 * rest. A format whose frame moves (a question asked after the steps, a dialogue that closes) thus leaves no
 * trace, and a score equals that of a full read whatever the tokenizer merges at a border.
 */
import { StepwrightError } from "../core/errors.js";
import { addUsage, noUsage, spanFlops } from "../core/model.js";
import type { Score, Scorer } from "../core/reward.js";
import type { Step } from "../core/step.js";
import { advance, type Held, type Trunk } from "./trunk.js";

export interface AppendOptions {
  signal?: AbortSignal | undefined;
}

export class ChainScorer implements Scorer {
  readonly #trunk: Trunk;
  #steps: readonly Step[];
  /** How many leading steps the branch holds. */
  #read: number;
  #held: Held | null;
  #dropped = false;
  /** Appends are served one after the other, in the order they were made. */
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(trunk: Trunk, steps: readonly Step[] = [], held: Held | null = null, read = 0) {
    trunk.enter();
    this.#trunk = trunk;
    this.#steps = steps;
    this.#held = held;
    this.#read = read;
  }

  async append(step: Step, options: AppendOptions = {}): Promise<Score> {
    this.#refuseDropped();
    const steps = [...this.#steps, step];
    this.#steps = steps;
    this.#waiting++;
    const score = this.#tail.then(() => this.#score(step, steps, options));
    this.#tail = score.catch(() => {});
    return score;
  }

  async #score(step: Step, steps: readonly Step[], options: AppendOptions): Promise<Score> {
    const { reader, question } = this.#trunk;
    try {
      const wanted = await reader.layout(question, steps);
      const { signal } = options;
      const held = await this.#branch(signal);
      const reading = await advance(reader, held, wanted, signal);
      this.#read = steps.length;
      const place = { branch: held.branch, ids: wanted, signal };
      const { value, usage = noUsage } = await reader.judge(reading, place);
      return { value, usage: addUsage(addUsage(reading.usage, usage), this.#trunk.takeOwed()) };
    } catch (error) {
      // A step that could not be scored is not in the chain, and nobody knows what its branch holds.
      const at = this.#steps.lastIndexOf(step);
      this.#steps = this.#steps.filter((_, index) => index !== at);
      this.#forget();
      throw error;
    } finally {
      this.#waiting--;
    }
  }

  skip(step: Step): void {
    this.#refuseDropped();
    this.#steps = [...this.#steps, step];
  }

  fork(): Scorer {
    this.#refuseDropped();
    // While an append is under way, what the branch holds is not settled: the fork reads for itself.
    const settled = this.#waiting === 0 ? this.#held : null;
    const held = settled && { branch: settled.branch.fork(), ids: settled.ids };
    return new ChainScorer(this.#trunk, this.#steps, held, held ? this.#read : 0);
  }

  /** What is not read yet, were it one token per byte where another tokenizer wrote it; evictions not foreseen. */
  flopsBound(step: Step): number {
    const { frame, question, reader } = this.#trunk;
    const { size, vocabulary } = reader.model;
    const unread = [...this.#steps.slice(this.#read), step].map((each) =>
      // Encoding a text anew takes hardly more tokens than it was written in.
      each.vocabulary === vocabulary ? each.tokens.length + 8 : Buffer.byteLength(each.text),
    );
    const start = this.#held?.ids.length ?? frame.root?.ids.length ?? 0;
    const opening = this.#held ? 0 : Buffer.byteLength(question) + frame.overhead;
    const read = unread.reduce((sum, count) => sum + count + frame.overhead, opening);
    const { texts, tokens } = reader.writes ?? { texts: 0, tokens: 0 };
    return spanFlops(size, start, read) + texts * spanFlops(size, start + read, tokens);
  }

  drop(): void {
    if (this.#dropped) return;
    this.#dropped = true;
    this.#forget();
    this.#trunk.leave();
  }

  async #branch(signal?: AbortSignal): Promise<Held> {
    this.#refuseDropped();
    if (this.#held === null) {
      const fresh = await this.#trunk.fork(signal);
      if (this.#dropped) fresh.branch.drop();
      else this.#held = fresh;
    }
    this.#refuseDropped();
    return this.#held!;
  }

  #forget(): void {
    this.#held?.branch.drop();
    this.#held = null;
    this.#read = 0;
  }

  #refuseDropped(): void {
    if (this.#dropped) throw new StepwrightError("internal", "the scorer was used after it was dropped");
  }
}
