/**
 * Every run of tokens of many texts, with how often it stands there: a suffix automaton over all of them. A text of n
 * tokens makes at most 2n states and 3n edges. Blumer et al., 1985; over many texts: Mohri, Moreno and Weinstein, 2009.
 */
import type { Token } from "../../core/step.js";

export interface SuffixMatch {
  readonly state: number;
  /** Tokens that agree. */
  readonly length: number;
}

export interface Continuation {
  readonly token: Token;
  readonly state: number;
  readonly count: number;
}

const start = 0;
const none = -1;
/** Texts are cut into pieces of so many tokens: the work per token is bounded by it, whatever the text repeats. */
const pieceLength = 512;

export class SuffixAutomaton {
  readonly #lengths: number[] = [0];
  readonly #links: number[] = [none];
  readonly #counts: number[] = [0];
  readonly #firstEdge: number[] = [none];
  readonly #edgeToken: number[] = [];
  readonly #edgeTo: number[] = [];
  readonly #nextEdge: number[] = [];
  /** Edge by state and token, in one number. */
  readonly #edges = new Map<number, number>();
  #size = 0;

  /** Tokens added so far. */
  get size(): number {
    return this.#size;
  }

  add(tokens: readonly Token[]): void {
    for (let from = 0; from < tokens.length; from += pieceLength) {
      let last = start;
      for (const token of tokens.slice(from, from + pieceLength)) last = this.#extend(last, token);
    }
    this.#size += tokens.length;
  }

  /** The longest end of these tokens that stands somewhere in the texts. */
  match(tokens: readonly Token[]): SuffixMatch {
    let state = start;
    let length = 0;
    for (const token of tokens) {
      let next = this.#next(state, token);
      while (next === none && state !== start) {
        state = this.#links[state]!;
        length = this.#lengths[state]!;
        next = this.#next(state, token);
      }
      if (next === none) continue;
      state = next;
      length++;
    }
    return { state, length };
  }

  /** What follows in the texts, and how often. */
  continuations(state: number): Continuation[] {
    const found: Continuation[] = [];
    for (let edge = this.#firstEdge[state]!; edge !== none; edge = this.#nextEdge[edge]!) {
      const to = this.#edgeTo[edge]!;
      found.push({ token: this.#edgeToken[edge]!, state: to, count: this.#counts[to]! });
    }
    return found;
  }

  #extend(last: number, token: Token): number {
    const state = this.#grow(last, token);
    for (let at = state; at !== start; at = this.#links[at]!) this.#counts[at]!++;
    return state;
  }

  /** The state of the run that this token makes longer. */
  #grow(last: number, token: Token): number {
    const length = this.#lengths[last]! + 1;
    const known = this.#next(last, token);
    if (known !== none) return this.#lengths[known] === length ? known : this.#split(last, token, known);
    const state = this.#newState(length, start, 0);
    let at = last;
    for (; at !== none && this.#next(at, token) === none; at = this.#links[at]!) this.#link(at, token, state);
    if (at !== none) {
      const next = this.#next(at, token);
      const fits = this.#lengths[next] === this.#lengths[at]! + 1;
      this.#links[state] = fits ? next : this.#split(at, token, next);
    }
    return state;
  }

  /** A state for the shorter runs of `state` alone: they are about to stand where its longer ones do not. */
  #split(from: number, token: Token, state: number): number {
    const shorter = this.#newState(this.#lengths[from]! + 1, this.#links[state]!, this.#counts[state]!);
    for (const { token: next, state: to } of this.continuations(state)) this.#link(shorter, next, to);
    this.#links[state] = shorter;
    for (let at = from; at !== none && this.#next(at, token) === state; at = this.#links[at]!) {
      this.#edgeTo[this.#edges.get(edgeKey(at, token))!] = shorter;
    }
    return shorter;
  }

  #newState(length: number, link: number, count: number): number {
    this.#links.push(link);
    this.#counts.push(count);
    this.#firstEdge.push(none);
    return this.#lengths.push(length) - 1;
  }

  #next(state: number, token: Token): number {
    const edge = this.#edges.get(edgeKey(state, token));
    return edge === undefined ? none : this.#edgeTo[edge]!;
  }

  #link(from: number, token: Token, to: number): void {
    const edge = this.#edgeTo.push(to) - 1;
    this.#edgeToken.push(token);
    this.#nextEdge.push(this.#firstEdge[from]!);
    this.#firstEdge[from] = edge;
    this.#edges.set(edgeKey(from, token), edge);
  }
}

/** Both fit in 53 bits: no vocabulary has two million tokens, no automaton four billion states. */
function edgeKey(state: number, token: Token): number {
  return state * 2 ** 21 + token;
}
