/** Reading a tree: what is refused before it begins, and what is read off its rows. */
import { StepwrightError } from "../../core/errors.js";
import type { TreeRow } from "../../core/model.js";
import type { Row } from "../../native/native-model.js";
import type { HeldTree, TreeEntry } from "./held-tree.js";
import type { BranchState, ReadTree } from "./operation.js";
import type { SequencePool } from "./sequence-pool.js";

/** Why the tree can never be read, whatever gives way for it; undefined if it can. */
export function treeProblem(
  branch: BranchState,
  tree: HeldTree,
  pool: SequencePool,
  context: number,
): StepwrightError | undefined {
  const { length } = branch.tokens;
  if (length === 0) {
    return new StepwrightError("invalid-option", "nothing to hang a tree on: the branch is empty", {
      remedy: "append a prompt first",
    });
  }
  if (length + tree.depth > context || length + tree.cells(pool.separate) > pool.cells) {
    return new StepwrightError(
      "context-exceeded",
      `a tree of ${tree.nodes.length} tokens, ${tree.depth} deep, does not fit behind ${length} tokens`,
      { remedy: "draft less, or load the model with a larger --context" },
    );
  }
  if (tree.paths <= pool.sequences) return undefined;
  return new StepwrightError(
    "invalid-option",
    `a tree of ${tree.paths} paths where there are ${pool.sequences} sequences`,
    { remedy: "draft fewer paths than `treeLimits.leaves` of the model" },
  );
}

/** Puts what was read after these entries into the call's rows. */
export function takeTreeRows(
  { topK, progress }: ReadTree,
  entries: readonly TreeEntry[],
  rows: readonly Row[],
  hidden: readonly Float32Array[],
): void {
  for (const [index, { row: number }] of entries.filter(({ output }) => output).entries()) {
    const row = rows[index]!;
    if (number < 0 || !row.law) continue;
    const { probabilities, outside, outsideLogprob } = row.law;
    progress!.rows[number] = {
      draw: { token: row.token, logprob: row.logprob },
      probabilities,
      logprobs: row.tokens,
      outside: outside < 0 ? null : { token: outside, logprob: outsideLogprob },
      entropy: row.entropy,
      ...(topK > 0 ? { topK: row.topK } : {}),
      ...(hidden[index] ? { hidden: hidden[index] } : {}),
    } satisfies TreeRow;
  }
}
