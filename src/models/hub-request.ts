/** Requests to the hub: the token stays with its origin, redirects are followed by hand, refusals become typed errors. */
import { StepwrightError } from "../core/errors.js";
import type { HubSettings } from "./hub-settings.js";

const mostRedirects = 5;
const agent = "stepwright";

/** A failure that may pass: the same request can be made again after `afterSeconds`, where the server said so. */
export class PassingFailure extends Error {
  constructor(
    message: string,
    readonly afterSeconds: number | null,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Statuses beside 2xx that the caller handles. */
  readonly accepts?: readonly number[];
}

/** Throws `download-failed` for what will not pass, `PassingFailure` for what may, `aborted`. */
export async function request(
  settings: HubSettings,
  path: string,
  options: RequestOptions = {},
): Promise<Response> {
  let url = new URL(path, settings.endpoint);
  for (let hop = 0; hop <= mostRedirects; hop++) {
    const response = await send(settings, url, options);
    const next = response.headers.get("location");
    if (response.status < 300 || response.status > 399 || next === null) {
      return accepted(response, url, options.accepts ?? []);
    }
    await response.body?.cancel();
    const target = new URL(next, url);
    const isWeaker = url.protocol === "https:" && target.protocol !== "https:";
    if (isWeaker || !/^https?:$/.test(target.protocol)) {
      throw failed(`${url.host} redirects to an address that is not secure`, "check HF_ENDPOINT");
    }
    url = target;
  }
  throw failed(`${url.host} redirects too often`, "check HF_ENDPOINT");
}

async function send(settings: HubSettings, url: URL, options: RequestOptions): Promise<Response> {
  const headers: Record<string, string> = { "user-agent": agent, ...options.headers };
  if (settings.token !== null && url.origin === settings.endpoint.origin) {
    headers.authorization = `Bearer ${settings.token}`;
  }
  try {
    return await fetch(url, {
      headers,
      redirect: "manual",
      ...(options.signal ? { signal: options.signal } : {}),
    });
  } catch (cause) {
    throw options.signal?.aborted ? cause : new PassingFailure(`${url.host} cannot be reached`, null, cause);
  }
}

async function accepted(response: Response, url: URL, also: readonly number[]): Promise<Response> {
  if (response.ok || also.includes(response.status)) return response;
  await response.body?.cancel();
  const { status } = response;
  if (status === 401)
    throw failed(
      `${url.host} asks who you are`,
      "set HF_TOKEN to a token that may read the repository, and check its name",
    );
  if (status === 403)
    throw failed(
      `${url.host} refuses access`,
      "accept the model's terms on its page, and set HF_TOKEN to a token that may read it",
    );
  if (status === 404)
    throw failed(`${url.host} has no such repository, revision or file`, "check the reference");
  if (status === 408 || status === 429 || status >= 500) {
    throw new PassingFailure(`${url.host} answered ${status}`, retryAfter(response));
  }
  throw failed(`${url.host} answered ${status}`, "check the reference and HF_ENDPOINT");
}

/** Seconds, from a number or a date. */
function retryAfter(response: Response): number | null {
  const value = response.headers.get("retry-after");
  if (value === null) return null;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
}

export function failed(message: string, remedy: string, cause?: unknown): StepwrightError {
  return new StepwrightError("download-failed", message, {
    remedy,
    ...(cause === undefined ? {} : { cause }),
  });
}
