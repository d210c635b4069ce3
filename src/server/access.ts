/** Who may ask: keys, the names under which the server may be addressed, and web pages of other origins. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { ApiError } from "./api-error.js";

export interface AccessOptions {
  /** Address that the server listens on. */
  readonly host: string;
  /** Empty: everybody who can reach the server may ask. */
  readonly keys: readonly string[];
  /** Origins of web pages that may ask, such as `https://studio.example`. */
  readonly origins: readonly string[];
  /** Names and addresses that requests may be sent to, besides loopback's; any where the server listens wider. */
  readonly hosts: readonly string[];
  readonly wrongKeysPerMinute: number;
}

/** Keys are compared as digests, all of them each time, so that the time tells nothing about any. */
export class Access {
  readonly #digests: readonly Buffer[];
  readonly #origins: ReadonlySet<string>;
  readonly #hosts: ReadonlySet<string> | null;
  readonly #wrongKeys: WrongKeys;

  constructor({ host, keys, origins, hosts, wrongKeysPerMinute }: AccessOptions) {
    this.#digests = keys.map(digestOf);
    this.#origins = new Set(origins);
    const named = [...loopbackNames, ...hosts.map((name) => name.toLowerCase())];
    this.#hosts = isLoopback(host) || hosts.length > 0 ? new Set(named) : null;
    this.#wrongKeys = new WrongKeys(wrongKeysPerMinute);
  }

  get needsKey(): boolean {
    return this.#digests.length > 0;
  }

  /** Refuses a name that is not ours: a web page can point its own name at a loopback address. */
  checkHost(host: string | undefined): void {
    if (!this.#hosts || (host !== undefined && this.#hosts.has(hostName(host)))) return;
    throw new ApiError(403, "host_not_allowed", "the server is not addressed by this name", {
      remedy: "use localhost or 127.0.0.1, or allow the name with --allow-host",
    });
  }

  /** The origin to name in CORS headers; undefined for a page that may not read. */
  allowedOrigin({ origin, host }: IncomingHttpHeaders): string | undefined {
    if (origin === undefined) return undefined;
    return this.#origins.has(origin) || isOwnOrigin(origin, host) ? origin : undefined;
  }

  /** A page of another origin may change nothing, even where it could not read the answer. */
  checkOrigin(headers: IncomingHttpHeaders): void {
    if (headers.origin === undefined || this.allowedOrigin(headers) !== undefined) return;
    throw new ApiError(403, "origin_not_allowed", "requests of this web page's origin are not taken", {
      remedy: "allow the origin with --allow-origin",
    });
  }

  /** The owner's name: a part of the key's digest. Throws 401, and 429 for an address that guesses. */
  owner(authorization: string | undefined, address: string): string {
    if (!this.needsKey) return "local";
    const given = digestOf(/^Bearer (\S+)$/.exec(authorization ?? "")?.[1] ?? "");
    let isKnown = false;
    for (const digest of this.#digests) isKnown = timingSafeEqual(digest, given) || isKnown;
    if (isKnown) return given.toString("hex").slice(0, 16);
    const wait = this.#wrongKeys.count(address);
    if (wait > 0) {
      throw new ApiError(429, "too_many_wrong_keys", "too many requests without a valid key", {
        retryAfter: wait,
      });
    }
    throw new ApiError(401, "invalid_api_key", "a valid key is needed", {
      remedy: "send the header authorization: Bearer KEY",
      headers: { "www-authenticate": "Bearer" },
    });
  }
}

/** Wrong keys by address, forgotten every minute; so many addresses at most. */
class WrongKeys {
  readonly #most: number;
  readonly #counts = new Map<string, number>();
  #since = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Counts one more; the seconds to wait, 0 while it is within the limit. */
  count(address: string): number {
    const now = Date.now();
    if (now - this.#since >= 60_000) {
      this.#since = now;
      this.#counts.clear();
    }
    // Beyond so many addresses they share one count.
    const name = this.#counts.has(address) || this.#counts.size < 10_000 ? address : "";
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    return count > this.#most ? Math.max(1, (this.#since + 60_000 - now) / 1000) : 0;
  }
}

const loopbackNames = ["localhost", "127.0.0.1", "[::1]", "::1"];

export function isLoopback(host: string): boolean {
  return loopbackNames.includes(host) || /^127(\.\d{1,3}){3}$/.test(host);
}

function digestOf(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}

/** Without the port. */
function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d{1,5}$/, "");
}

function isOwnOrigin(origin: string, host: string | undefined): boolean {
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
}
