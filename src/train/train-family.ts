/** Trains the models of a family one after the other into a folder; what was done there before is taken up. */
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StepwrightError } from "../core/errors.js";
import { encodeGguf } from "../models/gguf/write.js";
import { ggufModel } from "./gguf-model.js";
import { writeHubFolder } from "./hub-folder.js";
import { parameterCount } from "./initial-weights.js";
import type { ModelFamily } from "./model-recipe.js";
import { type TrainingProgress, trainModel } from "./train-model.js";

export interface FamilyOptions {
  /** Receives `NAME.gguf`, `NAME.log.jsonl` and `NAME.checkpoint` of each model. */
  readonly folder: string;
  /** Names to train; default all, in the family's order. */
  readonly models?: readonly string[] | undefined;
  /** Writes the folder `NAME` too, which transformers and vLLM load. */
  readonly hubFolders?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (model: string, progress: TrainingProgress) => void;
}

export interface FamilyMember {
  readonly model: string;
  readonly path: string;
  /** Of the GGUF file. */
  readonly sha256: string;
  readonly parameters: number;
  readonly steps: number;
  readonly tokens: number;
  readonly seconds: number;
  readonly resumedAt: number | null;
}

/** Yields each model as soon as its file is written. Throws `unknown-name`, and what `trainModel` throws. */
export async function* trainFamily(
  family: ModelFamily,
  options: FamilyOptions,
): AsyncGenerator<FamilyMember> {
  const names = options.models ?? Object.keys(family);
  for (const name of names) {
    if (Object.hasOwn(family, name)) continue;
    throw new StepwrightError("unknown-name", `there is no model "${name}" in the family`, {
      subject: name,
      remedy: `the family has ${Object.keys(family).join(", ")}`,
    });
  }
  await mkdir(options.folder, { recursive: true });
  for (const model of names) {
    const subject = family[model]!();
    const file = (ending: string) => join(options.folder, `${model}.${ending}`);
    const { weights, steps, tokens, seconds, resumedAt } = await trainModel(
      subject.recipe,
      subject.examples,
      {
        checkpoint: file("checkpoint"),
        log: file("log.jsonl"),
        ...(options.signal ? { signal: options.signal } : {}),
        onProgress: (progress) => options.onProgress?.(model, progress),
      },
    );
    const bytes = encodeGguf(ggufModel(subject, weights));
    const path = file("gguf");
    await writeFile(path, bytes);
    if (options.hubFolders) await writeHubFolder(join(options.folder, model), subject, weights);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const parameters = parameterCount(subject.recipe.sizes);
    yield { model, path, sha256, parameters, steps, tokens, seconds, resumedAt };
  }
}
