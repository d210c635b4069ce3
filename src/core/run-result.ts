/** What a run comes to: the answer step by step, what was rejected on the way, and what it cost. */
import type { LedgerData } from "./ledger.js";
import { type Finish, pathText } from "./search.js";
import type { SearchNode } from "./search-node.js";
import { beforeStop } from "./stop-strings.js";

export interface RejectedStep {
  readonly origin: string;
  readonly text: string;
  /** How many tokens it has, in its writer's tokens. */
  readonly tokens: number;
  readonly reward: number | null;
}

export interface ResultStep extends RejectedStep {
  readonly index: number;
  /** The continuations that were given up for this one. */
  readonly rejected: readonly RejectedStep[];
}

export interface RunResult {
  /** The run's id. */
  readonly run: string;
  readonly method: string;
  readonly finish: Finish;
  readonly seed: number;
  /** All steps joined, up to a stop string, trailing white space cut. */
  readonly text: string;
  readonly steps: readonly ResultStep[];
  readonly ledger: LedgerData;
}

export function resultSteps(last: SearchNode): ResultStep[] {
  const steps: ResultStep[] = [];
  for (let node = last; node.parent; node = node.parent) {
    const rejected = node.parent.children.filter((sibling) => sibling !== node).map(summary);
    steps.push({ index: node.depth - 1, ...summary(node), rejected });
  }
  return steps.reverse();
}

export function resultText(last: SearchNode, stops: readonly string[]): string {
  return beforeStop(pathText(last), stops).trimEnd();
}

function summary(node: SearchNode): RejectedStep {
  const { origin, text, tokens } = node.step!;
  return { origin, text, tokens: tokens.length, reward: node.reward };
}
