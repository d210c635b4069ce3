/** `demo:draft`, `demo:target` and `demo:reward`: scripted, without weights. */
import type { Model, ModelSize } from "../../core/model.js";
import { unknownName } from "../../core/registry.js";
import type { Reward } from "../../core/reward.js";
import type { Writer } from "../../core/search.js";
import { ScriptedModel } from "../../models/scripted.js";
import { ScriptedReward } from "../../models/scripted-reward.js";
import { paced } from "./paced-model.js";
import { continuations, question, rewardOf } from "./story.js";

export function isDemo(reference: string): boolean {
  return reference.startsWith("demo:");
}

/** Figures of a usual pair of 0.5 and 1.5 billion parameters, so that the ledger has natural proportions. */
const sizes: Readonly<Record<Writer, ModelSize>> = {
  draft: {
    parameters: 494e6,
    multiplied: 494e6,
    layers: 24,
    attentionWidth: 896,
    vocabulary: 2048,
    context: 8192,
    bytes: 398e6,
  },
  target: {
    parameters: 1544e6,
    multiplied: 1544e6,
    layers: 28,
    attentionWidth: 1536,
    vocabulary: 2048,
    context: 8192,
    bytes: 986e6,
  },
};

/** The target is as much slower than the draft as it is larger. */
const slowness = { draft: 1, target: sizes.target.multiplied / sizes.draft.multiplied };

export function openDemoModel(reference: string, pace = 0): Model {
  const writer = demoWriter(reference);
  const model = new ScriptedModel({
    name: `demo:${writer}`,
    law: { steps: (_, steps) => continuations(writer, steps) },
    pieces: words(),
    size: sizes[writer],
  });
  return pace > 0 ? paced(model, pace * slowness[writer]) : model;
}

/** A checker of sums: it needs no model, and costs no FLOPs worth counting. */
export function openDemoReward(reference: string): Reward {
  checkDemoReward(reference);
  return new ScriptedReward({
    name: "demo:reward",
    score: (_, steps) => rewardOf(steps),
    flopsPerByte: 0,
  });
}

/** Throws `unknown-name`. */
export function demoWriter(reference: string): Writer {
  return nameOf(reference, ["draft", "target"]) as Writer;
}

/** Throws `unknown-name`. */
export function checkDemoReward(reference: string): void {
  nameOf(reference, ["reward"]);
}

function nameOf(reference: string, names: readonly string[]): string {
  const name = reference.slice("demo:".length);
  if (!names.includes(name)) throw unknownName("demo model", name, names);
  return name;
}

/** The story's words as single tokens, so that a token is about as long as a real one. */
function words(): string[] {
  const texts = [question];
  for (const writer of ["draft", "target"] as const) {
    const steps: string[] = [];
    for (let done = false; !done; ) {
      const [choice] = continuations(writer, steps);
      steps.push(choice!.text);
      done = choice!.end === true;
    }
    texts.push(...steps);
  }
  const found = texts.join(" ").match(/ ?[\p{L}]+|[^\p{L}\d\s]/gu) ?? [];
  return [...new Set([...found, ".\n\n"])];
}
