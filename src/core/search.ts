/**
 * What a method sees. Every call charges the ledger, checks the budget and the abort signal *before* it starts,
 * and is written to the trace: a method's author cannot forget to count, to stop or to record.
 */
import type { Check } from "./answer-rules.js";
import type { ChatMessage, Sampling } from "./model.js";
import type { Splitter, Step, Token } from "./step.js";

/** A role that writes steps. */
export type Writer = "draft" | "target";
export type Role = Writer | "reward";

/**
 * Why an answer ended: `stop` the model ended it; `length` a token, step or context limit; `stalled` the loop
 * guard (a blank step, or a step equal to the one before it); `budget` and `abort` cut it from outside.
 */
export type Finish = "stop" | "length" | "stalled" | "budget" | "abort";

/** A state of a text: the steps from its root to here. Immutable but for `reward`, set once by `score`. */
export interface Node {
  /** Path of child numbers from the root, "0.1.0"; the root itself is "", one that was begun is "~1", "~2", ... */
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
  /**
   * What it means that the budget ends within the step: by default the end of the answer; true if another writer goes on
   * from where it broke off.
   */
  readonly handsOver?: boolean;
  /** Cuts the step off where it is when it fires: the node holds what was written so far, `step.stop` is `cut`. */
  readonly signal?: AbortSignal;
}

export type NodeRequest = StepRequest & { readonly node: Node };

/** One token that a model may write next. */
export interface NextToken {
  readonly token: Token;
  readonly text: string;
  /** Natural log, at temperature 1. */
  readonly logprob: number;
  /** True if the answer ends with it. */
  readonly end: boolean;
}

/** What a model would write next. */
export interface Outlook {
  /** Best first. */
  readonly tokens: readonly NextToken[];
  /** Of the whole next-token law at temperature 1, in nats. */
  readonly entropy: number;
}

/** A continuation that nobody draws: a text, or tokens out of an `Outlook` of the same role, in order. */
export interface ForcedStep {
  readonly role: Writer;
  readonly content: string | readonly NextToken[];
  /** Who is credited in the trace; default "forced". */
  readonly origin?: string;
}

export interface Outcome {
  readonly node: Node;
  readonly finish: Finish;
}

export interface Search {
  readonly question: string;
  readonly root: Node;
  readonly signal: AbortSignal;
  /**
   * A new root: another prompt within the same run (a critique, a ranking, a second attempt). Its nodes are extended
   * like any others; what is scored there is scored as an answer to the run's question. A text stands for a user's
   * message under the run's system message.
   */
  begin(prompt: string | readonly ChatMessage[]): Node;
  /** Writes one more step after `node`. Siblings draw from streams of their own. */
  extend(node: Node, request: StepRequest): Promise<Node>;
  /** The same for many nodes at once: one batch. Results in the order of the requests. */
  extendAll(requests: readonly NodeRequest[]): Promise<Node[]>;
  /**
   * A race: as soon as one of the steps ends its answer (`finish` is `stop`), the others are cut off where they are
   * (`step.stop` is `cut`). Which one is first depends on the machine; the trace keeps what happened.
   */
  extendFirst(requests: readonly NodeRequest[]): Promise<Node[]>;
  /**
   * Puts a given continuation after `node`. A text is read, not written; tokens that were chosen from an outlook count
   * as written.
   */
  append(node: Node, forced: ForcedStep): Promise<Node>;
  /** The `count` most probable next tokens (1 to 256) after `node`. Needs `logits` of the role. A second call is free. */
  candidates(node: Node, role: Writer, count: number): Promise<Outlook>;
  /**
   * Log-probability of each token of the node's last step under the role's model, in that model's own tokens. Reads
   * the step, unless the role wrote it; the reading is shared with what the role writes after it. Needs `logits`.
   */
  likelihood(node: Node, role: Writer): Promise<readonly number[]>;
  likelihoodAll(nodes: readonly Node[], role: Writer): Promise<(readonly number[])[]>;
  /** The reward of the node's last step, in [0, 1]; sets `node.reward`. A second call is free. */
  score(node: Node): Promise<number>;
  scoreAll(nodes: readonly Node[]): Promise<number[]>;
  /**
   * The reward below which a step after `node` is better rewritten by this role: what the reward advises, lowered to
   * what the budget of the role's tokens still allows; 0 when it is spent. Throws `invalid-option` without advice.
   */
  threshold(node: Node, writer: Writer): Promise<number>;
  /** The final answer in the text up to `node`, null if there is none, by the task's rules; by default all the text. */
  answer(node: Node): Promise<string | null>;
  /** Whether two answers mean the same, by the task's rules; by default, whether they are the same text. */
  sameAnswer(first: string, second: string): Promise<boolean>;
  /** What the task's own checker says of the text up to `node`; null where the task has none. */
  check(node: Node): Promise<Check | null>;
  /** Decides for `node`: every other continuation of its ancestors is pruned, its steps are final. */
  commit(node: Node): Node;
  /** Gives up the node and all below it, frees what they hold, counts their tokens as discarded. Returns its parent. */
  prune(node: Node): Node;
  /**
   * An answer to fall back on: when the run is cut, by its budget or from outside, the offer of the highest value
   * (default 0; of equals the first) that was not given up since is its answer. Without one it is what was decided.
   */
  offer(node: Node, value?: number): void;
  /**
   * True with this probability, drawn for (seed, node, purpose). After a failed reward the run's policy answers
   * instead. 0 and 1 draw nothing.
   */
  coin(node: Node, probability: number, purpose?: string): boolean;
  /** Uniform in [0, 1), drawn for (seed, node, purpose, index). */
  uniform(node: Node, purpose: string, index?: number): number;
  /** The answer: the steps from its root to `node`. Everything else is pruned. */
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
