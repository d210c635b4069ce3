/** What is needed to open a run's models again. A trace keeps it, so that it can be resumed from any folder. */
import { access } from "node:fs/promises";
import { isAbsolute, resolve } from "node:path";
import { z } from "zod";
import { resolveModelFile } from "../models/hub-inventory.js";
import type { HubSettings } from "../models/hub-settings.js";
import { formatModelReference, parseModelReference } from "../models/reference.js";
import { parseRewardReference } from "../rewards/index.js";
import { isDemo } from "./demo/models.js";
import { speculationSchema } from "./speculation.js";

export const referencesSchema = z.object({
  draft: z.string().optional(),
  target: z.string().optional(),
  reward: z.string().optional(),
  threads: z.int().min(1),
  context: z.int().min(1).optional(),
  exact: z.boolean(),
  /** How the models' tokens are drafted, where they are. */
  speculation: speculationSchema.optional(),
  /** The task that the question is from, where a reward asks its step checker. */
  task: z.string().optional(),
  /** Seconds that the demo's scripted models take for a token. */
  pace: z.number().min(0).optional(),
});

export type References = Readonly<z.output<typeof referencesSchema>>;

/** The reference with the whole path of a file; others stay as they are. Throws `model-not-found`. */
export async function lastingModel(text: string, folder: string, hub: HubSettings): Promise<string> {
  if (text === "draft" || text === "target" || isDemo(text)) return text;
  const reference = parseModelReference(text);
  if (reference.kind === "graph")
    return `graph:${await lastingModel(formatModelReference(reference.model), folder, hub)}`;
  if (reference.kind !== "file") return text;
  const here = resolve(folder, reference.path);
  if (isAbsolute(reference.path) || (await exists(here))) return here;
  // A bare name may stand in one of the model folders.
  return resolve(folder, await resolveModelFile(reference, hub));
}

/** The same for the model inside a reward reference. */
export async function lastingReward(text: string, folder: string, hub: HubSettings): Promise<string> {
  if (isDemo(text)) return text;
  const { kind, model } = parseRewardReference(text);
  if (model === "") return text;
  const options = text.slice(kind.length + 1 + model.length);
  return `${kind}:${await lastingModel(model, folder, hub)}${options}`;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
