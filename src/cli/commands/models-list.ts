import { z } from "zod";
import { type LocalModel, listModels } from "../../models/hub-inventory.js";
import { hubSettings } from "../../models/hub-settings.js";
import { defineCommand } from "../command.js";
import { jsonField } from "../fields.js";
import { describeModel } from "../model-description.js";
import { bytes, count, metric } from "../numbers.js";
import { tableLines } from "../table.js";
import { harmless } from "../terminal-text.js";

export default defineCommand({
  operands: "",
  operandLimit: 0,
  description:
    "Lists the model files in the Hugging Face cache (HF_HOME, HF_HUB_CACHE) and in the folders of STEPWRIGHT_MODELS (default ~/.cache/stepwright-models), and what is wrong with those that cannot be used.",
  examples: ["stepwright models list", "stepwright models list --json"],
  schema: z.object({ json: jsonField }),
  async run({ host, print, printJson, say, style }, { json }) {
    const hub = hubSettings(host.environment);
    const models = await listModels(hub);
    if (json) {
      printJson(models.map(({ model, ...found }) => ({ ...found, model: model && describeModel(model) })));
      return 0;
    }
    if (models.length === 0) {
      say(`No model files in ${[hub.cache, ...hub.folders].join(", ")}.`);
      return 0;
    }
    const titles = ["model", "file", "parameters", "weights", "context"];
    const columns = titles.map((title, index) => ({ title, align: index === 0 ? "left" : "right" }) as const);
    const [title, ...lines] = tableLines(columns, models.map(row));
    print(style.bold(title!));
    for (const line of lines) print(line);
    for (const { reference, error } of models) {
      if (error) print(style.red(harmless(`${reference}: ${error.message}`)));
    }
    return 0;
  },
});

function row({ reference, bytes: size, model }: LocalModel): string[] {
  const facts = model
    ? [metric(model.size.parameters), model.weightType, count(model.size.context)]
    : ["unusable"];
  return [harmless(reference), bytes(size), ...facts];
}
