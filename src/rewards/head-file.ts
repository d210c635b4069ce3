/** What a head's file says of itself: what it looks at, whose steps it was made for, and which threshold suits it. */
import { z } from "zod";
import { StepwrightError } from "../core/errors.js";
import type { RewardAdvice } from "../core/reward.js";
import { parseSplitter } from "../core/step.js";
import { type FeatureName, featureNames, isFeatureName, rolesReading } from "./readings/features.js";

const kind = "stepwright-reward-head";
const version = "1";

export const thresholdRules = ["budget", "target-mean", "best"] as const;

const upTo32 = z.array(z.number().min(0)).length(33).refine(neverFalls, "falls");

const threshold = z.object({
  value: z.number().min(0).max(1),
  /** Where it comes from: the target's own steps, a share of tokens that may be rewritten, or the best expected step. */
  rule: z.enum(thresholdRules),
  /** As `RewardAdvice.shares` and `RewardAdvice.lengths`, of steps and answers that the head was not fitted to. */
  shares: upTo32.refine((shares) => shares.every((share) => share <= 1), "above 1"),
  lengths: upTo32,
});

const facts = z.object({
  /** The head's inputs, in their order; a state is as many inputs as its model is wide. */
  features: z
    .array(
      z.custom<FeatureName>((name) => typeof name === "string" && isFeatureName(name), "unknown feature"),
    )
    .min(1)
    .refine((names) => new Set(names).size === names.length, "named twice"),
  /** Fingerprints: of the model whose steps were judged, and of another that is read. */
  draft: z.string().min(1),
  target: z.string().min(1).optional(),
  /** How the steps ended, as `--splitter` says it. */
  splitter: z.string().refine((text) => parseSplitter(text) !== undefined, "not a splitter"),
  threshold: threshold.optional(),
  /** How it was trained: task, questions, labels, seed, figures on questions held out. */
  record: z.record(z.string(), z.json()),
});

export type HeadFacts = z.infer<typeof facts>;

/** Tensors beside the head's own, all optional. */
export const calibrationTensors = { inputs: "calibration.inputs", outputs: "calibration.outputs" } as const;
/** Means of the inputs over the steps that the head was fitted to, one for each: what a step is explained against. */
export const meansTensor = "inputs.mean";

const inJson = new Set(["features", "threshold", "record"]);

/** As texts, for a safetensors file's metadata. */
export function headFactsOf(head: HeadFacts): Record<string, string> {
  const told = Object.entries(facts.parse(head)).filter(([, value]) => value !== undefined);
  const texts = told.map(([name, value]) => [name, inJson.has(name) ? JSON.stringify(value) : String(value)]);
  return { kind, version, ...Object.fromEntries(texts) };
}

/** Throws `reward-invalid`: no reward head, one of another version, or facts that are damaged. */
export function readHeadFacts(texts: ReadonlyMap<string, string>, subject: string): HeadFacts {
  const fail = (problem: string, remedy = "train it again: stepwright train reward") =>
    new StepwrightError("reward-invalid", `${subject} ${problem}`, { subject, remedy });
  if (texts.get("kind") !== kind) {
    throw fail("is no reward head", "name a file that stepwright train reward wrote");
  }
  const written = texts.get("version");
  if (written !== version) throw fail(`is a reward head of version ${written}, and this is read: ${version}`);
  const told: Record<string, unknown> = {};
  for (const name of Object.keys(facts.shape)) {
    const text = texts.get(name);
    if (text === undefined) continue;
    try {
      told[name] = inJson.has(name) ? JSON.parse(text) : text;
    } catch {
      throw fail(`says nothing readable of its ${name}`);
    }
  }
  refuseUnknown(told.features, fail);
  const parsed = facts.safeParse(told);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw fail(`is damaged: ${path.join(".")}: ${message}`);
  }
  if (rolesReading(parsed.data.features).has("target") && parsed.data.target === undefined)
    throw fail("looks at a target and does not say which");
  return parsed.data;
}

/** What the run's methods may know of the head's scores. */
export function adviceOf({ threshold: told }: HeadFacts): RewardAdvice | undefined {
  return told && { threshold: told.value, shares: told.shares, lengths: told.lengths };
}

function refuseUnknown(features: unknown, fail: (problem: string, remedy: string) => StepwrightError): void {
  if (!Array.isArray(features)) return;
  const unknown = features.find((name) => typeof name === "string" && !isFeatureName(name));
  if (unknown === undefined) return;
  throw fail(`looks at "${unknown}", which is not known here`, `known: ${featureNames.join(", ")}`);
}

function neverFalls(values: readonly number[]): boolean {
  return values.every((value, index) => index === 0 || value >= values[index - 1]!);
}
