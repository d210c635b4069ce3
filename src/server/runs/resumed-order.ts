/** A run that was cut, as an order again: everything but the models stands in its trace. */
import { recordedRequest } from "../../core/run.js";
import type { TraceEvent } from "../../core/trace-event.js";
import { answerRules } from "../../grade/answer-rules.js";
import { sameAnswer } from "../../grade/index.js";
import { methods } from "../../methods/index.js";
import { ApiError } from "../api-error.js";
import type { RunOrder, ServedModels } from "../types.js";
import type { RunFacts } from "./run-facts.js";

/** Throws where the server has no such pair of models any more, or the trace says too little. */
export async function resumedOrder(
  facts: RunFacts,
  events: readonly TraceEvent[],
  models: ServedModels,
): Promise<RunOrder> {
  const method = await methods.get(facts.method);
  const { id: _, ...recorded } = recordedRequest(events);
  const pair = recorded.references?.pair;
  if (typeof pair !== "string" || !models.pairNames.includes(pair)) {
    throw new ApiError(409, "run_not_resumable", "the models of this run are not served any more");
  }
  const { draft, target, reward } = models.pair(pair);
  const roles = { draft, target, reward };
  // One answer at its longest: what the method is wide was admitted when it was asked for.
  const cost = (recorded.maxTokens ?? 0) + recorded.question.length;
  return {
    owner: facts.owner,
    model: facts.model,
    method,
    choices: 1,
    cost,
    keep: true,
    request: () => ({ ...recorded, method, roles, answers: answerRules({ sameAnswer }) }),
  };
}
