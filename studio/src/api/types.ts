/** What the server answers, as far as the studio reads it. */

export interface ServedModel {
  readonly id: string;
  readonly stepwright?: {
    readonly method: string;
    readonly pair: string;
    readonly kind: string;
    readonly essence: string;
    readonly cost?: string;
    readonly use?: string;
    readonly models: Readonly<Partial<Record<"draft" | "target" | "reward", string>>>;
    readonly options: OptionSchema;
    readonly defaults?: Readonly<Record<string, unknown>>;
  };
}

/** JSON Schema of an object of options, as zod writes it. */
export interface OptionSchema {
  readonly properties?: Readonly<Record<string, OptionField>>;
}

export interface OptionField {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  /** Words beside a type: a number or "auto". */
  readonly anyOf?: readonly OptionField[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
}

export interface RunSummary {
  readonly id: string;
  readonly model?: string;
  readonly method: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly question: string;
  readonly status: string;
  /** Unix seconds. */
  readonly created: number;
  readonly finish?: string | null;
  readonly answer?: string | null;
  readonly seed?: number;
  readonly flops?: number | null;
  readonly seconds?: number | null;
}

export interface TraceEntry {
  readonly id: string;
  readonly name: string;
  readonly bytes: number;
  /** Unix seconds. */
  readonly modified: number;
  /** From the first record and the last one; absent where they cannot be read. */
  readonly method?: string;
  readonly question?: string;
  readonly finish?: string;
  readonly flops?: number;
  readonly seconds?: number;
  readonly seed?: number;
}

export interface BenchEntry {
  readonly id: string;
  readonly name: string;
  readonly task: string;
  readonly questions: number;
  readonly rows: readonly string[];
}

export interface BenchRowFacts {
  readonly label: string;
  readonly method: string;
  readonly accuracy: number;
  readonly ci95: readonly [number, number];
  readonly runs: number;
  readonly flops: number;
  readonly flopsVsTarget: number | null;
  readonly seconds: number;
  readonly secondsVsTarget: number | null;
  readonly acceptance: number | null;
  readonly failed: number;
}

export interface BenchReportFacts {
  readonly id: string;
  readonly name: string;
  readonly task: string;
  readonly questions: number;
  readonly seeds: number;
  readonly rows: readonly BenchRowFacts[];
  /** Names of files. */
  readonly figures: readonly string[];
}

export interface ComparedQuestion {
  readonly question: string;
  readonly text: string;
  readonly one: ComparedSide;
  readonly other: ComparedSide;
}

export interface ComparedSide {
  /** Share of the row's runs that are right. */
  readonly share: number;
  readonly answer: string;
  readonly text: string;
  readonly flops: number;
}

export interface Comparison {
  readonly one: string;
  readonly other: string;
  readonly questions: number;
  readonly difference: number;
  readonly ci95: readonly [number, number];
  readonly better: number;
  readonly worse: number;
  readonly p: number;
  readonly accuracies: readonly [number, number];
  readonly flops: readonly [number, number];
  /** Where the verdicts differ first, then others; bounded. */
  readonly shown: readonly ComparedQuestion[];
  readonly left: number;
}
