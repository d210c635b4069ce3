/** How a remote engine is spoken to: limits, patience, and keys that belong to one origin each. */
import { StepwrightError } from "../../core/errors.js";

export interface RemoteSettings {
  /** Keys by origin (`https://host:port`): a key is sent to its own origin and nowhere else. */
  readonly keys: ReadonlyMap<string, string>;
  readonly connectSeconds: number;
  /** From the request's end to the answer's first byte: a long prompt is read in it. */
  readonly firstByteSeconds: number;
  /** Between two pieces of an answer. */
  readonly idleSeconds: number;
  /** Attempts at one request, the first included, as long as nothing of an answer was used. */
  readonly attempts: number;
  /** The second attempt waits a random time up to this, each further one up to twice the time before. */
  readonly baseSeconds: number;
  /** A server that asks for more patience than this is waited for this long. */
  readonly longestWaitSeconds: number;
  /** Requests to one origin at a time; further ones wait. */
  readonly concurrency: number;
  /** Of one answer, in bytes. */
  readonly mostBytes: number;
  /** Of one line of a stream, in bytes. */
  readonly mostLineBytes: number;
  /** So many failures within `breakerSeconds` open the breaker, which stays open for `coolSeconds`. */
  readonly breakerFailures: number;
  readonly breakerSeconds: number;
  readonly coolSeconds: number;
}

export const usualRemoteSettings: RemoteSettings = {
  keys: new Map(),
  connectSeconds: 2,
  firstByteSeconds: 60,
  idleSeconds: 30,
  attempts: 3,
  baseSeconds: 0.5,
  longestWaitSeconds: 30,
  concurrency: 64,
  mostBytes: 256 * 2 ** 20,
  mostLineBytes: 4 * 2 ** 20,
  breakerFailures: 5,
  breakerSeconds: 30,
  coolSeconds: 5,
};

/**
 * The usual settings with the keys of STEPWRIGHT_REMOTE_KEYS: `https://host=key`, separated by commas or spaces.
 * Throws `invalid-option`, without showing what the variable holds.
 */
export function remoteSettings(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): RemoteSettings {
  const keys = new Map<string, string>();
  for (const entry of (environment.STEPWRIGHT_REMOTE_KEYS ?? "").split(/[\s,]+/).filter(Boolean)) {
    const [, address = "", key = ""] = /^(https?:\/\/[^=]+?)\/?=(.+)$/i.exec(entry) ?? [];
    if (!URL.canParse(address) || new URL(address).pathname !== "/" || !/^[\x21-\x7e]+$/.test(key)) {
      throw new StepwrightError(
        "invalid-option",
        "STEPWRIGHT_REMOTE_KEYS has an entry that is no ORIGIN=KEY",
        {
          subject: "STEPWRIGHT_REMOTE_KEYS",
          remedy: "write https://host:port=key, several separated by commas",
        },
      );
    }
    keys.set(new URL(address).origin, key);
  }
  return { ...usualRemoteSettings, keys };
}
