/** A long scripted run with many rejected steps. */
import type { RunRequest } from "../core/run.js";
import rsd from "../methods/rsd.js";
import { type Script, ScriptedModel, ScriptedReward } from "./index.js";

const words = Array.from({ length: 20 }, (_, index) => `word${index}\n\n`);

function model(name: string, shift: number, script: Script): ScriptedModel {
  return new ScriptedModel({
    ...script,
    name,
    pieces: words,
    size: { context: 100_000 },
    law: {
      // The word differs from the one before, so that the loop guard never ends the run.
      steps: (_, steps) => {
        const last = words.indexOf(steps.at(-1) ?? "");
        const choices = words.filter((_, index) => index !== last && (index + shift) % 3 !== 0);
        return choices.map((text) => ({ text, probability: 1 / choices.length }));
      },
    },
  });
}

export function longRoles(script: Script = {}) {
  return {
    draft: model("long-draft", 0, script),
    target: model("long-target", 1, script),
    reward: new ScriptedReward({ score: (_, steps) => (words.indexOf(steps.at(-1)!) % 2 === 0 ? 0.9 : 0.3) }),
  };
}

export function longRequest(roles: RunRequest["roles"]): RunRequest {
  return {
    method: rsd,
    question: "say a thousand words",
    roles,
    seed: 11,
    sampling: { temperature: 1 },
    maxSteps: 1000,
    maxTokens: 100_000,
    id: "long",
  };
}
