/** Counters, gauges and histograms, and their text for Prometheus (exposition format 0.0.4). */

export type Labels = Readonly<Record<string, string>>;

export interface Metric {
  /** Lines of the text, help and type first. */
  lines(): Iterable<string>;
}

export class Counter implements Metric {
  readonly #name: string;
  readonly #help: string;
  readonly #values = new Map<string, number>();

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  add(value: number, labels: Labels = {}): void {
    const key = labelText(labels);
    this.#values.set(key, (this.#values.get(key) ?? 0) + value);
  }

  *lines(): Iterable<string> {
    yield* head(this.#name, this.#help, "counter");
    for (const [labels, value] of this.#values) yield `${this.#name}${labels} ${value}`;
  }
}

/** Read off when the text is asked for. */
export class Gauge implements Metric {
  readonly #name: string;
  readonly #help: string;
  readonly #read: () => Iterable<readonly [Labels, number]>;

  constructor(name: string, help: string, read: () => Iterable<readonly [Labels, number]>) {
    this.#name = name;
    this.#help = help;
    this.#read = read;
  }

  *lines(): Iterable<string> {
    yield* head(this.#name, this.#help, "gauge");
    for (const [labels, value] of this.#read()) yield `${this.#name}${labelText(labels)} ${value}`;
  }
}

export class Histogram implements Metric {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  /** How many values came into each bucket, the one without a bound last. */
  readonly #counts: number[];
  #sum = 0;

  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name;
    this.#help = help;
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    const at = this.#bounds.findIndex((bound) => value <= bound);
    const bucket = at < 0 ? this.#bounds.length : at;
    this.#counts[bucket] = this.#counts[bucket]! + 1;
    this.#sum += value;
  }

  *lines(): Iterable<string> {
    yield* head(this.#name, this.#help, "histogram");
    let count = 0;
    for (const [index, bound] of [...this.#bounds, "+Inf"].entries()) {
      count += this.#counts[index]!;
      yield `${this.#name}_bucket{le="${bound}"} ${count}`;
    }
    yield `${this.#name}_sum ${this.#sum}`;
    yield `${this.#name}_count ${count}`;
  }
}

export function exposition(metrics: Iterable<Metric>): string {
  return `${[...metrics].flatMap((metric) => [...metric.lines()]).join("\n")}\n`;
}

function head(name: string, help: string, type: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
