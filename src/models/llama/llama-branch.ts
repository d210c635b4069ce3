/** A branch of a model in the engine's process. Only its number lives here; tokens and cells are the engine's. */
import { StepwrightError } from "../../core/errors.js";
import {
  type BlendPart,
  type Branch,
  type ExtendOptions,
  type Extension,
  handOver,
  type Model,
  type Reading,
  type ReadOptions,
  type ReadTreeOptions,
  type TreeReading,
  type TreeToken,
  tokenFlops,
  type Usage,
} from "../../core/model.js";
import type { Passage } from "../../core/step.js";
import type { Engine } from "./engine.js";
import type { EngineUsage, Want } from "./protocol.js";

/** What a branch needs of its model: the numbers to address it by, and whether the engine is still the one it was made in. */
export interface Home {
  readonly model: Model;
  readonly number: number;
  readonly engine: Engine;
  readonly generation: number;
  nextBranch(): number;
}

const mostCandidates = 256;

export class LlamaBranch implements Branch {
  readonly #home: Home;
  readonly #number: number;
  #length: number;
  /** Calls, forks and rollbacks made so far; an answer must not undo a rollback made after its call. */
  #made = 0;
  readonly #rollbacks: { readonly at: number; readonly length: number }[] = [];
  /** Depth of each node of the tree that the last call has read. */
  #tree: readonly number[] | null = null;
  #dropped = false;

  constructor(home: Home, number: number, length: number) {
    this.#home = home;
    this.#number = number;
    this.#length = length;
  }

  get model(): Model {
    return this.#home.model;
  }

  get length(): number {
    return this.#length;
  }

  fork(): LlamaBranch {
    this.#check();
    this.#tree = null;
    this.#made++;
    const child = this.#home.nextBranch();
    this.#home.engine.order({ type: "fork", model: this.#home.number, branch: this.#number, child });
    return new LlamaBranch(this.#home, child, this.#length);
  }

  async append(passage: Passage | string, options: ReadOptions = {}): Promise<Reading> {
    this.#check();
    this.#tree = null;
    const made = ++this.#made;
    const answer = await this.#home.engine.call<"append">(
      {
        type: "append",
        model: this.#home.number,
        branch: this.#number,
        input: handOver(passage, this.model),
        want: toWant(options, this.model),
      },
      { signal: options.signal },
    );
    const { usage, end, ...reading } = answer;
    this.#setLength(made, end);
    return { ...reading, usage: this.#usage(usage) };
  }

  async extend(options: ExtendOptions): Promise<Extension> {
    this.#check();
    const { splitter, maxTokens, sampling, key, states = false, onText, signal } = options;
    if (!Number.isInteger(maxTokens) || maxTokens < 1) {
      throw new StepwrightError("invalid-option", `cannot write ${maxTokens} tokens`, {
        subject: "maxTokens",
      });
    }
    this.#tree = null;
    const made = ++this.#made;
    const { usage, end, ...written } = await this.#home.engine.call<"extend">(
      {
        type: "extend",
        model: this.#home.number,
        branch: this.#number,
        splitter,
        maxTokens,
        sampling,
        key,
        states,
        stream: onText !== undefined,
      },
      { signal, onText },
    );
    this.#setLength(made, end);
    return { ...written, vocabulary: this.model.vocabulary, usage: this.#usage(usage) };
  }

  async readTree(tree: readonly TreeToken[], options: ReadTreeOptions): Promise<TreeReading> {
    this.#check();
    if (!this.model.capabilities.has("tree")) {
      throw new StepwrightError("missing-capability", `${this.model.name} cannot read trees of tokens`, {
        remedy: "use a model with attention in every layer",
      });
    }
    const depths = depthsOf(tree);
    const { sampling, key, ask, topK = 0, hidden = false, signal } = options;
    checkTopK(topK);
    if (ask.length !== tree.length + 1 || ask.some((tokens) => tokens.length > mostCandidates)) {
      throw new StepwrightError("invalid-option", "a tree is asked about its root and each node", {
        remedy: `name at most ${mostCandidates} tokens for each`,
        subject: "ask",
      });
    }
    this.#tree = null;
    const made = ++this.#made;
    const nodes = tree.map(({ token, parent }) => ({ token, parent }));
    const { rows, usage } = await this.#home.engine.call<"tree">(
      {
        type: "tree",
        model: this.#home.number,
        branch: this.#number,
        nodes,
        sampling,
        key,
        ask,
        topK,
        hidden,
      },
      { signal },
    );
    if (made === this.#made) this.#tree = depths;
    return { rows, usage: this.#usage(usage) };
  }

  keep(node: number): void {
    this.#check();
    const depth = node === -1 ? 0 : this.#tree?.[node];
    if (this.#tree === null || depth === undefined) {
      throw new StepwrightError(
        "internal",
        `no node ${node} to keep: read a tree first, and keep one of its nodes`,
      );
    }
    this.#tree = null;
    this.#length += depth;
    this.#home.engine.order({ type: "keep", model: this.#home.number, branch: this.#number, node });
  }

  trim(length: number): void {
    this.#check();
    this.#tree = null;
    if (!Number.isInteger(length) || length < 0) {
      throw new StepwrightError("invalid-option", `cannot roll back to ${length} tokens`, {
        subject: "length",
      });
    }
    this.#rollbacks.push({ at: ++this.#made, length });
    this.#length = Math.min(this.#length, length);
    this.#home.engine.order({ type: "trim", model: this.#home.number, branch: this.#number, length });
  }

  drop(): void {
    if (this.#dropped) return;
    this.#dropped = true;
    if (this.#home.engine.generation !== this.#home.generation) return;
    this.#home.engine.order({ type: "drop", model: this.#home.number, branch: this.#number });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.drop();
  }

  #setLength(made: number, end: number): void {
    const later = this.#rollbacks.filter(({ at }) => at > made);
    this.#rollbacks.splice(0, this.#rollbacks.length, ...later);
    this.#length = Math.min(end, ...later.map(({ length }) => length));
  }

  #check(): void {
    if (this.#dropped) throw new StepwrightError("internal", "the branch has been dropped");
    if (this.#home.engine.generation !== this.#home.generation) {
      throw new StepwrightError("engine-failed", "the branch was lost when the engine's process ended", {
        remedy: "run it again: a trace resumes at the step where it was cut",
      });
    }
  }

  #usage({ passes, positions, ...usage }: EngineUsage): Usage {
    const { size } = this.model;
    // Linear in the position, so the sum of positions is enough.
    const flops = passes * tokenFlops(size, 0) + positions * (tokenFlops(size, 1) - tokenFlops(size, 0));
    return { ...usage, flops };
  }
}

function toWant(options: ReadOptions, model: Model): Want | null {
  const {
    topK = 0,
    tokens = [],
    logprobs = false,
    states = false,
    hidden = false,
    row = false,
    blend,
  } = options;
  checkTopK(topK);
  if (blend) checkBlend(blend, model, topK > 0 || tokens.length > 0 || row);
  if (states && !logprobs) {
    throw new StepwrightError(
      "invalid-option",
      "states over a passage are taken where its log-probabilities are read",
      { remedy: "ask for both", subject: "states" },
    );
  }
  if (topK === 0 && tokens.length === 0 && !logprobs && !hidden && !row) return null;
  return { topK, tokens, logprobs, states, hidden, row, ...(blend && { blend }) };
}

function checkBlend(blend: readonly BlendPart[], { name, capabilities, size }: Model, reads: boolean): void {
  if (!capabilities.has("graph")) {
    throw new StepwrightError("missing-capability", `${name} takes tokens alone, no mixtures of them`, {
      remedy: "open the same file as a white box: write graph: before its reference",
    });
  }
  const isSound = ({ token, weight }: BlendPart) =>
    Number.isInteger(token) && token >= 0 && token < size.vocabulary && Number.isFinite(weight);
  if (blend.length > 0 && reads && blend.every(isSound)) return;
  throw new StepwrightError(
    "invalid-option",
    "a blended input needs tokens, weights, and a law to read off",
    {
      subject: "blend",
    },
  );
}

function checkTopK(topK: number): void {
  if (Number.isInteger(topK) && topK >= 0 && topK <= mostCandidates) return;
  throw new StepwrightError("invalid-option", `topK is ${topK}, not 0 to ${mostCandidates}`, {
    subject: "topK",
  });
}

function depthsOf(tree: readonly TreeToken[]): number[] {
  const depths: number[] = [];
  for (const [index, { parent }] of tree.entries()) {
    if (!Number.isInteger(parent) || parent < -1 || parent >= index) {
      throw new StepwrightError(
        "invalid-option",
        `node ${index} of the tree hangs on ${parent}, which is not before it`,
      );
    }
    depths.push(parent < 0 ? 1 : depths[parent]! + 1);
  }
  return depths;
}
