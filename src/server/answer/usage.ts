/** What an answer cost, in the words that clients already read. */
import type { RoleSpending } from "../../core/ledger.js";
import type { Method } from "../../core/method.js";
import type { AnswerEnd } from "./answer-reader.js";

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly completion_tokens_details: {
    readonly accepted_prediction_tokens: number;
    readonly rejected_prediction_tokens: number;
  };
}

/**
 * The prompt counts once, however many answers there are. A prediction is what a draft wrote for a target: tokens of a
 * speculation block, or whole steps of a method that uses both; rejected ones are not among `completion_tokens`.
 */
export function usageOf(method: Method, promptTokens: number, ends: readonly AnswerEnd[]): Usage {
  const completion = sum(ends, ({ completionTokens }) => completionTokens);
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completion,
    total_tokens: promptTokens + completion,
    completion_tokens_details: {
      accepted_prediction_tokens: sum(ends, (end) => predictions(method, end).accepted),
      rejected_prediction_tokens: sum(ends, (end) => predictions(method, end).rejected),
    },
  };
}

/** What is set aside from `completion_tokens`: drafts that were kept, and drafts that were not. */
export function predictions(method: Method, { ledger, draftTokens }: AnswerEnd) {
  const roles = [ledger.draft, ledger.target].filter((role): role is RoleSpending => role !== undefined);
  const drafted = sum(roles, ({ speculation }) => speculation?.drafted ?? 0);
  const taken = sum(roles, ({ speculation }) => speculation?.accepted ?? 0);
  const isPair = method.needs.draft !== undefined && method.needs.target !== undefined;
  return {
    accepted: taken + (isPair ? draftTokens : 0),
    rejected: drafted - taken + (isPair ? (ledger.draft?.discardedTokens ?? 0) : 0),
  };
}

/** llama-server's keys. Milliseconds are wall time: to the first token of the answer, and from there on. */
export interface Timings {
  readonly prompt_n: number;
  readonly prompt_ms: number;
  readonly prompt_per_token_ms: number;
  readonly prompt_per_second: number;
  readonly predicted_n: number;
  readonly predicted_ms: number;
  readonly predicted_per_token_ms: number;
  readonly predicted_per_second: number;
  readonly draft_n: number;
  readonly draft_n_accepted: number;
  readonly draft_n_verif_steps: number;
}

export interface Clocked {
  /** Milliseconds from the order to the first token that was written. */
  readonly first: number;
  readonly whole: number;
}

export function timingsOf(method: Method, usage: Usage, ends: readonly AnswerEnd[], clock: Clocked): Timings {
  const { accepted_prediction_tokens: accepted, rejected_prediction_tokens: rejected } =
    usage.completion_tokens_details;
  const predicted = usage.completion_tokens;
  const predictedMs = Math.max(0, clock.whole - clock.first);
  return {
    prompt_n: usage.prompt_tokens,
    prompt_ms: clock.first,
    prompt_per_token_ms: ratio(clock.first, usage.prompt_tokens),
    prompt_per_second: ratio(1000 * usage.prompt_tokens, clock.first),
    predicted_n: predicted,
    predicted_ms: predictedMs,
    predicted_per_token_ms: ratio(predictedMs, predicted),
    predicted_per_second: ratio(1000 * predicted, predictedMs),
    draft_n: accepted + rejected,
    draft_n_accepted: accepted,
    draft_n_verif_steps: sum(ends, (end) => verifications(method, end)),
  };
}

/** How often drafted tokens were judged: blocks that the target read, or steps that a reward scored. */
export function verifications({ needs }: Method, { ledger }: AnswerEnd): number {
  const blocks = sum([ledger.draft, ledger.target], (role) => role?.speculation?.blocks ?? 0);
  return blocks + (needs.draft && needs.target ? (ledger.reward?.calls ?? 0) : 0);
}

function sum<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}
