/** What the grading process is asked and answers. */
import { lenientVerdict, type Pair } from "./lenient-verdict.js";
import { sameStrictly, strictVerdict } from "./strict/verdict.js";

export interface Grade {
  /** By the Qwen2.5-Math rules, leniencies included: comparable with published accuracies. */
  readonly correct: boolean;
  /** What a careful mathematician says. */
  readonly strict: boolean;
  /** The answer found in the prediction, in the notation in which those rules compare. */
  readonly extracted: string;
}

export type GradeRequest = { readonly pair: Pair } | { readonly same: readonly [string, string] };

/** Parts of the answer, as soon as each is known; `done` with the last. */
export interface GradeReply {
  readonly correct?: boolean;
  readonly extracted?: string;
  readonly strict?: boolean;
  readonly same?: boolean;
  readonly done?: true;
}

export function answerRequest(request: GradeRequest, reply: (part: GradeReply) => void): void {
  if ("same" in request) {
    const [a, b] = request.same;
    const same = orFalse(() => a === b || sameStrictly(a, b) || sameStrictly(b, a));
    reply({ same, done: true });
    return;
  }
  const lenient = lenientVerdict(request.pair);
  // Sent on its own: should the strict verdict run out of time, this one stands.
  reply(lenient);
  reply({ strict: orFalse(() => strictVerdict(request.pair)), done: true });
}

/** An answer that breaks the reader, by its depth for instance, is not the reference. */
function orFalse(verdict: () => boolean): boolean {
  try {
    return verdict();
  } catch {
    return false;
  }
}
