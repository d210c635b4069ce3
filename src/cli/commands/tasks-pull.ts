import { z } from "zod";
import { StepwrightError } from "../../core/errors.js";
import { pullDataset } from "../../models/hub-dataset.js";
import { hubSettings } from "../../models/hub-settings.js";
import { tasks } from "../../tasks/index.js";
import { isGenerated } from "../../tasks/task.js";
import { taskReader } from "../bench-task.js";
import { defineCommand } from "../command.js";
import { createProgress } from "../download-progress.js";
import { jsonField } from "../fields.js";
import { requiredOperand } from "../operands.js";

export default defineCommand({
  operands: "TASK",
  operandLimit: 1,
  description:
    "Downloads a task's questions from the Hugging Face hub into its shared cache, checks the file's hash, reads every question, and prints where it lies. HF_TOKEN is sent for data sets whose terms must be accepted, HF_ENDPOINT names another hub.",
  examples: ["stepwright tasks pull math500", "stepwright tasks pull gsm8k --json"],
  schema: z.object({
    offline: z.boolean().default(false).describe("Refuse to use the network."),
    json: jsonField,
  }),
  async run({ host, signal, print, printJson, say }, { offline, json }, operands) {
    const task = await tasks.get(
      requiredOperand(operands, "TASK", "a task; stepwright tasks list shows them"),
    );
    if (isGenerated(task)) {
      throw new StepwrightError("invalid-option", `${task.name} is made from indices: nothing to download`, {
        subject: task.name,
        remedy: `stepwright bench --task ${task.name} --offset 700000 --limit 300`,
      });
    }
    const settings = hubSettings(host.environment);
    using progress = createProgress(host.talk);
    const pulled = await pullDataset(task.source, {
      settings,
      signal,
      ...(offline ? { offline } : {}),
      onProgress: progress.show,
    });
    const { questions, problems } = await taskReader(task, pulled.path);
    say(`${task.licence}; ${questions.length} questions of ${task.size} can be used`);
    if (json) {
      const { path, commit, file } = pulled;
      printJson({ task: task.name, path, commit, file, questions: questions.length, problems });
    } else print(pulled.path);
    return 0;
  },
});
