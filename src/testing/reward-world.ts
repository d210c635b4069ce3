/** Questions, a draft that is unsure where it is likely to be wrong, and the training of a reward for it, without weights. */
import { namedEntry } from "../core/named-text.js";
import { blankLine } from "../core/step.js";
import plainDraft from "../methods/draft.js";
import { ScriptedModel } from "../models/scripted.js";
import type { Script } from "../models/scripted-faults.js";
import type { StepChoice } from "../models/scripted-law.js";
import type { TaskQuestion } from "../tasks/task.js";
import { featureSets } from "../train/reward/feature-sets.js";
import { labelSources } from "../train/reward/labels/index.js";
import type { RewardTraining, WantedLabels } from "../train/reward/training.js";
import { scriptedAnnotator } from "./scripted-annotator.js";

const workSteps = 3;

export function rewardQuestions(count: number): TaskQuestion[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `q${index}`,
    question: `What is ${index} plus 1?`,
    reference: String(index + 1),
    steps: Array.from({ length: workSteps }, (_, step) => `sound work ${step}`),
  }));
}

/** How sure a model is of its next step: of some steps nearly, of others hardly. `skill` from 0 to 1 brings it nearer to 1. */
function certainty(number: number, step: number, skill: number): number {
  const ease = [0.45, 0.97, 0.9, 0.65, 0.99][(7 * number + 3 * step) % 5]!;
  return ease + skill * (1 - ease);
}

/** Steps of work, each sound or not; the answer is right if all are. */
export function worker(name: string, skill: number, script: Script = {}): ScriptedModel {
  const sound = ({ question, steps }: { readonly question: string; readonly steps: readonly string[] }) =>
    certainty(Number(/\d+/.exec(question)?.[0] ?? 0), steps.length, skill);
  return new ScriptedModel({
    ...script,
    name,
    pieces: ["sound work", "poor work", "\n\n"],
    law: {
      steps: (question, steps): StepChoice[] => {
        if (steps.length < workSteps) {
          const right = sound({ question, steps });
          return [
            { text: `sound work ${steps.length}\n\n`, probability: right },
            { text: `poor work ${steps.length}\n\n`, probability: 1 - right },
          ];
        }
        const answer = Number(/\d+/.exec(question)?.[0] ?? 0) + 1;
        const isRight = steps.every((step) => step.startsWith("sound"));
        return [{ text: `So \\boxed{${isRight ? answer : answer + 1}}.`, probability: 1, end: true }];
      },
    },
    hidden: (answer) => [sound(answer), answer.tokens.length / 10, answer.steps.length],
  });
}

export interface RewardWorldOptions extends Partial<Omit<RewardTraining, "labels" | "features">> {
  readonly questions?: number;
  /** As on the command line. */
  readonly labels?: readonly string[];
  /** Names of feature sets. */
  readonly features?: readonly string[];
  readonly script?: Script;
}

/** A training whose task checks steps. */
export async function rewardTraining(
  folder: string,
  { questions = 40, labels = ["check"], features = ["statistics"], script, ...rest }: RewardWorldOptions = {},
): Promise<RewardTraining> {
  const wanted = await Promise.all(
    labels.map(async (text): Promise<WantedLabels> => {
      const { entry, options } = await namedEntry(labelSources, "source of labels", text);
      return { source: entry, options };
    }),
  );
  return {
    folder,
    task: {
      name: "folder/world.jsonl",
      questions: rewardQuestions(questions),
      grade: async ({ reference }, text) => ({ correct: text.includes(`boxed{${reference}}`) }),
      checkStep: (_, before, step) =>
        before.length < workSteps ? step.startsWith("sound") : before.every((one) => one.startsWith("sound")),
    },
    draft: worker("draft", 0, script),
    target: worker("target", 0.8, script),
    annotator: scriptedAnnotator({ isRight: ({ steps }, place) => !steps[place]!.startsWith("poor") }),
    writer: plainDraft,
    system: "reason",
    ...{ splitter: blankLine, splitterName: "blank-line" },
    ...{ maxTokens: 200, samples: 3, temperature: 1, seed: 0, concurrency: 4, heldOut: 0.25 },
    labels: wanted as [WantedLabels, ...WantedLabels[]],
    features: features.map((name) => featureSets.find((set) => set.name === name)!) as never,
    ...{ kind: "linear", calibration: "temperature", threshold: { rule: "budget", share: 0.3 } },
    targetAnswers: 100,
    ...rest,
  };
}
