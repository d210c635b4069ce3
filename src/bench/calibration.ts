/** What `calibrate` measured: one file per machine, one entry per model file and number of threads. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { cpus, hostname, totalmem } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { StepwrightError } from "../core/errors.js";
import type { ModelSize } from "../core/model.js";
import { replaceFile } from "../core/replace-file.js";
import type { Role } from "../core/search.js";
import type { ModelIdentities } from "./configuration.js";
import type { MachineRates, RoleRates, RoleSizes } from "./physical-limit.js";

const amount = z.number().min(0);

const sizeSchema = z.object({
  parameters: amount,
  multiplied: amount,
  layers: amount,
  attentionWidth: amount,
  vocabulary: amount,
  context: amount,
  bytes: amount,
});

const modelSchema = z.object({
  name: z.string(),
  fingerprint: z.string(),
  threads: z.int().min(1),
  size: sizeSchema,
  /** Bytes of keys and values for one token of context. */
  cacheBytesPerToken: amount,
  /** From the call until the model could be used. */
  loadSeconds: amount,
  /** Seconds per token, written one after another and read in a long stretch. */
  writeSeconds: z.number().gt(0),
  readSeconds: z.number().gt(0),
  /** Seconds of a pass over so many tokens: the cost curve. The first is of one token. */
  curve: z
    .array(z.object({ tokens: z.int().min(1), seconds: z.number().gt(0) }))
    .min(1)
    .readonly(),
  measured: z.string(),
});

const calibrationSchema = z.object({
  version: z.literal(1),
  machine: z.object({ id: z.string(), processor: z.string(), cores: z.int(), memory: amount }),
  /** Bytes per second that one thread reads from memory. */
  bandwidth: z.number().gt(0),
  models: z.array(modelSchema),
});

export type ModelCalibration = Readonly<z.output<typeof modelSchema>>;
export type Calibration = Readonly<z.output<typeof calibrationSchema>>;

/** Names the machine without saying which it is. */
export function thisMachine(): Calibration["machine"] {
  const processors = cpus();
  const processor = processors[0]?.model.trim() ?? "unknown";
  const memory = totalmem();
  const id = createHash("sha256").update(JSON.stringify([hostname(), processor, processors.length, memory]));
  return { id: id.digest("hex").slice(0, 16), processor, cores: processors.length, memory };
}

/** Undefined where this machine was not calibrated. Throws `bench-invalid` for a file that is none. */
export async function loadCalibration(folder: string): Promise<Calibration | undefined> {
  const path = pathIn(folder);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return calibrationSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new StepwrightError("bench-invalid", `${path} is no calibration of this version`, {
      subject: path,
      remedy: "remove the file and run stepwright calibrate again",
      cause,
    });
  }
}

/** Adds a model's figures, in place of earlier ones of the same file and threads. */
export async function saveCalibration(
  folder: string,
  bandwidth: number,
  models: readonly ModelCalibration[],
): Promise<string> {
  const earlier = (await loadCalibration(folder))?.models ?? [];
  const isNew = (known: ModelCalibration) => !models.some((model) => keyOf(model) === keyOf(known));
  const calibration: Calibration = {
    version: 1,
    machine: thisMachine(),
    bandwidth,
    models: [...earlier.filter(isNew), ...models],
  };
  await replaceFile(pathIn(folder), `${JSON.stringify(calibration, null, 2)}\n`);
  return pathIn(folder);
}

export function rolesRates(
  { bandwidth, models }: Calibration,
  identities: ModelIdentities,
  sizes: RoleSizes,
  threads: number,
): MachineRates {
  const roles = (["draft", "target", "reward"] as const).flatMap((role) => {
    const found = models.find(
      (model) =>
        model.threads === threads &&
        // A reward names no weights of its own: its size tells which file it reads.
        (identities[role]?.fingerprint === model.fingerprint || isSameSize(sizes[role], model.size)),
    );
    return found ? [[role, ratesOf(found)] as [Role, RoleRates]] : [];
  });
  return { bandwidth, roles: Object.fromEntries(roles) };
}

export function ratesOf(model: ModelCalibration): RoleRates {
  const { curve, size, cacheBytesPerToken, writeSeconds, readSeconds } = model;
  const perToken = Math.min(readSeconds, ...curve.map(({ tokens, seconds }) => seconds / tokens));
  return { cacheBytesPerToken, writeSeconds, readSeconds, flopsPerSecond: (2 * size.multiplied) / perToken };
}

function isSameSize(a: ModelSize | undefined, b: ModelSize): boolean {
  return a !== undefined && a.parameters === b.parameters && a.bytes === b.bytes && a.layers === b.layers;
}

function keyOf({ fingerprint, threads }: ModelCalibration): string {
  return `${fingerprint} ${threads}`;
}

function pathIn(folder: string): string {
  return join(folder, `${thisMachine().id}.json`);
}
