/** The studio's door: the start token of the printed link becomes a cookie, which its requests carry. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

const days = 30;

export class StudioAccess {
  readonly #token: Buffer;
  readonly #name: string;
  readonly #value: string;

  constructor(token: string) {
    this.#token = digestOf(token);
    this.#value = createHmac("sha256", token).update("studio cookie").digest("hex");
    // Cookies know no ports: servers with other tokens on this machine have cookies of other names.
    this.#name = `stepwright-studio-${this.#token.toString("hex").slice(0, 8)}`;
  }

  isToken(given: string): boolean {
    return timingSafeEqual(digestOf(given), this.#token);
  }

  get cookie(): string {
    return `${this.#name}=${this.#value}; Path=/; Max-Age=${days * 86_400}; HttpOnly; SameSite=Lax`;
  }

  hasCookie(headers: Headers): boolean {
    const prefix = `${this.#name}=`;
    const given = (headers.get("cookie") ?? "")
      .split(/;\s*/)
      .find((pair) => pair.startsWith(prefix))
      ?.slice(prefix.length);
    return given !== undefined && timingSafeEqual(digestOf(given), digestOf(this.#value));
  }

  /** A page of another origin that knows the address does not ask in the studio's name. */
  isAllowed({ headers }: Request): boolean {
    const site = headers.get("sec-fetch-site");
    return (site === null || site === "same-origin" || site === "none") && this.hasCookie(headers);
  }
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
