/** The smallest scripted models and helpers, for short tests. */
import { type RunRequest, startRun } from "../core/run.js";
import type { RunEvent } from "../core/trace-event.js";
import { ScriptedModel, type ScriptedModelOptions } from "../models/scripted.js";
import { ScriptedReward } from "../models/scripted-reward.js";

/** Writes this text for ever, step after step. */
export const fixed = (text: string, more: Partial<ScriptedModelOptions> = {}) =>
  new ScriptedModel({ law: { steps: () => [{ text, probability: 1 }] }, ...more });

/** Writes these steps, and ends after the last. */
export const answer = (steps: readonly string[], more: Partial<ScriptedModelOptions> = {}) =>
  new ScriptedModel({
    law: {
      steps: (_, done) => [
        { text: steps[done.length]!, probability: 1, end: done.length === steps.length - 1 },
      ],
    },
    ...more,
  });

/** Counts its steps, without end. */
export const counting = (more: Partial<ScriptedModelOptions> = {}) =>
  new ScriptedModel({
    law: { steps: (_, done) => [{ text: `${done.length}\n\n`, probability: 1 }] },
    ...more,
  });

/** Gives every step this value, whatever it is. */
export const always = (value: unknown) => new ScriptedReward({ score: () => value });

/** Carries a run out and returns its events; a failure is the last of them. */
export async function eventsOf(request: RunRequest): Promise<RunEvent[]> {
  const seen: RunEvent[] = [];
  for await (const event of startRun(request)) seen.push(event);
  return seen;
}
