/** All that this program says to one origin: few at a time, with patience, and not at all while it keeps failing. */
import { setTimeout as sleep } from "node:timers/promises";
import { Breaker } from "./breaker.js";
import { type Agents, type Answer, exchange, openAgents } from "./exchange.js";
import { invalidAnswer, PassingFailure, refused, shown, unavailable } from "./failure.js";
import { askedPatience, waitBefore } from "./patience.js";
import type { RemoteSettings } from "./settings.js";
import { Slots } from "./slots.js";
import { eventData, StreamFault } from "./sse.js";

export interface Asked {
  /** Path from the origin on. */
  readonly path: string;
  /** Absent for a GET. */
  readonly body?: object;
  readonly signal?: AbortSignal | undefined;
}

export interface Told<Value> {
  readonly value: Value;
  /** Attempts before this one that the server may have worked on. */
  readonly lostAttempts: number;
}

/** An event stream, taken as far as its reader likes. */
export interface EventStream extends AsyncIterable<unknown> {
  readonly lostAttempts: number;
  /** Seconds since the request, failed attempts included. */
  seconds(): number;
  close(): void;
}

export class Client {
  readonly origin: string;
  readonly breaker: Breaker;
  readonly #settings: RemoteSettings;
  readonly #slots: Slots;
  readonly #agents: Agents;

  constructor(origin: string, settings: RemoteSettings, agents: Agents = openAgents()) {
    this.origin = origin;
    this.#settings = settings;
    this.breaker = new Breaker(origin, settings);
    this.#slots = new Slots(settings.concurrency);
    this.#agents = agents;
  }

  /** The answer as JSON. Throws `remote-unavailable`, `remote-invalid`, `remote-refused`, or the signal's reason. */
  async json(asked: Asked): Promise<Told<unknown>> {
    return this.#patiently(asked, async () => {
      const answer = await this.#ask(asked);
      const text = await this.#text(answer);
      try {
        return JSON.parse(text) as unknown;
      } catch (cause) {
        throw invalidAnswer(this.origin, "answered with something that is not JSON", cause);
      }
    });
  }

  /** The answer's events as JSON, after the first of them has come: until then an attempt may be repeated. */
  async events(asked: Asked): Promise<EventStream> {
    const begun = performance.now();
    let free = () => {};
    const { value, lostAttempts } = await this.#patiently(asked, async (keep) => {
      const answer = await this.#ask(asked);
      if (!/^text\/event-stream\b/i.test(String(answer.headers["content-type"] ?? ""))) {
        answer.close();
        throw invalidAnswer(this.origin, "answered with something that is no event stream");
      }
      const events = this.#parsed(answer);
      const first = await events.next();
      free = keep();
      return { answer, events, first };
    });
    const { answer, events, first } = value;
    const failing = (error: unknown) => {
      if (error instanceof PassingFailure) this.breaker.failed();
      return this.#final(error);
    };
    let closed = false;
    const close = () => {
      if (!closed) free();
      closed = true;
      answer.close();
    };
    return {
      lostAttempts,
      seconds: () => (performance.now() - begun) / 1000,
      close,
      async *[Symbol.asyncIterator]() {
        try {
          if (first.done) return;
          yield first.value;
          for (;;) {
            const next = await events.next().catch((error) => Promise.reject(failing(error)));
            if (next.done) return;
            yield next.value;
          }
        } finally {
          close();
        }
      },
    };
  }

  close(): void {
    this.#agents.http.destroy();
    this.#agents.https.destroy();
  }

  async #patiently<Value>(
    { signal }: Asked,
    attempt: (keep: () => () => void) => Promise<Value>,
  ): Promise<Told<Value>> {
    let lostAttempts = 0;
    for (let number = 1; ; number++) {
      const outcome = await this.#once(signal, attempt);
      if (!(outcome instanceof PassingFailure)) return { value: outcome, lostAttempts };
      if (outcome.details.worked) lostAttempts++;
      if (number >= this.#settings.attempts || this.breaker.isOpen) throw this.#final(outcome);
      const seconds = waitBefore(number, outcome, this.#settings);
      await sleep(seconds * 1000, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted());
    }
  }

  /** One attempt in a slot of its own; what may pass is returned, all else thrown. */
  async #once<Value>(
    signal: AbortSignal | undefined,
    attempt: (keep: () => () => void) => Promise<Value>,
  ): Promise<Value | PassingFailure> {
    await this.#slots.take(signal);
    let kept = false;
    const keep = () => {
      kept = true;
      return () => this.#slots.give();
    };
    try {
      this.breaker.admit();
      const value = await attempt(keep).catch((error: unknown) => {
        if (error instanceof PassingFailure) return error;
        // Whatever else went wrong, the server was there.
        if (signal?.aborted) this.breaker.abandoned();
        else this.breaker.succeeded();
        throw error;
      });
      if (!(value instanceof PassingFailure)) this.breaker.succeeded();
      else if (value.details.afterSeconds === undefined) this.breaker.failed();
      else this.breaker.abandoned();
      return value;
    } finally {
      if (!kept) this.#slots.give();
    }
  }

  async #ask({ path, body, signal }: Asked): Promise<Answer> {
    const url = new URL(path, this.origin);
    const text = body === undefined ? undefined : JSON.stringify(body);
    const method = body === undefined ? "GET" : "POST";
    const answer = await exchange({ method, url, body: text, signal }, this.#agents, this.#settings);
    const { status } = answer;
    if (status >= 200 && status < 300) return answer;
    if (status >= 300 && status < 400) {
      answer.close();
      throw refused(
        this.origin,
        "redirects to another address",
        "name the server by the address it answers at",
      );
    }
    const problem = await this.#problem(answer);
    if (status === 408 || status === 409 || status === 425 || status === 429 || status >= 500) {
      const afterSeconds = askedPatience(answer.headers);
      const worked = status >= 500 && status !== 503;
      throw new PassingFailure(`answered ${status}${problem}`, {
        // Being told to slow down is no sign of a broken server.
        afterSeconds:
          afterSeconds ??
          (status === 429 ? waitBefore(2, new PassingFailure(""), this.#settings) : undefined),
        worked,
      });
    }
    throw refused(this.origin, `answered ${status}${problem}`, remedyFor(status));
  }

  async #problem(answer: Answer): Promise<string> {
    const text = await this.#text(answer, 64 * 1024).catch(() => "");
    const message = messageOf(text);
    return message === undefined ? "" : `: ${shown(message)}`;
  }

  async #text(answer: Answer, most = Number.POSITIVE_INFINITY): Promise<string> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of answer.body) {
      bytes += chunk.length;
      if (bytes > most) break;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
  }

  async *#parsed(answer: Answer): AsyncGenerator<unknown, void, undefined> {
    try {
      for await (const data of eventData(answer.body, this.#settings.mostLineBytes)) {
        if (data === "[DONE]") return;
        const event = parsed(data);
        if (event === undefined) throw invalidAnswer(this.origin, "sent an event that is not JSON");
        const problem = messageOf(data, "error");
        if (problem !== undefined) throw new PassingFailure(`failed: ${shown(problem)}`, { worked: true });
        yield event;
      }
    } catch (error) {
      if (error instanceof StreamFault)
        throw invalidAnswer(this.origin, `is no event stream: ${error.message}`, error);
      throw error;
    } finally {
      answer.close();
    }
  }

  /** A failure that is not waited for any longer. */
  #final(error: unknown): unknown {
    return error instanceof PassingFailure
      ? unavailable(this.origin, error.message, error.details.cause)
      : error;
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The message of an error object, as OpenAI, llama-server, vLLM and ollama write them. */
function messageOf(text: string, key?: "error"): string | undefined {
  if (key !== undefined && !text.includes('"error"')) return undefined;
  const value = parsed(text) as Record<string, unknown> | null | undefined;
  if (typeof value !== "object" || value === null) return undefined;
  const error = value.error ?? (key === undefined ? value : undefined);
  if (typeof error === "string") return error;
  const message = (error as Record<string, unknown> | null | undefined)?.message;
  return typeof message === "string" ? message : undefined;
}

function remedyFor(status: number): string {
  if (status === 401 || status === 403)
    return "give the server's key: STEPWRIGHT_REMOTE_KEYS=https://host:port=key";
  if (status === 404) return "check the address, with /v1 at its end, and the model's name after the #";
  return "check the model's name, its context length, and what the server allows";
}
