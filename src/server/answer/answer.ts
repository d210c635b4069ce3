/** The answer to an order: read off its runs' events, whole or in a stream. */

import { StepwrightError } from "../../core/errors.js";
import { ApiError, apiErrorFrom } from "../api-error.js";
import type { CheckedAsk } from "../request/order.js";
import type { RunChoice, RunHandle, ServiceState } from "../types.js";
import { type AnswerEnd, AnswerReader, type Aside } from "./answer-reader.js";
import { merged } from "./merged.js";
import { type TokenFigure, TokenFigures, withinLength } from "./token-figures.js";
import { type Clocked, predictions, timingsOf, usageOf } from "./usage.js";
import { finishReason, type Wire } from "./wire.js";

export interface Answering {
  readonly handle: RunHandle;
  readonly checked: CheckedAsk;
  readonly wire: Wire;
  readonly state: () => ServiceState;
  /** Runs since the order was given. */
  readonly started: Stopwatch;
}

interface ChoicePart {
  readonly index: number;
  readonly text?: string;
  readonly figures?: readonly TokenFigure[];
  readonly aside?: Aside;
  readonly end?: AnswerEnd;
}

/** The whole answer. Throws an `ApiError` where a run fails or was cancelled. */
export async function wholeAnswer(answering: Answering): Promise<object> {
  const { handle, checked, wire, started: clock } = answering;
  const texts = handle.choices.map(() => "");
  const figures: TokenFigure[][] = handle.choices.map(() => []);
  const ends: AnswerEnd[] = [];
  for await (const part of choiceParts(answering, false)) {
    clock.lap();
    texts[part.index] += part.text ?? "";
    figures[part.index]!.push(...(part.figures ?? []));
    if (part.end) ends[part.index] = part.end;
  }
  const choices = ends.map((end, index) => {
    const own = checked.ask.logprobs ? withinLength(figures[index]!, texts[index]!.length) : undefined;
    const whole = wire.whole(index, texts[index]!, finishReason(end.finish), own);
    return { ...whole, stepwright: choiceFacts(handle.choices[index]!, checked, end, index) };
  });
  return { ...head(answering, false), choices, ...costs(checked, ends, clock.read()) };
}

/**
 * The frames of an event stream, `[DONE]` included. A failure under way becomes an error object: the status is out
 * by then.
 */
export async function* answerFrames(answering: Answering): AsyncGenerator<string, void, void> {
  const { handle, checked, wire, started: clock } = answering;
  const { fields } = checked.ask;
  const ends: AnswerEnd[] = [];
  const common = head(answering, true);
  const withUsage = fields.stream_options?.include_usage === true;
  const frame = (body: object) =>
    `data: ${JSON.stringify({ ...common, ...body, ...(withUsage && !("usage" in body) && { usage: null }) })}\n\n`;
  try {
    for (const [index] of handle.choices.entries()) {
      const opening = wire.opening(index);
      if (opening) yield frame({ choices: [opening] });
    }
    for await (const { index, text, figures, aside, end } of choiceParts(answering, true)) {
      clock.lap();
      if (aside) yield frame({ choices: [wire.delta(index, "", undefined)], stepwright: aside });
      else if (end) {
        ends[index] = end;
        const facts = choiceFacts(handle.choices[index]!, checked, end, index);
        const last = ends.filter(Boolean).length === handle.choices.length;
        const { usage, timings } = costs(checked, ends, clock.read());
        yield frame({
          choices: [{ ...wire.closing(index, finishReason(end.finish)), stepwright: facts }],
          ...(last && { timings }),
        });
        if (last && withUsage) yield frame({ choices: [], usage });
      } else if (text !== undefined || figures) {
        yield frame({ choices: [wire.delta(index, text ?? "", figures)] });
      }
    }
  } catch (thrown) {
    yield `data: ${JSON.stringify(apiErrorFrom(thrown).body(handle.id))}\n\n`;
  }
  yield "data: [DONE]\n\n";
}

async function* choiceParts(answering: Answering, streamed: boolean): AsyncGenerator<ChoicePart, void, void> {
  const { handle, checked } = answering;
  const figures = checked.ask.logprobs ? new TokenFigures(checked.pair) : undefined;
  yield* merged(
    handle.choices.map((choice, index) => partsOf(choice, index, { ...answering, figures, streamed })),
  );
}

async function* partsOf(
  choice: RunChoice,
  index: number,
  {
    checked,
    figures,
    streamed,
    state,
    started,
  }: Answering & { figures: TokenFigures | undefined; streamed: boolean },
): AsyncGenerator<ChoicePart, void, void> {
  const { fields } = checked.ask;
  const asides = streamed && fields.stepwright?.provisional === true;
  const reader = new AnswerReader(checked.method, fields.stop ?? [], asides);
  let held: TokenFigure[] = [];
  let length = 0;
  for await (const { event } of choice.events()) {
    for (const { text, steps, aside } of reader.take(event)) {
      length += text?.length ?? 0;
      const told = figures && steps ? await figures.of(steps) : undefined;
      if (told && fields.stop && fields.stop.length > 0) {
        // Which of them a stop string cuts off is known at the end.
        held = [...held, ...told];
        if (text !== undefined) yield { index, text };
      } else if (aside) yield { index, aside };
      else yield { index, ...(text !== undefined && { text }), ...(told && { figures: told }) };
    }
    if (event.type === "run-finished") break;
  }
  const isLate = started.isOver(checked.order.deadlineSeconds);
  // A run that failed says why in its result. One that is over is kept before its client is told.
  await choice.result.catch((error) => {
    if (!StepwrightError.is(error, "aborted")) throw error;
    throw isLate
      ? new ApiError(410, "deadline_exceeded", "the deadline came before the run's turn")
      : cancelled(state());
  });
  if (!reader.end) throw new ApiError(500, "internal_error", "the run ended without an answer");
  if (reader.end.finish === "abort" && !isLate) throw cancelled(state());
  if (held.length > 0) yield { index, figures: withinLength(held, length) };
  yield { index, end: reader.end };
}

function cancelled(state: ServiceState): ApiError {
  if (state === "draining") {
    return new ApiError(503, "shutting_down", "the server is stopping", { retryAfter: 5 });
  }
  return new ApiError(410, "run_cancelled", "the run was cancelled");
}

function head({ handle, checked, wire }: Answering, streamed: boolean) {
  return { id: handle.id, ...wire.head(streamed), created: handle.created, model: checked.ask.fields.model };
}

function costs(checked: CheckedAsk, ends: readonly AnswerEnd[], clock: Clocked) {
  const done = ends.filter((end) => end !== undefined);
  const usage = usageOf(checked.method, checked.promptTokens, done);
  return { usage, timings: timingsOf(checked.method, usage, done, clock) };
}

/** What clients of other servers do not know: how the answer came about, and everything that it cost. */
function choiceFacts(choice: RunChoice, checked: CheckedAsk, end: AnswerEnd, index: number) {
  return {
    run: choice.id,
    method: checked.method.name,
    seed: checked.seed + index,
    finish: end.finish,
    predictions: predictions(checked.method, end),
    ledger: end.ledger,
  };
}

/** Wall time to the first part of an answer, and to now. */
export class Stopwatch {
  readonly #started = performance.now();
  #first: number | undefined;

  lap(): void {
    this.#first ??= performance.now() - this.#started;
  }

  isOver(seconds: number | undefined): boolean {
    return seconds !== undefined && performance.now() - this.#started >= seconds * 1000;
  }

  read(): Clocked {
    const whole = performance.now() - this.#started;
    return { first: this.#first ?? whole, whole };
  }
}
