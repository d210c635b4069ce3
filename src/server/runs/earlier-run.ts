/** What an earlier life of a run left on disk, and what becomes of it: an answer that is over, or a run to go on with. */
import { StepwrightError } from "../../core/errors.js";
import { recordedRequest, replay } from "../../core/run.js";
import type { TraceContents } from "../../core/trace.js";
import { standing } from "../../core/trace-event.js";
import { answerRules } from "../../grade/answer-rules.js";
import { sameAnswer } from "../../grade/index.js";
import { methods } from "../../methods/index.js";
import { ApiError } from "../api-error.js";
import type { RunChoice, ServedModels } from "../types.js";
import { readRecords } from "./event-log.js";
import type { AskedRequest } from "./live-run.js";
import type { RunFacts } from "./run-facts.js";

export interface EarlierRun {
  readonly facts: RunFacts;
  readonly contents: TraceContents;
}

/** An answer that is over. */
export function keptChoice({ facts: { id }, contents: { events } }: EarlierRun): RunChoice {
  const kept = standing(events);
  const result = (async () => {
    const first = kept[0];
    if (first?.type !== "run-started") throw new StepwrightError("trace-invalid", "the run's trace is empty");
    return replay(kept, await methods.get(first.method));
  })();
  result.catch(() => {});
  return { id, events: (after) => readRecords(events, { after, text: "whole" }), result };
}

/** What a run that is taken up again keeps of its facts. */
export function lastingFacts({ facts }: EarlierRun): Partial<RunFacts> {
  const { request, choice, created, idempotency } = facts;
  return { request, choice, created, idempotency };
}

/**
 * A run that was cut, asked for again: everything but the models stands in its trace. Throws 409 `run_not_resumable`
 * where its pair of models is not served any more.
 */
export async function resumedRequest(
  { facts, contents: { events } }: EarlierRun,
  models: ServedModels,
): Promise<AskedRequest> {
  const method = await methods.get(facts.method);
  const { id: _, ...recorded } = recordedRequest(events);
  const pair = recorded.references?.pair;
  if (typeof pair !== "string" || !models.pairNames.includes(pair)) {
    throw new ApiError(409, "run_not_resumable", "the models of this run are not served any more");
  }
  const { draft, target, reward } = models.pair(pair);
  return { ...recorded, method, roles: { draft, target, reward }, answers: answerRules({ sameAnswer }) };
}
