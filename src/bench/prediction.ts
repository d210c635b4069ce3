/** What was foretold of a bench before its first run, kept beside its results. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { replaceFile } from "../core/replace-file.js";
import { forecast } from "./forecast/forecast.js";
import { measuredWorkload } from "./forecast/workload.js";
import type { BenchEntry } from "./method-list.js";
import type { PhysicalFacts } from "./physical-limit.js";
import type { BenchResult } from "./result.js";

const schema = z.object({
  /** The pilot that it was foretold from. */
  source: z.string(),
  /** Per question and run. */
  rows: z.array(
    z.looseObject({
      label: z.string(),
      flops: z.number(),
      seconds: z.number().nullable(),
      roles: z.record(
        z.string(),
        z.object({ readTokens: z.number(), writtenTokens: z.number(), flops: z.number() }),
      ),
    }),
  ),
});

export type Prediction = Readonly<z.output<typeof schema>>;

export interface Pilot {
  readonly path: string;
  readonly results: readonly BenchResult[];
}

/** What a pilot does not show is assumed as `plan` assumes it. */
const assumed = { promptTokens: 120, steps: 8, stepTokens: 30, acceptance: 0.7 };

export async function predict(
  entries: readonly BenchEntry[],
  pilot: Pilot,
  { sizes, rates }: PhysicalFacts,
): Promise<Prediction> {
  const workload = measuredWorkload(pilot.results, assumed, pilot.path);
  const rows: Prediction["rows"] = [];
  for (const entry of entries) {
    const { reward, ...writers } = sizes;
    // Of a reward that an entry names for itself no size is known here.
    const own = entry.reward === undefined && reward ? { ...writers, reward } : writers;
    rows.push({ ...(await forecast(entry, { sizes: own, rates, workload })) });
  }
  return { source: pilot.path, rows };
}

export async function keepPrediction(path: string, prediction: Prediction): Promise<void> {
  await replaceFile(path, `${JSON.stringify(prediction, null, 2)}\n`);
}

/** Undefined where nothing was foretold. */
export async function readPrediction(path: string): Promise<Prediction | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  return text === undefined ? undefined : schema.parse(JSON.parse(text));
}
