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
  /** Told what failed after the status was out. */
  readonly onFailure: (error: unknown) => void;
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
  const readers = readersOf(answering, false);
  const texts = handle.choices.map(() => "");
  const figures: TokenFigure[][] = handle.choices.map(() => []);
  for await (const { index, text, figures: told } of choiceParts(answering, readers)) {
    clock.lap();
    texts[index] += text ?? "";
    figures[index]!.push(...(told ?? []));
  }
  const ends = readers.map(({ soFar }) => soFar);
  const choices = ends.map((end, index) => {
    const own = checked.ask.logprobs ? figures[index] : undefined;
    const whole = wire.whole(index, texts[index]!, finishReason(end.finish), own);
    return { ...whole, stepwright: choiceFacts(handle.choices[index]!, checked, end) };
  });
  const usage = usageOf(checked.method, checked.promptTokens, ends);
  const timings = timingsOf(checked.method, usage, ends, clock.read());
  return { ...head(answering, false), choices, usage, timings };
}

/**
 * The frames of an event stream, `[DONE]` included. A failure under way becomes an error object, with what was used by
 * then: the status is out.
 */
export async function* answerFrames(answering: Answering): AsyncGenerator<string, void, void> {
  const { handle, checked, wire, started: clock, onFailure } = answering;
  const { fields } = checked.ask;
  const readers = readersOf(answering, fields.stepwright?.provisional === true);
  const withUsage = fields.stream_options?.include_usage === true;
  const common = { ...head(answering, true), ...(withUsage && { usage: null }) };
  const frame = (body: object) => `data: ${JSON.stringify({ ...common, ...body })}\n\n`;
  const costs = () => {
    const ends = readers.map(({ soFar }) => soFar);
    const usage = usageOf(checked.method, checked.promptTokens, ends);
    return { usage, timings: timingsOf(checked.method, usage, ends, clock.read()) };
  };
  let closed = 0;
  try {
    for (const [index] of handle.choices.entries()) {
      const opening = wire.opening(index);
      if (opening) yield frame({ choices: [opening] });
    }
    for await (const { index, text, figures, aside, end } of choiceParts(answering, readers)) {
      clock.lap();
      if (end) {
        const facts = choiceFacts(handle.choices[index]!, checked, end);
        const closing = { ...wire.closing(index, finishReason(end.finish)), stepwright: facts };
        const isLast = ++closed === handle.choices.length;
        yield frame({ choices: [closing], ...(isLast && { timings: costs().timings }) });
      } else {
        const delta = wire.delta(index, text ?? "", figures);
        yield frame({ choices: [delta], ...(aside && { stepwright: aside }) });
      }
    }
    if (withUsage) yield frame({ choices: [], usage: costs().usage });
  } catch (thrown) {
    const error = apiErrorFrom(thrown);
    if (error.status === 500) onFailure(thrown);
    yield `data: ${JSON.stringify({ ...error.body(handle.id), usage: costs().usage })}\n\n`;
  }
  yield "data: [DONE]\n\n";
}

function readersOf({ handle, checked }: Answering, asides: boolean): AnswerReader[] {
  const stops = checked.ask.fields.stop ?? [];
  return handle.choices.map(() => new AnswerReader(checked.method, stops, asides));
}

function choiceParts(answering: Answering, readers: readonly AnswerReader[]): AsyncIterable<ChoicePart> {
  const { handle, checked } = answering;
  const figures = checked.ask.logprobs ? new TokenFigures(checked.pair) : undefined;
  return merged(
    handle.choices.map((choice, index) => partsOf(choice, index, readers[index]!, { ...answering, figures })),
  );
}

async function* partsOf(
  choice: RunChoice,
  index: number,
  reader: AnswerReader,
  { checked, state, started, figures }: Answering & { readonly figures: TokenFigures | undefined },
): AsyncGenerator<ChoicePart, void, void> {
  const cuts = (checked.ask.fields.stop ?? []).length > 0;
  const held: TokenFigure[] = [];
  let length = 0;
  for await (const { event } of choice.events()) {
    for (const { text, steps, aside } of reader.take(event)) {
      length += text?.length ?? 0;
      const told = figures && steps ? await figures.of(steps) : undefined;
      // Which tokens a stop string cuts off is known at the end.
      if (told && cuts) held.push(...told);
      const shown = told && !cuts ? { figures: told } : {};
      if (aside) yield { index, aside };
      else if (text !== undefined || shown.figures)
        yield { index, ...shown, ...(text !== undefined && { text }) };
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

/** What clients of other servers do not know: how the answer came about, and everything that it cost. */
function choiceFacts(choice: RunChoice, checked: CheckedAsk, end: AnswerEnd) {
  return {
    run: choice.id,
    method: checked.method.name,
    seed: end.seed,
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
