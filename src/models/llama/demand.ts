/** What one call wants of the next decode: which of its branch's pending tokens, and what is read off after them. */
import { keyedBits } from "../../core/random.js";
import type { BatchToken, NativeModelInfo, RowRequest } from "../../native/native-model.js";
import type { HeldTree, TreeEntry } from "./held-tree.js";
import type { Append, BranchCall, BranchState, Operation, ReadTree } from "./operation.js";
import type { Want } from "./protocol.js";

/** Outputs of one decode that a passage's log-probabilities may take: bounds the logits that libllama keeps. */
export const outputsPerDecode = 32;

/** Bytes of logits that the outputs of one decode may take, so that big trees need not be read in parts. */
const logitBytes = 64 * 2 ** 20;

/** Most outputs of one decode, over all calls. */
export function mostOutputs({ sequences, vocabularySize }: NativeModelInfo): number {
  return Math.max(outputsPerDecode, sequences, Math.floor(logitBytes / (4 * vocabularySize)));
}

type Calling = BranchCall | Extract<Operation, { kind: "fork" }>;

export interface Demand {
  readonly branch: BranchState;
  readonly operation: Calling;
  /** The first of the branch's tokens that is passed, and how many tokens are. */
  readonly from: number;
  readonly count: number;
  /** Which of the passed tokens are outputs. */
  readonly outputs: readonly number[];
  /** Hidden states are read off at its outputs: then all that is passed is an output. */
  readonly hidden: boolean;
  /** What is passed where it is a tree on the branch. */
  readonly entries: readonly TreeEntry[] | null;
}

/** What a decode must be for a demand: with hidden states, without, or as others of it need; see `NativeModel.decode`. */
export function hiddenModeOf({ hidden, outputs, count }: Demand): boolean | null {
  if (hidden) return true;
  return outputs.length === count ? null : false;
}

/** Where in its branch the next token of the passage stands whose law is to be read; behind the end once all are. */
function nextLaw({ progress }: Append): number {
  const { start, logprobs } = progress!;
  return Math.max(1, start) + logprobs.length;
}

/** How much of a branch may be taken from the cache: a law is read in the pass over the token before, and gone then. */
export function mostCached({ tokens, queue }: BranchState): number {
  const [operation] = queue;
  const all = tokens.length - 1;
  if (operation?.kind !== "append" || !operation.want?.logprobs || !operation.progress) return all;
  return Math.min(all, nextLaw(operation) - 1);
}

/** The next stretch of a branch's pending tokens, at most `limit`, for the call at the head of its queue. */
export function nextDemand(branch: BranchState, limit: number): Demand {
  const operation = branch.queue[0] as Calling;
  const from = branch.cached;
  const end = branch.tokens.length;
  const pending = end - from;
  if (operation.kind === "tree") return treeDemand(branch, operation, limit);
  const entries = null;
  if (operation.kind === "extend") {
    // A state is read where all that is passed is an output: what stands before is read by itself.
    const stretch = operation.states && pending > 1 ? pending - 1 : pending;
    const count = Math.min(stretch, limit);
    const outputs = count === pending ? [count - 1] : [];
    return {
      branch,
      operation,
      from,
      count,
      outputs,
      hidden: operation.states && outputs.length > 0,
      entries,
    };
  }
  const want = operation.kind === "append" ? operation.want : null;
  if (!want) {
    return {
      branch,
      operation,
      from,
      count: Math.min(pending - 1, limit),
      outputs: [],
      hidden: false,
      entries,
    };
  }
  const due = nextLaw(operation as Append);
  // The last token is left to the next call if nothing is read off after it, and goes alone where its hidden
  // state is wanted: every token of such a batch is an output. So does what stands before the first state.
  const leavesLast = !readsEnd(want) || (want.hidden && pending > 1);
  const before = want.states ? Math.max(0, due - 1 - from) : 0;
  const stretch = before || (leavesLast ? pending - 1 : pending);
  const count = Math.min(stretch, limit, want.logprobs && before === 0 ? outputsPerDecode : limit);
  const outputs: number[] = [];
  for (let index = 0; index < count; index++) {
    const next = from + index + 1;
    if (next === end ? readsEnd(want) : want.logprobs && next >= due) outputs.push(index);
  }
  const hidden = (want.hidden && pending === 1) || (want.states && before === 0);
  return { branch, operation, from, count, outputs, hidden, entries };
}

/** Before the tree is placed, the tokens it hangs on but the last; then its entries. */
function treeDemand(branch: BranchState, operation: ReadTree, limit: number): Demand {
  const tree = branch.tree!;
  const from = branch.cached;
  if (tree.sequences === null) {
    const count = Math.min(branch.tokens.length - from - 1, limit);
    return { branch, operation, from, count, outputs: [], hidden: false, entries: null };
  }
  const entries = tree.left.slice(0, limit);
  const outputs = [...entries.keys()].filter((index) => entries[index]!.output);
  return { branch, operation, from, count: entries.length, outputs, hidden: operation.hidden, entries };
}

/** Whether a tree can be placed: all that it hangs on is passed but the last token, or all fits with the one path it has. */
export function canPlaceTree(
  { tokens, cached }: BranchState,
  tree: HeldTree,
  hidden: boolean,
  limit: number,
): boolean {
  const pending = tokens.length - cached;
  return pending === 1 || (tree.paths === 1 && !hidden && pending + tree.nodes.length <= limit);
}

/** The tokens of a demand, as they are passed. */
export function batchOf({ branch, operation, from, count, outputs, entries }: Demand): readonly BatchToken[] {
  if (entries) return entries;
  const sequences = [branch.sequence];
  const blend = operation.kind === "append" ? operation.want?.blend : undefined;
  const end = branch.tokens.length - 1;
  return branch.tokens.slice(from, from + count).map((token, index) => ({
    token,
    position: from + index,
    sequences,
    output: outputs.includes(index),
    ...(blend && from + index === end && { blend }),
  }));
}

/** What is read off after the outputs of a demand, the first of which is output `first` of the decode. */
export function rowRequests(demand: Demand, first: number): RowRequest[] {
  const { branch, operation, from, count, outputs, entries } = demand;
  return outputs.map((index, output) => {
    if (entries) return treeRowRequest(operation as ReadTree, entries[index]!, first + output);
    const next = branch.tokens[from + index + 1];
    const last = from + index === branch.tokens.length - 1 && index === count - 1;
    return rowRequest(operation, first + output, next, last, branch.tokens.length);
  });
}

function treeRowRequest(
  { sampling, key, ask, topK }: ReadTree,
  { row, position }: TreeEntry,
  output: number,
): RowRequest {
  // A copy of a token whose row is read elsewhere.
  if (row < 0) return { output, draw: null, topK: 0, tokens: [], row: false };
  const { temperature, seed } = sampling;
  const bits = (purpose: string) => (temperature > 0 ? keyedBits(seed, key, position + 1, purpose) : 0);
  const tokens = ask[row]!;
  return {
    output,
    draw: { ...sampling, bits: bits("sample") },
    topK,
    tokens,
    row: false,
    law: { ...sampling, tokens, bits: bits("outside") },
  };
}

export function readsEnd(want: Want): boolean {
  return want.hidden || want.row || want.topK > 0 || want.tokens.length > 0;
}

function rowRequest(
  operation: Calling,
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
