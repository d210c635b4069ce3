/** Frames of a server-sent-event stream to a reader who may be slow, stop reading, or go. */
import type { HttpBindings } from "@hono/node-server";
import type { ServiceLimits } from "../limits.js";
import type { LeaveReason, ServerContext } from "../types.js";

export interface StreamOptions extends Pick<ServiceLimits, "stallSeconds" | "streamBytes"> {
  /** Called once. */
  readonly onEnd?: (reason: LeaveReason) => void;
  /** A comment is sent after so many seconds of silence, so that a reader who is gone is noticed. Default 15. */
  readonly pingSeconds?: number;
}

const usualPingSeconds = 15;
/** Frames that follow each other so closely leave together: well below what a reader notices. */
const gatherMilliseconds = 2;
const ping = ": ping\n\n";
const encoder = new TextEncoder();

/**
 * Whole frames from `source`, taken only as fast as the reader takes them: what waits for a slow reader are the frames
 * of one chunk, at most `streamBytes` (and at least one frame), and the source is asked for no more.
 */
export function streamResponse(
  context: ServerContext,
  source: AsyncIterable<string>,
  options: StreamOptions,
): Response {
  const outgoing = (context.env as Partial<HttpBindings> | undefined)?.outgoing;
  const stream = new EventStream(source, options, () => outgoing?.destroy());
  return context.body(stream.body, 200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    // Proxies that gather an answer before they pass it on must not.
    "x-accel-buffering": "no",
  });
}

class EventStream {
  readonly body: ReadableStream<Uint8Array>;
  readonly #frames: AsyncIterator<string>;
  readonly #options: StreamOptions;
  readonly #hangUp: () => void;
  #pending: Promise<IteratorResult<string>> | undefined;
  #stall: NodeJS.Timeout | undefined;
  #hasEnded = false;

  constructor(source: AsyncIterable<string>, options: StreamOptions, hangUp: () => void) {
    this.#frames = source[Symbol.asyncIterator]();
    this.#options = options;
    this.#hangUp = hangUp;
    this.body = new ReadableStream<Uint8Array>(
      { pull: (controller) => this.#pull(controller), cancel: () => this.#end("closed") },
      { highWaterMark: 0 },
    );
  }

  /** Called when the reader has taken all there was. */
  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    clearTimeout(this.#stall);
    try {
      const chunk = await this.#next();
      if (this.#hasEnded) return;
      if (chunk === undefined) {
        controller.close();
        this.#end("done");
        return;
      }
      controller.enqueue(encoder.encode(chunk));
    } catch (error) {
      this.#end("closed");
      controller.error(error);
      return;
    }
    const { stallSeconds } = this.#options;
    this.#stall = setTimeout(() => {
      this.#end("stalled");
      // Without an end of the answer the client can tell that it is not whole.
      this.#hangUp();
    }, stallSeconds * 1000);
    this.#stall.unref();
  }

  /** The next frame and those that come with it; a ping where nothing comes; undefined at the end. */
  async #next(): Promise<string | undefined> {
    const first = await this.#orPing(this.#take());
    if (first === undefined || first === ping) return first;
    const frames = [first];
    let size = first.length;
    const until = performance.now() + gatherMilliseconds;
    // One write per frame would cost more than all the rest together.
    while (size < this.#options.streamBytes / 4 && performance.now() < until) {
      // An end and a failure are told when they are asked for again.
      const more = await Promise.race([this.#take(), nextTurn()]).catch(() => undefined);
      if (more === undefined || more.done) break;
      this.#pending = undefined;
      frames.push(more.value);
      size += more.value.length;
    }
    return frames.join("");
  }

  #take(): Promise<IteratorResult<string>> {
    this.#pending ??= this.#frames.next();
    return this.#pending;
  }

  async #orPing(pending: Promise<IteratorResult<string>>): Promise<string | undefined> {
    const { pingSeconds = usualPingSeconds } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<"silence">((resolve) => {
      timer = setTimeout(() => resolve("silence"), pingSeconds * 1000);
      timer.unref();
    });
    const result = await Promise.race([pending, silence]);
    clearTimeout(timer);
    if (result === "silence") return ping;
    this.#pending = undefined;
    return result.done ? undefined : result.value;
  }

  #end(reason: LeaveReason): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearTimeout(this.#stall);
    void this.#frames.return?.();
    this.#options.onEnd?.(reason);
  }
}

let turn: Promise<undefined> | undefined;

/** When the event loop has turned once; all streams wait for the same. */
function nextTurn(): Promise<undefined> {
  turn ??= new Promise((resolve) => {
    setImmediate(() => {
      turn = undefined;
      resolve(undefined);
    });
  });
  return turn;
}
