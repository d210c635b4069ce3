/** Trees of drafts beside a scripted branch, with the exact rows that a verifier asks for. */
import { StepwrightError } from "../core/errors.js";
import type { Candidate, ReadTreeOptions, Sampling, TreeRow, TreeToken } from "../core/model.js";
import { keyedUniform } from "../core/random.js";
import { entropyOf, lawWithout, pick, probabilityOf, processed, type SparseLaw } from "../core/sparse-law.js";
import type { Token } from "../core/step.js";
import { type AnswerState, logprobOf } from "./scripted-law.js";

export interface RowRequest {
  readonly sampling: Sampling;
  readonly asked: readonly Token[];
  readonly topK?: number | undefined;
  /** Uniform in [0, 1), by purpose: "sample" for the plain draw, "outside" for the token not asked for. */
  readonly uniform: (purpose: string) => number;
}

/** A row of the tree from the whole law of the next token, temperature 1. */
export function exactRow(law: SparseLaw, { sampling, asked, topK, uniform }: RowRequest): TreeRow {
  const target = processed(law, sampling);
  const others = lawWithout(target, new Set(asked));
  // Drawn when looked at: a random number that nobody uses has no part in the law of what is written.
  const drawn = (from: SparseLaw, purpose: string): Candidate => ({
    get token() {
      return pick(from, uniform(purpose));
    },
    get logprob() {
      return logprobOf(this.token, law);
    },
  });
  return {
    draw: drawn(target, "sample"),
    probabilities: asked.map((token) => probabilityOf(token, target)),
    logprobs: asked.map((token) => logprobOf(token, law)),
    outside: others && drawn(others, "outside"),
    entropy: entropyOf(law),
    ...(topK && { topK: mostProbable(law, topK) }),
  };
}

/** Best first; equal ones by id. */
export function mostProbable(law: SparseLaw, count: number): Candidate[] {
  const ranked = law.tokens.map((token) => ({ token, logprob: logprobOf(token, law) }));
  ranked.sort((a, b) => b.logprob - a.logprob || a.token - b.token);
  return ranked.slice(0, count);
}

/** The tree last read beside a branch: the answer after each of its nodes. */
export class ScriptedTree {
  readonly #tree: readonly TreeToken[];
  readonly #states: readonly AnswerState[];
  readonly #depths: readonly number[];

  /** `answer` is the branch's own, `copy` gives one that may grow. */
  constructor(tree: readonly TreeToken[], answer: AnswerState, copy: (state: AnswerState) => AnswerState) {
    const states: AnswerState[] = [];
    const depths: number[] = [];
    for (const [index, { token, parent }] of tree.entries()) {
      if (!(parent >= -1 && parent < index)) {
        throw new StepwrightError("internal", `node ${index} of a tree hangs on ${parent}`);
      }
      const state = copy(parent < 0 ? answer : states[parent]!);
      state.push(token);
      states.push(state);
      depths.push(parent < 0 ? 1 : depths[parent]! + 1);
    }
    this.#tree = tree;
    this.#states = [answer, ...states];
    this.#depths = depths;
  }

  /** Rows after the branch's end, at this length, and after each node. */
  rows(length: number, options: ReadTreeOptions, lawAfter: (state: AnswerState) => SparseLaw): TreeRow[] {
    const { ask, sampling, key, topK } = options;
    if (ask.length !== this.#states.length) {
      throw new StepwrightError("internal", `${this.#states.length} rows, but ${ask.length} lists of tokens`);
    }
    return this.#states.map((state, index) => {
      const position = length + (index === 0 ? 0 : this.#depths[index - 1]!);
      const uniform = (purpose: string) => keyedUniform(sampling.seed, key, position, purpose);
      return exactRow(lawAfter(state), { sampling, asked: ask[index]!, topK, uniform });
    });
  }

  get states(): readonly AnswerState[] {
    return this.#states;
  }

  /** How far behind the branch's end each node's token stands, from 0. */
  get offsets(): readonly number[] {
    return this.#depths.map((depth) => depth - 1);
  }

  /** The tokens from the branch's end to a node; none for -1. */
  path(node: number): Token[] {
    if (!(node >= -1 && node < this.#tree.length)) {
      throw new StepwrightError("internal", `a tree of ${this.#tree.length} has no node ${node}`);
    }
    const path: Token[] = [];
    for (let at = node; at >= 0; at = this.#tree[at]!.parent) path.unshift(this.#tree[at]!.token);
    return path;
  }
}
