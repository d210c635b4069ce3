/** Token-level speculation on the command line: its flags, what lasts of them, and how a model comes to speculate. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
import { rules } from "../accept/index.js";
import { type Calibration, loadCalibration } from "../bench/calibration.js";
import { costCurve } from "../bench/forecast/speculation.js";
import { StepwrightError } from "../core/errors.js";
import type { Method } from "../core/method.js";
import type { Model } from "../core/model.js";
import { namedEntry, parseNamedText } from "../core/named-text.js";
import type { Registry } from "../core/registry.js";
import type { ControllerResources, SpeculationCosts } from "../core/speculation.js";
import { drafters } from "../drafts/index.js";
import { controllers } from "../speculation/controllers/index.js";
import { speculate } from "../speculation/speculate.js";
import { SpeculatingModel } from "../speculation/speculating-model.js";

const group = "Speculation";

export const speculationFields = {
  speculate: z
    .string()
    .default("off")
    .describe(
      "Draft tokens before the target reads them: off, auto (by the draft model where one is given, and only as long as it pays), or a drafter with its options, such as lookup or model?draws=sampled; see stepwright speculation.",
    )
    .meta({ group, placeholder: "DRAFTER" }),
  speculateRule: z
    .string()
    .default("agreement")
    .describe("How drafts are tested; agreement writes what plain decoding writes, to the token.")
    .meta({ group, placeholder: "RULE" }),
  speculateController: z
    .string()
    .default("auto")
    .describe("How much is drafted, such as fixed?depth=4; auto stops where drafts do not pay.")
    .meta({ group, placeholder: "NAME" }),
  speculateTexts: z
    .array(z.string())
    .default([])
    .describe("Files that a drafter may search for what comes next.")
    .meta({ group, placeholder: "FILE,..." }),
};

export const speculationSchema = z.object({
  /** Absent: whatever suits the models. */
  drafter: z.string().optional(),
  rule: z.string(),
  controller: z.string(),
  texts: z.array(z.string()),
});

export type Speculation = Readonly<z.output<typeof speculationSchema>>;

export type SpeculationSettings = z.output<z.ZodObject<typeof speculationFields>>;

/** What the flags ask for, with whole paths; undefined where it is off. Throws `unknown-name` or `invalid-option`. */
export async function speculationOf(
  settings: Partial<SpeculationSettings>,
  folder: string,
): Promise<Speculation | undefined> {
  const { speculate: drafter = "off", speculateRule = "agreement", speculateController = "auto" } = settings;
  const { speculateTexts = [] } = settings;
  if (drafter === "off") return undefined;
  return {
    ...(drafter !== "auto" && { drafter: await lasting(drafters, "drafter", drafter, folder) }),
    rule: await lasting(rules, "acceptance rule", speculateRule, folder),
    controller: await lasting(controllers, "controller", speculateController, folder),
    texts: speculateTexts.map((path) => resolve(folder, path)),
  };
}

/** The same with whole paths, for options that are files and for values that are read from files. */
async function lasting<Entry extends Pick<Method, "name" | "schema">>(
  registry: Registry<Entry>,
  kind: string,
  text: string,
  folder: string,
): Promise<string> {
  const { schema } = (await namedEntry(registry, kind, text)).entry;
  return mapOptions(text, async (value, key) => {
    if (value.startsWith("@")) return `@${resolve(folder, value.slice(1))}`;
    const isFile = (schema.shape[key] as z.ZodType | undefined)?.meta()?.file === true;
    return isFile && !isNamedFile(value) ? resolve(folder, value) : value;
  });
}

/** Not a path: a file of the lab, or of a hub. */
function isNamedFile(value: string): boolean {
  return /^(lab|hf):/.test(value);
}

/** True if it drafts for the draft role, too: what needs no draft model serves any. */
export async function draftsForDraft({ drafter }: Speculation): Promise<boolean> {
  return drafter !== undefined && !(await namedEntry(drafters, "drafter", drafter)).entry.needsDraft;
}

export interface SpeculationParts {
  readonly target: Model;
  /** Opened only if something drafts with it. */
  readonly openDraft?: (() => Promise<Model>) | undefined;
  readonly threads: number;
  /** True where several users' texts pass through. */
  readonly isolated: boolean;
  /** Folder of calibrations. */
  readonly calibration?: string | undefined;
  readonly loadHead: ControllerResources["loadHead"];
}

/** The target, speculating; with `auto`, as it is where it cannot read trees. */
export async function speculating(speculation: Speculation, parts: SpeculationParts): Promise<Model> {
  const { target, openDraft, threads, isolated, calibration, loadHead } = parts;
  const isAuto = speculation.drafter === undefined;
  if (isAuto && !target.capabilities.has("tree")) return target;
  const draft = await openDraft?.();
  const fits = draft !== undefined && draft !== target && draft.vocabulary === target.vocabulary;
  const usable = isAuto && !fits ? undefined : draft;
  const measured = calibration ? await loadCalibration(calibration) : undefined;
  const texts = await Promise.all(speculation.texts.map(readText));
  return speculate(target, {
    drafter: speculation.drafter && (await withFiles(speculation.drafter)),
    rule: await withFiles(speculation.rule),
    controller: await withFiles(speculation.controller),
    ...{ draft: usable, isolated },
    costs: measured && costsOf(measured, target, usable, threads),
    texts,
    loadHead,
  });
}

/** Stops drafting; the model itself is its owner's. */
export async function releaseDrafter(model: Model): Promise<void> {
  if (model instanceof SpeculatingModel) await model.releaseDrafter();
}

/** Seconds as `stepwright calibrate` measured them; null where one of the models was not measured. */
function costsOf(
  { models }: Calibration,
  target: Model,
  draft: Model | undefined,
  threads: number,
): SpeculationCosts | null {
  const find = (model: Model) =>
    models.find((known) => known.fingerprint === model.fingerprint && known.threads === threads);
  const measured = find(target);
  const drafting = draft && find(draft);
  if (!measured || (draft && !drafting)) return null;
  const { curve } = measured;
  return {
    target: (tokens) => curve[0]!.seconds * costCurve(curve, tokens),
    draft: (nodes) => nodes * (drafting?.writeSeconds ?? 0),
  };
}

async function mapOptions(
  text: string,
  map: (value: string, key: string) => Promise<string>,
): Promise<string> {
  const { name, options } = parseNamedText(text);
  const pairs = await Promise.all(
    Object.entries(options).map(
      async ([key, value]) => `${key}=${encodeURIComponent(await map(value, key))}`,
    ),
  );
  return pairs.length === 0 ? name : `${name}?${pairs.join("&")}`;
}

/** `name?option=@FILE` with what the file holds. */
function withFiles(text: string): Promise<string> {
  return mapOptions(text, async (value) => (value.startsWith("@") ? readText(value.slice(1)) : value));
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new StepwrightError("invalid-option", `${path} cannot be read: ${(cause as Error).message}`, {
      subject: path,
      cause,
    });
  }
}
