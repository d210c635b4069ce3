/** Scripted models that answer every question with its own words, so that answers that were mixed up or cut show. */
import type { RunRoles } from "../core/run.js";
import { ScriptedModel } from "../models/scripted.js";
import type { Script } from "../models/scripted-faults.js";
import type { StepChoice } from "../models/scripted-law.js";
import { ScriptedReward } from "../models/scripted-reward.js";

export interface EchoWorld {
  readonly draft: ScriptedModel;
  readonly target: ScriptedModel;
  readonly reward: ScriptedReward;
  readonly roles: Required<RunRoles>;
  /** Branches and scorers that are open now. */
  live(): number;
}

export interface EchoOptions extends Script {
  /** Tokens that fit a branch; default 8192. */
  readonly context?: number;
  /** Further texts that are one token each. */
  readonly words?: readonly string[];
}

const fillers = ["take", "one", "more", "look", "at", "what", "was", "asked"].map((word) => ` ${word}`);

/** `nonce` in so many steps: the form of question that this world answers. */
export function echoQuestion(nonce: string, steps: number): string {
  return `Echo ${nonce} in ${steps} steps.`;
}

/** The steps of the right answer: what the target writes, and what is left where the draft is caught at every slip. */
export function echoAnswer(question: string): string {
  const { nonce, count } = asked(question);
  return Array.from({ length: count }, (_, index) => stepText(nonce, index, count)).join("");
}

/** The draft slips at every third step: the reward sees it, and the target writes that step anew. */
export function echoWorld({ context, words = [], ...script }: EchoOptions = {}): EchoWorld {
  const model = (name: string, slips: boolean) =>
    new ScriptedModel({
      ...script,
      name,
      pieces: [...words, ...fillers, "\n\n", " of ", "Step ", "Slip "],
      ...(context !== undefined && { size: { context } }),
      law: { steps: (question, steps) => [next(question, steps.length, slips)] },
    });
  const draft = model("echo-draft", true);
  const target = model("echo-target", false);
  const reward = new ScriptedReward({
    name: "echo-reward",
    score: (_, steps) => (steps.at(-1)!.startsWith("Slip") ? 0.1 : 0.9),
  });
  return {
    draft,
    target,
    reward,
    roles: { draft, target, reward },
    live: () => draft.liveBranches + target.liveBranches + reward.liveScorers,
  };
}

function next(question: string, index: number, slips: boolean): StepChoice {
  const { nonce, count } = asked(question);
  const text = stepText(nonce, index, count);
  const isSlip = slips && index % 3 === 2;
  return { text: isSlip ? text.replace("Step", "Slip") : text, probability: 1, end: index >= count - 1 };
}

function stepText(nonce: string, index: number, count: number): string {
  const end = index >= count - 1 ? `: \\boxed{${nonce}}` : "\n\n";
  return `Step ${index + 1} of ${nonce}${fillers.join("")}${end}`;
}

function asked(question: string): { nonce: string; count: number } {
  const found = /Echo (\S+) in (\d+) steps/.exec(question);
  return { nonce: found?.[1] ?? "nothing", count: Number(found?.[2] ?? 1) };
}
