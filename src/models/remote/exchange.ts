/** One request and its answer over HTTP, with a limit on every wait and on every size. Redirects are not followed. */
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { isIP, type Socket } from "node:net";
import { StepwrightError } from "../../core/errors.js";
import { bareHost, guardedLookup, isDenied } from "./address.js";
import { PassingFailure, refused } from "./failure.js";
import type { RemoteSettings } from "./settings.js";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Throws `PassingFailure` where the answer breaks off, stalls or grows over its limit. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the connection; the server sees it and can stop. Safe to call twice, and after the end. */
  close(): void;
}

export interface Question {
  readonly method: "GET" | "POST";
  readonly url: URL;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type Agents = { readonly http: HttpAgent; readonly https: HttpsAgent };

export function openAgents(): Agents {
  const options = { keepAlive: true, maxFreeSockets: 16 };
  return { http: new HttpAgent(options), https: new HttpsAgent(options) };
}

/** Resolves with the answer's head. Throws `PassingFailure`, `remote-refused`, or the signal's reason. */
export async function exchange(
  question: Question,
  agents: Agents,
  settings: RemoteSettings,
): Promise<Answer> {
  const { url, method, body, signal } = question;
  signal?.throwIfAborted();
  const host = bareHost(url.hostname);
  // A name is checked when it is resolved; an address is not resolved.
  if (isIP(host) !== 0 && isDenied(host)) throw deniedAddress(url.origin);
  const key = settings.keys.get(url.origin);
  const secure = url.protocol === "https:";
  const request = (secure ? httpsRequest : httpRequest)(url, {
    method,
    agent: secure ? agents.https : agents.http,
    lookup: guardedLookup,
    maxHeaderSize: 32 * 1024,
    headers: {
      accept: "application/json, text/event-stream",
      "user-agent": "stepwright",
      ...(body === undefined
        ? {}
        : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    },
  });
  const response = await head(request, body, question, settings);
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: pieces(response, url.origin, settings, signal),
    close: () => request.destroy(),
  };
}

function head(
  request: ClientRequest,
  body: string | undefined,
  { url, signal }: Question,
  settings: RemoteSettings,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", gaveUp);
      settle();
    };
    const fail = (failure: unknown) => {
      end(() => reject(failure));
      request.destroy();
    };
    const wait = (seconds: number, problem: string) =>
      setTimeout(() => fail(new PassingFailure(problem)), seconds * 1000);
    const gaveUp = () => fail(signal!.reason);
    let timer = wait(settings.connectSeconds, "cannot be reached in time");
    signal?.addEventListener("abort", gaveUp, { once: true });
    const connected = () => {
      clearTimeout(timer);
      timer = wait(settings.firstByteSeconds, "accepted the request and does not answer");
    };
    request.on("socket", (socket: Socket) => {
      if (socket.connecting) socket.once(url.protocol === "https:" ? "secureConnect" : "connect", connected);
      else connected();
    });
    request.on("response", (response) => end(() => resolve(response)));
    // Later errors belong to the body, which reports them.
    request.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EDENIED") return fail(deniedAddress(url.origin));
      fail(new PassingFailure(wordsFor(error), { cause: error }));
    });
    request.end(body);
  });
}

async function* pieces(
  response: IncomingMessage,
  origin: string,
  { idleSeconds, mostBytes }: RemoteSettings,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  let stalled = false;
  const stall = () => {
    stalled = true;
    response.destroy();
  };
  const gaveUp = () => response.destroy();
  let timer = setTimeout(stall, idleSeconds * 1000);
  signal?.addEventListener("abort", gaveUp, { once: true });
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      clearTimeout(timer);
      bytes += chunk.length;
      if (bytes > mostBytes) {
        throw refused(origin, `answered with more than ${mostBytes} bytes`, "ask for less at a time");
      }
      yield chunk;
      timer = setTimeout(stall, idleSeconds * 1000);
    }
    // An abort that ends the body looks like its end.
    signal?.throwIfAborted();
  } catch (error) {
    signal?.throwIfAborted();
    if (stalled)
      throw new PassingFailure(`went silent for ${idleSeconds} s in the middle of its answer`, {
        worked: true,
      });
    if (StepwrightError.is(error)) throw error;
    throw new PassingFailure("broke off in the middle of its answer", { cause: error, worked: true });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", gaveUp);
    if (!response.complete) response.destroy();
  }
}

function deniedAddress(origin: string) {
  return refused(origin, "is an address that is never spoken to", "name a server by an address of its own");
}

function wordsFor(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "ECONNREFUSED":
      return "refuses the connection";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "has a name that cannot be resolved";
    case "ECONNRESET":
    case "EPIPE":
      return "broke the connection off";
    default:
      return `cannot be reached (${error.code ?? "unknown"})`;
  }
}
