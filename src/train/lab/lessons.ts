/** What the lab's models are shown: questions with worked answers, laid out as the chat template does. */
import type { GeneratedTask } from "../../tasks/task.js";
import type { TrainingSet } from "../model-recipe.js";
import type { LabTokenizer } from "./vocabulary.js";

/** One question of each task in turn, over and over: a task may stand in the list more than once. */
export function lessons({ encode, control }: LabTokenizer, tasks: readonly GeneratedTask[]): TrainingSet {
  return (index) => {
    const task = tasks[index % tasks.length]!;
    const { question, steps } = task.generate(index % task.trainingSize);
    const prompt = [control.question, ...encode(question), control.answer];
    return {
      tokens: [...prompt, ...encode(steps!.join("\n\n")), control.end],
      lossFrom: prompt.length,
    };
  };
}
