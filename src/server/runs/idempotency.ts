/** Which run a request's idempotency key stands for. Bounded; a run that failed or was cancelled is forgotten. */
import { ApiError } from "../api-error.js";

export interface Idempotency {
  readonly key: string;
  /** Of the request's body. */
  readonly digest: string;
}

interface Entry {
  readonly digest: string;
  /** The id of the request's first run. */
  readonly request: string;
}

const mostEntries = 10_000;

export class IdempotencyTable {
  /** By owner and key, the longest known first. */
  readonly #entries = new Map<string, Entry>();

  set(owner: string, { key, digest }: Idempotency, request: string): void {
    const name = nameOf(owner, key);
    this.#entries.delete(name);
    this.#entries.set(name, { digest, request });
    if (this.#entries.size > mostEntries) this.#entries.delete(this.#entries.keys().next().value!);
  }

  /** The run that this key stands for. Throws 422 `idempotency_mismatch` where it came with another body. */
  find(owner: string, { key, digest }: Idempotency): string | undefined {
    const entry = this.#entries.get(nameOf(owner, key));
    if (!entry || entry.digest === digest) return entry?.request;
    // Not 409: OpenAI's clients send that again.
    throw new ApiError(422, "idempotency_mismatch", "this idempotency key came with another request before", {
      param: "idempotency-key",
      remedy: "use a new key for every new request",
    });
  }

  forget(owner: string, { key }: Idempotency, request: string): void {
    const name = nameOf(owner, key);
    if (this.#entries.get(name)?.request === request) this.#entries.delete(name);
  }
}

function nameOf(owner: string, key: string): string {
  return JSON.stringify([owner, key]);
}
