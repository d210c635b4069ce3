/** What makes a bench the bench that it is: the same configuration goes on where it was cut, another is refused. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import { type Difference, firstDifference } from "../core/difference.js";
import { StepwrightError } from "../core/errors.js";
import { replaceFile } from "../core/replace-file.js";
import { canonical } from "../core/run-identity.js";
import type { TaskQuestion } from "../tasks/task.js";
import type { BaselineSettings } from "./baselines.js";
import type { RoleSizes } from "./physical-limit.js";

export const benchVersion = 1;

/** Plain data. Everything in it is resolved: no default stands open, no path is relative. */
export interface BenchConfiguration {
  readonly version: number;
  readonly task: {
    readonly name: string;
    /** Which of the task's questions: so many from this one on; null is all. */
    readonly offset: number;
    readonly limit: number | null;
    readonly grading: string;
    /** Checksum of the questions as they are asked, with their references. */
    readonly questions: string;
  };
  readonly seeds: readonly number[];
  /** Absent where no baselines run. */
  readonly baselines?: BaselineSettings;
  readonly methods: readonly {
    readonly label: string;
    readonly method: string;
    readonly options: Readonly<Record<string, unknown>>;
    /** Its own; absent where it has the bench's. */
    readonly reward?: string;
  }[];
  /** Sampling, limits and prompt, as runs take them. */
  readonly request: Readonly<Record<string, unknown>>;
  /** The models and how they are opened. */
  readonly references: Readonly<Record<string, unknown>>;
}

/** What the roles' models, and the rewards of single rows, turned out to be once they were open. */
export type ModelIdentities = Readonly<
  Record<string, { readonly name: string; readonly fingerprint?: string }>
>;

/** What the configuration does not say about a bench, as found when it was begun. */
export interface BenchFacts {
  readonly models?: ModelIdentities;
  readonly sizes?: RoleSizes;
  /** Of `thisMachine`. */
  readonly machine?: string;
}

export interface BenchFile extends BenchFacts {
  readonly identity: string;
  readonly configuration: BenchConfiguration;
}

export function questionsChecksum(questions: readonly TaskQuestion[]): string {
  return `sha256-${createHash("sha256").update(canonical(questions)).digest("hex")}`;
}

/** 64 hexadecimal digits. */
export function identityOf(configuration: BenchConfiguration): string {
  return createHash("sha256").update(canonical(configuration)).digest("hex");
}

/** True if the file was there and holds this configuration; throws `invalid-option`, naming the difference. */
export async function checkSameBench(path: string, configuration: BenchConfiguration): Promise<boolean> {
  const found = await readBenchFile(path);
  if (!found) return false;
  if (found.configuration.version > benchVersion) {
    throw invalid(
      path,
      `has version ${found.configuration.version}`,
      "use the newer stepwright that made it",
    );
  }
  const difference = firstDifference(found.configuration, configuration);
  if (difference) throw otherBench(path, difference);
  return true;
}

/** Weights may change under the same name; then old and new results do not belong together. */
export async function checkSameModels(path: string, models: ModelIdentities): Promise<void> {
  const found = (await readBenchFile(path))?.models;
  const difference = found && firstDifference(found, models, "models");
  if (difference) throw otherBench(path, difference);
}

export async function writeBenchFile(
  path: string,
  configuration: BenchConfiguration,
  facts: BenchFacts,
): Promise<void> {
  const contents: BenchFile = { identity: identityOf(configuration), configuration, ...facts };
  await replaceFile(path, `${JSON.stringify(contents, null, 2)}\n`);
}

const benchFileSchema = z.looseObject({
  identity: z.string(),
  configuration: z.looseObject({ version: z.number() }),
  models: z.record(z.string(), z.looseObject({ name: z.string() })).optional(),
});

/** Undefined where there is none. Throws `bench-invalid`. */
export async function readBenchFile(path: string): Promise<BenchFile | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw invalid(path, `cannot be read: ${(error as Error).message}`, "choose another folder: --out DIR");
  }
  try {
    return benchFileSchema.parse(JSON.parse(text)) as unknown as BenchFile;
  } catch {
    throw invalid(path, "is no configuration of a bench", "choose another folder: --out DIR");
  }
}

function otherBench(path: string, { at, there, here }: Difference): StepwrightError {
  return new StepwrightError(
    "invalid-option",
    `${dirname(path)} holds another bench: its ${at} is ${there}, here it is ${here}`,
    { subject: at, remedy: "give the same flags to go on with it, or choose another --out" },
  );
}

function invalid(path: string, problem: string, remedy: string): StepwrightError {
  return new StepwrightError("bench-invalid", `${path} ${problem}`, { subject: path, remedy });
}
