/** A run that was cut, asked for again: everything but the models stands in its trace. */
import { recordedRequest } from "../../core/run.js";
import type { TraceEvent } from "../../core/trace-event.js";
import { answerRules } from "../../grade/answer-rules.js";
import { sameAnswer } from "../../grade/index.js";
import { methods } from "../../methods/index.js";
import { ApiError } from "../api-error.js";
import type { ServedModels } from "../types.js";
import type { AskedRequest } from "./live-run.js";
import type { RunFacts } from "./run-facts.js";

/** Throws 409 `run_not_resumable` where its pair of models is not served any more. */
export async function resumedRequest(
  { method: name }: RunFacts,
  events: readonly TraceEvent[],
  models: ServedModels,
): Promise<AskedRequest> {
  const method = await methods.get(name);
  const { id: _, ...recorded } = recordedRequest(events);
  const pair = recorded.references?.pair;
  if (typeof pair !== "string" || !models.pairNames.includes(pair)) {
    throw new ApiError(409, "run_not_resumable", "the models of this run are not served any more");
  }
  const { draft, target, reward } = models.pair(pair);
  return { ...recorded, method, roles: { draft, target, reward }, answers: answerRules({ sameAnswer }) };
}
