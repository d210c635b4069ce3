/** Plain decoding beside the methods: what the same compute would have bought without any of them. */
import type { Method } from "../core/method.js";
import type { Registry } from "../core/registry.js";
import type { Writer } from "../core/search.js";
import type { BenchEntry } from "./method-list.js";

export interface BaselineSettings {
  /** Samples of each plain model per question. */
  readonly samples: number;
  /** Of the samples; the greedy run is at 0. */
  readonly temperature: number;
}

/** Runs of one plain model that the rows are compared with. */
export interface Baseline {
  readonly writer: Writer;
  readonly kind: "greedy" | "majority";
  /** Runs of its own have a comma in the label, which no label of a row can have. */
  readonly entry: BenchEntry;
  readonly temperature: number;
  readonly samples: number;
  /** True where a row of the bench is this baseline already: it is not run again. */
  readonly isRow: boolean;
}

/** A greedy run and a pool of samples of each model that the rows use. */
export async function baselinesFor(
  entries: readonly BenchEntry[],
  { samples, temperature }: BaselineSettings,
  methods: Registry<Method>,
  benchTemperature: number,
): Promise<Baseline[]> {
  const baselines: Baseline[] = [];
  for (const writer of ["draft", "target"] as const) {
    if (!entries.some(({ method }) => method.needs[writer])) continue;
    const method = await methods.get(writer);
    const own = (label: string) => ({ label: `${writer}, ${label}`, method, options: {} });
    const row = benchTemperature === 0 ? entries.find((entry) => entry.method.name === writer) : undefined;
    const greedy = { temperature: 0, samples: 1, isRow: row !== undefined, entry: row ?? own("greedy") };
    baselines.push(
      { writer, kind: "greedy", ...greedy },
      { writer, kind: "majority", temperature, samples, isRow: false, entry: own("sampled") },
    );
  }
  return baselines;
}
