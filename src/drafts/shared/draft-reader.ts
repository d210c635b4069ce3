/** A draft model beside one branch of the target: its rows after the target's text, and after drafts of what follows. */
import type { DraftRow } from "../../core/draft-tree.js";
import { addUsage, type BlendPart, type Branch, type Model, noUsage, type Usage } from "../../core/model.js";
import type { Passage, Token } from "../../core/step.js";

/** A place after the text or after drafts of it, and what the draft model says there. */
export interface DraftPlace {
  /** The drafts that lead here. */
  readonly path: readonly Token[];
  readonly row: DraftRow;
  readonly hidden?: Float32Array | undefined;
}

export interface RowOptions {
  /** The most probable tokens of each row that are read off. */
  readonly topK: number;
  readonly hidden?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What the draft model reads in place of the target's text: the same, or less of it. */
export type TextView = (tokens: readonly Token[]) => readonly Token[];

/** A branch of the draft model that holds the text and these drafts. */
interface HeldBranch {
  readonly branch: Branch;
  path: readonly Token[];
  /** The path was read as mixtures: it is nothing that a later block could go on from. */
  isBlended: boolean;
}

/** A draft that is read next: with a blend, a mixture of tokens in its place. */
export interface NextDraft {
  readonly place: DraftPlace;
  readonly token: Token;
  readonly blend?: readonly BlendPart[];
}

/**
 * Drafts are read in branches of their own, each new token once: reading the growing tree again for each layer would
 * pass every node as often as there are layers below it.
 */
export class DraftReader {
  readonly #model: Model;
  readonly #prompt: Passage | undefined;
  readonly #view: TextView;
  /** What all branches hold in common. */
  #text: readonly Token[] = [];
  #branches: HeldBranch[] = [];
  readonly #heldAt = new WeakMap<DraftPlace, HeldBranch>();
  #usage: Usage = noUsage;

  constructor(model: Model, prompt?: Passage, view: TextView = (tokens) => tokens) {
    this.#model = model;
    this.#prompt = prompt;
    this.#view = view;
  }

  /** How many more tokens the draft model can read after this text. */
  room(tokens: readonly Token[]): number {
    return this.#model.size.context - this.#view(tokens).length;
  }

  /** The row after the text; reads what the draft model has not read of it. */
  async read(text: readonly Token[], options: RowOptions): Promise<DraftPlace> {
    this.settle(text);
    const tokens = this.#view(text);
    const held = this.#branches[0] ?? (await this.#open(tokens, options.signal));
    const place = await this.#append(held, [], tokens.slice(held.branch.length), options);
    this.#text = [...tokens];
    return place;
  }

  /** The rows after one more draft each, read together. */
  async expand(drafts: readonly NextDraft[], options: RowOptions): Promise<DraftPlace[]> {
    // All forks come first: a branch that has begun to read a draft is no place to fork its siblings from.
    const grown = drafts.map(({ place }) => this.#branchAt(place));
    return Promise.all(
      drafts.map(({ place, token, blend }, index) => {
        const held = grown[index]!;
        held.isBlended ||= blend !== undefined;
        return this.#append(held, [...place.path, token], [token], { ...options, ...(blend && { blend }) });
      }),
    );
  }

  /** Keeps the one branch that holds the most of this text, without reading anything. */
  settle(text: readonly Token[]): void {
    const tokens = this.#view(text);
    const shared = sharedLength(this.#text, tokens);
    const agrees = ({ path, isBlended }: HeldBranch) =>
      isBlended || shared < this.#text.length ? shared : shared + sharedLength(path, tokens.slice(shared));
    let [best, most] = [undefined as HeldBranch | undefined, -1];
    for (const held of this.#branches) {
      const length = agrees(held);
      if (length > most) [best, most] = [held, length];
    }
    for (const held of this.#branches) if (held !== best) held.branch.drop();
    this.#branches = best ? [best] : [];
    if (!best) return;
    if (best.branch.length > most) best.branch.trim(most);
    best.path = [];
    best.isBlended = false;
    this.#text = tokens.slice(0, most);
  }

  /** What the passes since the last call cost. */
  takeUsage(): Usage {
    const usage = this.#usage;
    this.#usage = noUsage;
    return usage;
  }

  fork(): DraftReader {
    const child = new DraftReader(this.#model, this.#prompt, this.#view);
    const [held] = this.#branches;
    if (held) {
      child.#text = this.#text;
      child.#branches = [{ ...held, branch: held.branch.fork() }];
    }
    return child;
  }

  drop(): void {
    for (const { branch } of this.#branches) branch.drop();
    this.#branches = [];
    this.#text = [];
  }

  async #open(tokens: readonly Token[], signal: AbortSignal | undefined): Promise<HeldBranch> {
    const prompt = this.#prompt;
    const isBegun = prompt !== undefined && sharedLength(prompt.tokens, tokens) === prompt.tokens.length;
    const branch = await this.#model.open(
      isBegun
        ? prompt
        : { text: await this.#model.detokenize(tokens), tokens, vocabulary: this.#model.vocabulary },
      { signal },
    );
    const held = { branch, path: [], isBlended: false };
    this.#branches = [held];
    return held;
  }

  /** The branch that holds the place's drafts, which its first child takes over; a fork of it for the others. */
  #branchAt(place: DraftPlace): HeldBranch {
    const held = this.#heldAt.get(place)!;
    if (held.path === place.path) {
      // The first child goes on in it: from here on it belongs to that child.
      held.path = [];
      return held;
    }
    const branch = held.branch.fork();
    const length = this.#text.length + place.path.length;
    if (branch.length > length) branch.trim(length);
    const fork = { branch, path: place.path, isBlended: held.isBlended };
    this.#branches.push(fork);
    return fork;
  }

  async #append(
    held: HeldBranch,
    path: readonly Token[],
    tokens: readonly Token[],
    { topK, hidden, signal, blend }: RowOptions & { readonly blend?: readonly BlendPart[] },
  ): Promise<DraftPlace> {
    held.path = path;
    try {
      const passage = { text: "", tokens, vocabulary: this.#model.vocabulary };
      const reading = await held.branch.append(passage, {
        ...{ topK, signal },
        ...(hidden && { hidden }),
        ...(blend && { blend }),
      });
      this.#usage = addUsage(this.#usage, reading.usage);
      const row = { entropy: reading.entropy!, topK: reading.topK! };
      const place = { path, row, hidden: reading.hidden };
      this.#heldAt.set(place, held);
      return place;
    } catch (error) {
      // What a failed or cut call left in a branch is not known: the next block begins anew.
      this.drop();
      throw error;
    }
  }
}

function sharedLength(a: readonly Token[], b: readonly Token[]): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a[length] === b[length]) length++;
  return length;
}
