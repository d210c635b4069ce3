/** How long to wait before asking again. */
import type { PassingFailure } from "./failure.js";
import type { RemoteSettings } from "./settings.js";

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Seconds that the server asks for, by `retry-after-ms`, or `retry-after` as a number or a date; undefined without sense. */
export function askedPatience(headers: Headers, now = Date.now()): number | undefined {
  const milliseconds = headers["retry-after-ms"];
  if (typeof milliseconds === "string" && /^\d+(\.\d+)?$/.test(milliseconds))
    return Number(milliseconds) / 1000;
  const value = headers["retry-after"];
  if (typeof value !== "string") return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value);
  // `Date.parse` takes almost anything for a date; only HTTP's own form is one.
  const date = /^[A-Z][a-z]{2}, .* GMT$/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isFinite(date) ? Math.max(0, (date - now) / 1000) : undefined;
}

/** Full jitter: many callers that failed together must not come back together. */
export function waitBefore(
  attempt: number,
  failure: PassingFailure,
  { baseSeconds, longestWaitSeconds }: RemoteSettings,
  random: () => number = Math.random,
): number {
  const { afterSeconds } = failure.details;
  if (afterSeconds !== undefined) return Math.min(afterSeconds, longestWaitSeconds);
  return random() * Math.min(longestWaitSeconds, baseSeconds * 2 ** (attempt - 1));
}
