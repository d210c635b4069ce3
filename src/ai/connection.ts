/** Requests to a stepwright server, with failures as the AI SDK knows them: it repeats those that may pass. */
import { eventData } from "../models/remote/sse.js";

export interface ConnectionSettings {
  /** The server's address with `/v1`. */
  readonly baseURL?: string | undefined;
  /** Default: STEPWRIGHT_API_KEY. */
  readonly apiKey?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** For tests and proxies. */
  readonly fetch?: typeof fetch | undefined;
}

export interface Sent {
  readonly body: object;
  readonly headers?: Readonly<Record<string, string | undefined>> | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Connection {
  /** The whole answer. */
  ask(sent: Sent): Promise<{ value: unknown; headers: Record<string, string> }>;
  /** Its events as they come, parsed; an error in the middle is thrown. */
  stream(sent: Sent): Promise<{ events: AsyncIterable<unknown>; headers: Record<string, string> }>;
}

const mostLineBytes = 4 * 2 ** 20;

export function connect(settings: ConnectionSettings): Connection {
  const environment = globalThis.process?.env ?? {};
  const base = settings.baseURL ?? environment.STEPWRIGHT_URL ?? "http://127.0.0.1:8080/v1";
  const url = `${base.replace(/\/+$/, "")}/chat/completions`;
  const key = settings.apiKey ?? environment.STEPWRIGHT_API_KEY;

  const send = async ({ body, headers, signal }: Sent): Promise<Response> => {
    const response = await (settings.fetch ?? fetch)(url, {
      method: "POST",
      body: JSON.stringify(body),
      redirect: "error",
      headers: {
        "content-type": "application/json",
        ...(key ? { authorization: `Bearer ${key}` } : {}),
        ...settings.headers,
        ...withoutUndefined(headers ?? {}),
      },
      ...(signal ? { signal } : {}),
    }).catch((cause: unknown) => {
      throw signal?.aborted ? cause : failure(url, body, `${base} cannot be reached`, { cause });
    });
    if (response.ok) return response;
    const text = await response.text();
    const { status } = response;
    throw failure(url, body, messageOf(text) ?? `${base} answered ${status}`, { status, text });
  };

  return {
    async ask(sent) {
      const response = await send(sent);
      return { value: await response.json(), headers: Object.fromEntries(response.headers) };
    },
    async stream(sent) {
      const response = await send(sent);
      const body = response.body as unknown as AsyncIterable<Uint8Array>;
      return { events: events(body, url, sent.body), headers: Object.fromEntries(response.headers) };
    },
  };
}

async function* events(body: AsyncIterable<Uint8Array>, url: string, sent: object): AsyncGenerator<unknown> {
  for await (const data of eventData(body, mostLineBytes)) {
    if (data === "[DONE]") return;
    const problem = messageOf(data);
    if (problem !== undefined) throw failure(url, sent, problem, { text: data });
    yield JSON.parse(data);
  }
}

interface FailureFacts {
  readonly status?: number;
  readonly text?: string;
  readonly cause?: unknown;
}

/** Marked as the AI SDK's `APICallError`, which it knows by symbols, so that its class is not needed here. */
function failure(url: string, body: object, message: string, { status, text, cause }: FailureFacts): Error {
  const passes =
    status === undefined ? cause !== undefined : status === 408 || status === 429 || status >= 500;
  return Object.assign(new Error(message, { cause }), {
    name: "AI_APICallError",
    [Symbol.for("vercel.ai.error")]: true,
    [Symbol.for("vercel.ai.error.AI_APICallError")]: true,
    url,
    requestBodyValues: body,
    statusCode: status,
    responseBody: text,
    isRetryable: passes,
  });
}

function messageOf(text: string): string | undefined {
  if (!text.includes('"error"')) return undefined;
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } };
    return typeof error?.message === "string" ? error.message : undefined;
  } catch {
    return undefined;
  }
}

function withoutUndefined(headers: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
