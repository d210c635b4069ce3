/** What the target alone would have cost for the same answer: an estimate, given only where it can be honest. */
import { type ModelSize, spanFlops } from "../core/model.js";
import type { TraceEvent } from "../core/trace-event.js";
import { count, metric } from "./numbers.js";

/**
 * The target reads its prompt and writes as many tokens as the answer has. Undefined where that is not known:
 * no second writer, an answer that was cut, or steps counted in another tokenizer's tokens.
 */
export function targetAlone(events: readonly TraceEvent[]): { tokens: number; flops: number } | undefined {
  const start = events.find((event) => event.type === "run-started");
  const end = events.findLast((event) => event.type === "run-finished");
  const target = start?.roles.target;
  if (!start?.roles.draft || !target?.size || end?.finish !== "stop") return undefined;
  const shared = start.roles.draft.vocabulary === target.vocabulary;
  const answer = answerTokens(events, end.node, target.vocabulary);
  const prompt = end.ledger.target?.read.prompt || (shared ? end.ledger.draft?.read.prompt : 0);
  if (answer === undefined || answer === 0 || !prompt) return undefined;
  return { tokens: answer, flops: answerFlops(target.size, prompt, answer) };
}

function answerTokens(events: readonly TraceEvent[], last: string, vocabulary?: string): number | undefined {
  let tokens = 0;
  for (const event of events) {
    if (event.type !== "step-written") continue;
    if (event.node !== last && !last.startsWith(`${event.node}.`)) continue;
    if (event.vocabulary !== vocabulary) return undefined;
    tokens += event.tokens.length;
  }
  return tokens;
}

function answerFlops(size: ModelSize, prompt: number, answer: number): number {
  return spanFlops(size, 0, prompt + answer);
}

export function targetAloneLine(events: readonly TraceEvent[], flops: number): string | undefined {
  const alone = targetAlone(events);
  if (!alone) return undefined;
  const share = (flops / alone.flops).toPrecision(2);
  return `Estimate: the target alone, writing ${count(alone.tokens)} tokens too, would have cost about ${metric(alone.flops)} FLOPs; this run cost ${share} times that.`;
}
