/**
 * What a method sees. Every call charges the ledger, checks the budget and the abort signal *before* it starts,
 * and is written to the trace: a method's author cannot forget to count, to stop or to record.
 */
import type { Sampling } from "./model.js";
import type { Splitter, Step } from "./step.js";

/** A role that writes steps. */
export type Writer = "draft" | "target";
export type Role = Writer | "reward";

/**
 * Why an answer ended: `stop` the model ended it; `length` a token, step or context limit; `stalled` the loop
 * guard (a blank step, or a step equal to the one before it); `budget` and `abort` cut it from outside.
 */
export type Finish = "stop" | "length" | "stalled" | "budget" | "abort";

/** A state of the answer: the steps from the root to here. Immutable but for `reward`, set once by `score`. */
export interface Node {
  /** Path of child numbers from the root, "" for the root itself: "0.1.0". */
  readonly id: string;
  readonly parent: Node | null;
  /** Null at the root only. */
  readonly step: Step | null;
  /** Steps from the root. */
  readonly depth: number;
  /** Tokens from the root, each step counted in its writer's tokens. */
  readonly tokens: number;
  /** Names the stream of random numbers; a first child continues its parent's. */
  readonly key: string;
  /** Set once the answer is over here; nothing may extend it. */
  readonly finish: Finish | null;
  readonly reward: number | null;
}

export interface StepRequest {
  readonly role: Writer;
  /** Who is credited in the trace; the role by default. */
  readonly origin?: string;
  /** Overrides of the run's sampling. */
  readonly sampling?: Partial<Omit<Sampling, "seed">>;
  /** Override of the run's splitter. */
  readonly splitter?: Splitter;
  /** Override of the run's greatest number of tokens in one step. */
  readonly maxTokens?: number;
}

export interface Outcome {
  readonly node: Node;
  readonly finish: Finish;
}

export interface Search {
  readonly question: string;
  readonly root: Node;
  readonly signal: AbortSignal;
  /** Writes one more step after `node`. Siblings draw from streams of their own. */
  extend(node: Node, request: StepRequest): Promise<Node>;
  /** The same for many nodes at once: one batch. Results in the order of the requests. */
  extendAll(requests: readonly (StepRequest & { readonly node: Node })[]): Promise<Node[]>;
  /** The reward of the node's last step, in [0, 1]; sets `node.reward`. A second call is free. */
  score(node: Node): Promise<number>;
  scoreAll(nodes: readonly Node[]): Promise<number[]>;
  /** Decides for `node`: every other continuation of its ancestors is pruned, its steps are final. */
  commit(node: Node): Node;
  /** Gives up the node and all below it, frees what they hold, counts their tokens as discarded. Returns its parent. */
  prune(node: Node): Node;
  /**
   * True with this probability, drawn for (seed, node, purpose). After a failed reward the run's policy answers
   * instead. 0 and 1 draw nothing.
   */
  coin(node: Node, probability: number, purpose?: string): boolean;
  /** Uniform in [0, 1), drawn for (seed, node, purpose, index). */
  uniform(node: Node, purpose: string, index?: number): number;
  /** The answer: the steps from the root to `node`. Everything else is pruned. */
  finish(node: Node): Outcome;
}

/** The steps from the root to `node`. */
export function pathSteps(node: Node): Step[] {
  const steps: Step[] = [];
  for (let at: Node | null = node; at?.step; at = at.parent) steps.push(at.step);
  return steps.reverse();
}

/** The text from the root to `node`. */
export function pathText(node: Node): string {
  return pathSteps(node)
    .map((step) => step.text)
    .join("");
}
