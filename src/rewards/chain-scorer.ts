/**
 * Incremental scoring for any reader: roll the branch back to what it shares with the wanted ids, read the
 * rest. A format whose frame moves (a question asked after the steps, a dialogue that closes) thus leaves no
 * trace, and a score equals that of a full read whatever the tokenizer merges at a border.
 */
import { StepwrightError } from "../core/errors.js";
import { type Branch, noUsage, type Reading, type Usage } from "../core/model.js";
import type { Score, Scorer } from "../core/reward.js";
import type { Step, Token } from "../core/step.js";
import { commonPrefix, passageOf, type Reader } from "./reader.js";

/** A branch with the ids that it holds once the calls made so far are served. */
export interface Held {
  readonly branch: Branch;
  ids: readonly Token[];
}

export interface AppendOptions {
  signal?: AbortSignal | undefined;
}

/** Opens a branch and reads `ids` into it, the first token with the opening. */
export async function hold(
  reader: Reader,
  ids: readonly Token[],
  signal?: AbortSignal,
): Promise<Held & { usage: Usage }> {
  const branch = await reader.model.open(passageOf(reader.model, ids.slice(0, 1)), { signal });
  try {
    const { usage } = await branch.append(passageOf(reader.model, ids.slice(1)), { signal });
    return { branch, ids, usage };
  } catch (error) {
    branch.drop();
    throw error;
  }
}

/** Brings a branch to `wanted` and reads there. The last id is always read again: its reading is what is asked. */
export function advance(
  reader: Reader,
  held: Held,
  wanted: readonly Token[],
  signal?: AbortSignal,
): Promise<Reading> {
  const shared = Math.min(commonPrefix(held.ids, wanted), wanted.length - 1);
  if (shared < held.ids.length) held.branch.trim(shared);
  held.ids = wanted;
  return held.branch.append(passageOf(reader.model, wanted.slice(shared)), { ...reader.ask, signal });
}

/** One question's common start, read once for all chains of it and freed with the last of them. */
export class Trunk {
  readonly reader: Reader;
  readonly question: string;
  readonly #root: Held | null;
  #held: Promise<Held> | null = null;
  #owed: Usage = noUsage;
  #users = 0;

  constructor(reader: Reader, question: string, root: Held | null) {
    this.reader = reader;
    this.question = question;
    this.#root = root;
  }

  enter(): void {
    this.#users++;
  }

  leave(): void {
    if (--this.#users > 0) return;
    this.#held?.then(({ branch }) => branch.drop()).catch(() => {});
    this.#held = null;
  }

  /** A branch of one's own on the common start. */
  async fork(signal?: AbortSignal): Promise<Held> {
    this.#held ??= this.#read(signal).catch((error) => {
      this.#held = null;
      throw error;
    });
    const { branch, ids } = await this.#held;
    return { branch: branch.fork(), ids };
  }

  /** What the common start cost, once: it is charged to the first score that used it. */
  takeOwed(): Usage {
    const owed = this.#owed;
    this.#owed = noUsage;
    return owed;
  }

  async #read(signal?: AbortSignal): Promise<Held> {
    // What does not depend on the first step is what two different first steps have in common.
    const [one, other] = await Promise.all(
      ["a", "7"].map((text) => this.reader.layout(this.question, [{ text }])),
    );
    const ids = one!.slice(0, Math.max(1, commonPrefix(one!, other!)));
    if (this.#root === null) {
      const { usage, ...held } = await hold(this.reader, ids, signal);
      this.#owed = addUsage(this.#owed, usage);
      return held;
    }
    const held: Held = { branch: this.#root.branch.fork(), ids: this.#root.ids };
    try {
      const { usage } = await advance({ ...this.reader, ask: {} }, held, ids, signal);
      this.#owed = addUsage(this.#owed, usage);
      return held;
    } catch (error) {
      held.branch.drop();
      throw error;
    }
  }
}

export class ChainScorer implements Scorer {
  readonly #trunk: Trunk;
  #steps: readonly Step[];
  #held: Held | null;
  #dropped = false;
  /** Appends are served one after the other, in the order they were made. */
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(trunk: Trunk, steps: readonly Step[] = [], held: Held | null = null) {
    trunk.enter();
    this.#trunk = trunk;
    this.#steps = steps;
    this.#held = held;
  }

  async append(step: Step, options: AppendOptions = {}): Promise<Score> {
    this.#refuseDropped();
    const steps = [...this.#steps, step];
    this.#steps = steps;
    this.#waiting++;
    const score = this.#tail.then(() => this.#score(step, steps, options));
    this.#tail = score.catch(() => {}).then(() => this.#waiting--);
    return score;
  }

  async #score(step: Step, steps: readonly Step[], options: AppendOptions): Promise<Score> {
    const { reader, question } = this.#trunk;
    try {
      const wanted = await reader.layout(question, steps);
      const reading = await this.#read(wanted, options.signal);
      const { value } = await reader.judge(reading);
      return { value, usage: addUsage(reading.usage, this.#trunk.takeOwed()) };
    } catch (error) {
      // A step that could not be scored is not in the chain, and nobody knows what its branch holds.
      const at = this.#steps.lastIndexOf(step);
      this.#steps = this.#steps.filter((_, index) => index !== at);
      this.#forget();
      throw error;
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
    return new ChainScorer(this.#trunk, this.#steps, held);
  }

  drop(): void {
    if (this.#dropped) return;
    this.#dropped = true;
    this.#forget();
    this.#trunk.leave();
  }

  async #read(wanted: readonly Token[], signal?: AbortSignal): Promise<Reading> {
    this.#refuseDropped();
    if (this.#held === null) {
      const fresh = await this.#trunk.fork(signal);
      if (this.#dropped) fresh.branch.drop();
      else this.#held = fresh;
    }
    this.#refuseDropped();
    return advance(this.#trunk.reader, this.#held!, wanted, signal);
  }

  #forget(): void {
    this.#held?.branch.drop();
    this.#held = null;
  }

  #refuseDropped(): void {
    if (this.#dropped) throw new StepwrightError("internal", "the scorer was used after it was dropped");
  }
}

function addUsage(a: Usage, b: Usage): Usage {
  return {
    prefillTokens: a.prefillTokens + b.prefillTokens,
    recomputedTokens: a.recomputedTokens + b.recomputedTokens,
    decodeTokens: a.decodeTokens + b.decodeTokens,
    flops: a.flops + b.flops,
    seconds: a.seconds + b.seconds,
  };
}
