/** Lets text through as it grows, but nothing that a stop string or the cut of trailing white space may still take back. */
export class StopGate {
  readonly #stops: readonly string[];
  #held = "";
  #closed = false;

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** The part of the text so far that is final and has not been let through. */
  take(text: string): string {
    if (this.#closed) return "";
    this.#held += text;
    const found = this.#stops.map((stop) => this.#held.indexOf(stop)).filter((at) => at >= 0);
    if (found.length > 0) {
      const rest = this.#held.slice(0, Math.min(...found)).trimEnd();
      this.#closed = true;
      this.#held = "";
      return rest;
    }
    const final = this.#held.length - this.#unsure();
    const through = this.#held.slice(0, final).trimEnd();
    this.#held = this.#held.slice(through.length);
    return through;
  }

  /** What is left once nothing more comes. */
  end(): string {
    const rest = this.#held.trimEnd();
    this.#held = "";
    this.#closed = true;
    return rest;
  }

  /** Length of the longest end of the text that a stop string begins with. */
  #unsure(): number {
    let longest = 0;
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length - 1, this.#held.length); length > longest; length--) {
        if (stop.startsWith(this.#held.slice(-length))) longest = length;
      }
    }
    return longest;
  }
}
