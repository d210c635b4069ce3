/** What the bench keeps of one run: one question, one method, one seed. */
import { z } from "zod";
import type { ErrorData } from "../core/errors.js";
import type { LedgerData } from "../core/ledger.js";
import type { Finish } from "../core/search.js";

export interface SeenStep {
  /** Who wrote it. */
  readonly origin: string;
  readonly tokens: number;
  readonly reward: number | null;
  /** The task's own verdict, where it checks steps. */
  readonly right?: boolean;
}

/** A step that was kept. */
export interface BenchStep extends SeenStep {
  /** Characters of the answer's text that it wrote. */
  readonly length?: number;
  /** Steps that were given up for it. */
  readonly rejected: readonly SeenStep[];
}

export interface BenchResult {
  readonly question: string;
  readonly method: string;
  /** Of `--seeds`; the run's own seed depends on the question too. */
  readonly seed: number;
  /** `solve --seed` with it repeats the run. */
  readonly runSeed: number;
  readonly finish: Finish | "failed";
  readonly text: string;
  readonly answer: string;
  /** By the rules that papers use, and by a careful reader's. */
  readonly correct: boolean;
  readonly strict: boolean;
  /** Why the run failed; it counts as wrong. */
  readonly error?: ErrorData;
  readonly steps: readonly BenchStep[];
  /** Whole answers that the method saw, its own included; how many different ones, and how many of them right. */
  readonly candidates: { readonly seen: number; readonly right: number };
  readonly ledger: LedgerData;
}

const numberOrNull = z.number().nullable();
const rejected = z.object({
  origin: z.string(),
  tokens: z.number(),
  reward: numberOrNull,
  right: z.boolean().optional(),
});

/** Read back from disk: what the checksum cannot know is the version that wrote it. */
const resultSchema = z.looseObject({
  question: z.string(),
  method: z.string(),
  seed: z.number(),
  runSeed: z.number(),
  finish: z.string(),
  text: z.string(),
  answer: z.string(),
  correct: z.boolean(),
  strict: z.boolean(),
  steps: z.array(rejected.extend({ length: z.number().optional(), rejected: z.array(rejected) })),
  candidates: z.object({ seen: z.number(), right: z.number() }),
  ledger: z.looseObject({
    total: z.object({ flops: z.number(), generatedFlops: z.number(), seconds: z.number() }),
  }),
});

/** Undefined for what is no result. */
export function parseResult(record: unknown): BenchResult | undefined {
  const parsed = resultSchema.safeParse(record);
  return parsed.success ? (parsed.data as unknown as BenchResult) : undefined;
}

/** Names one cell of the bench. */
export function resultKey(cell: Pick<BenchResult, "question" | "method" | "seed">): string {
  return JSON.stringify([cell.question, cell.method, cell.seed]);
}
