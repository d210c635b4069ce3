/** What one call wants of the next decode: which of its branch's pending tokens, and what is read off after them. */
import { keyedBits } from "../../core/random.js";
import type { RowRequest } from "../../native/native-model.js";
import type { Append, BranchState, Extend, Operation } from "./operation.js";
import type { Want } from "./protocol.js";

/** Outputs of one decode that a passage's log-probabilities may take: bounds the logits that libllama keeps. */
export const outputsPerDecode = 32;

export interface Demand {
  readonly branch: BranchState;
  readonly operation: Append | Extend | Extract<Operation, { kind: "fork" }>;
  readonly from: number;
  readonly count: number;
  /** Which of the tokens are outputs, counted from `from`. */
  readonly outputs: readonly number[];
  readonly hidden: boolean;
}

/** The next stretch of a branch's pending tokens, at most `limit`, for the call at the head of its queue. */
export function nextDemand(branch: BranchState, limit: number): Demand {
  const operation = branch.queue[0] as Demand["operation"];
  const from = branch.cached;
  const end = branch.tokens.length;
  const pending = end - from;
  if (operation.kind === "extend") {
    const count = Math.min(pending, limit);
    return { branch, operation, from, count, outputs: count === pending ? [count - 1] : [], hidden: false };
  }
  const want = operation.kind === "append" ? operation.want : null;
  if (!want) {
    return { branch, operation, from, count: Math.min(pending - 1, limit), outputs: [], hidden: false };
  }
  const start = (operation as Append).progress!.start;
  // The last token is left to the next call if nothing is read off after it, and goes alone where its hidden
  // state is wanted: every token of such a batch is an output.
  const leavesLast = !readsEnd(want) || (want.hidden && pending > 1);
  const stretch = leavesLast ? pending - 1 : pending;
  const count = Math.min(stretch, limit, want.logprobs ? outputsPerDecode : limit);
  const outputs: number[] = [];
  for (let index = 0; index < count; index++) {
    const next = from + index + 1;
    if (next === end ? readsEnd(want) : want.logprobs && next >= start) outputs.push(index);
  }
  return { branch, operation, from, count, outputs, hidden: want.hidden && pending === 1 };
}

export function readsEnd(want: Want): boolean {
  return want.hidden || want.row || want.topK > 0 || want.tokens.length > 0;
}

export function rowRequest(
  operation: Demand["operation"],
  output: number,
  next: number | undefined,
  last: boolean,
  position: number,
): RowRequest {
  if (operation.kind === "extend") {
    const { temperature, topK, topP, minP, seed } = operation.sampling;
    const bits = temperature > 0 ? keyedBits(seed, operation.key, position, "sample") : 0;
    return { output, draw: { temperature, topK, topP, minP, bits }, topK: 0, tokens: [], row: false };
  }
  const want = operation.kind === "append" ? operation.want : null;
  const tokens = last ? (want?.tokens ?? []) : [];
  return {
    output,
    draw: null,
    topK: last ? (want?.topK ?? 0) : 0,
    // A passage's own next token goes last, where `#read` finds it.
    tokens: want?.logprobs && next !== undefined ? [...tokens, next] : tokens,
    row: last && (want?.row ?? false),
  };
}
