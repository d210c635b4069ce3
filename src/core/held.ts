/** Something that must be dropped once, but never while somebody is using it. */
export class Held<Value extends { drop(): void }> {
  readonly #promise: Promise<Value>;
  #value: Value | undefined;
  #users = 0;
  #given = false;

  constructor(value: Value | Promise<Value>) {
    if (value instanceof Promise) {
      this.#promise = value;
      value.then(
        (ready) => {
          this.#value = ready;
          this.#dropIfIdle();
        },
        () => {},
      );
    } else {
      this.#value = value;
      this.#promise = Promise.resolve(value);
    }
  }

  /** The value, if it exists already and nobody has given it up. */
  peek(): Value | undefined {
    return this.#given ? undefined : this.#value;
  }

  async use<Result>(work: (value: Value) => Promise<Result> | Result): Promise<Result> {
    this.#users++;
    try {
      return await work(await this.#promise);
    } finally {
      this.#users--;
      this.#dropIfIdle();
    }
  }

  /** Drops the value at once, or as soon as it exists and nobody uses it. Safe to call twice. */
  drop(): void {
    this.#given = true;
    this.#dropIfIdle();
  }

  #dropIfIdle(): void {
    if (!this.#given || this.#users > 0) return;
    this.#value?.drop();
    this.#value = undefined;
  }
}
