/** Branches that know which ids they hold, and the start that all chains of one question share. */
import { StepwrightError } from "../core/errors.js";
import { addUsage, type Branch, noUsage, type Reading, type Usage } from "../core/model.js";
import type { Token } from "../core/step.js";
import { commonPrefix, passageOf, type Reader } from "./reader.js";

/** A branch with the ids that it holds once the calls made so far are served. */
export interface Held {
  readonly branch: Branch;
  ids: readonly Token[];
}

/** Opens a branch and reads `ids` into it, the first token with the opening. */
export async function hold(
  reader: Pick<Reader, "model">,
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

/** What the frame of a format is made of, found out when the reward is opened. */
export interface Frame {
  /** Holds what all questions begin with; null where that is not worth holding. */
  readonly root: Held | null;
  /** At most so many ids stand around one step and the question, besides the root's. */
  readonly overhead: number;
}

/** One question's common start, read once for all chains of it and freed with the last of them. */
export class Trunk {
  readonly reader: Reader;
  readonly question: string;
  readonly frame: Frame;
  #held: Promise<Held> | null = null;
  #owed: Usage = noUsage;
  #users = 0;

  constructor(reader: Reader, question: string, frame: Frame) {
    this.reader = reader;
    this.question = question;
    this.frame = frame;
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
    const common = this.#common(signal);
    const fork = forkOf(await common);
    if (fork) return fork;
    if (this.#held === common) this.#held = null;
    const { branch, ids } = await this.#common(signal);
    return { branch: branch.fork(), ids };
  }

  /** What the common start cost, once: it is charged to the first score that used it. */
  takeOwed(): Usage {
    const owed = this.#owed;
    this.#owed = noUsage;
    return owed;
  }

  #common(signal?: AbortSignal): Promise<Held> {
    if (this.#held) return this.#held;
    const held = this.#read(signal).catch((error) => {
      if (this.#held === held) this.#held = null;
      throw error;
    });
    this.#held = held;
    return held;
  }

  async #read(signal?: AbortSignal): Promise<Held> {
    // What does not depend on the first step is what two different first steps have in common.
    const [one, other] = await Promise.all(
      ["a", "7"].map((text) => this.reader.layout(this.question, [{ text }])),
    );
    const ids = one!.slice(0, Math.max(1, commonPrefix(one!, other!)));
    const held = this.frame.root && forkOf(this.frame.root);
    if (!held) {
      const { usage, ...fresh } = await hold(this.reader, ids, signal);
      this.#owed = addUsage(this.#owed, usage);
      return fresh;
    }
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

/** Null where the branch is gone with the engine's process; the model itself comes back by its next call. */
function forkOf({ branch, ids }: Held): Held | null {
  try {
    return { branch: branch.fork(), ids };
  } catch (error) {
    if (StepwrightError.is(error, "engine-failed")) return null;
    throw error;
  }
}
