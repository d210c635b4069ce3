import { z } from "zod";
import { StepwrightError } from "../../core/errors.js";
import { pullModel } from "../../models/hub.js";
import { hubSettings } from "../../models/hub-settings.js";
import { parseModelReference } from "../../models/reference.js";
import { defineCommand } from "../command.js";
import { createProgress } from "../download-progress.js";
import { jsonField } from "../fields.js";
import { requiredOperand } from "../operands.js";

export default defineCommand({
  operands: "MODEL",
  operandLimit: 1,
  description:
    "Downloads a model file from the Hugging Face hub into its shared cache, checks its hash, and prints where it lies. A download that was cut goes on where it stopped. HF_TOKEN is sent for private models, HF_ENDPOINT names another hub.",
  examples: [
    "stepwright models pull hf:owner/repository:Q4_K_M",
    "stepwright models pull hf:owner/repository/file.gguf",
  ],
  schema: z.object({
    offline: z.boolean().default(false).describe("Refuse to use the network."),
    json: jsonField,
  }),
  async run({ host, signal, print, printJson }, { offline, json }, operands) {
    const text = requiredOperand(operands, "MODEL", "a model as hf:owner/repository:quant");
    const reference = parseModelReference(text);
    if (reference.kind !== "hub") {
      throw new StepwrightError("invalid-option", `"${text}" is not on the hub`, {
        subject: "MODEL",
        remedy: "write hf:owner/repository:quant or hf:owner/repository/file.gguf",
      });
    }
    const settings = hubSettings(host.environment);
    using progress = createProgress(host.talk);
    const pulled = await pullModel(reference, {
      settings,
      signal,
      ...(offline ? { offline } : {}),
      onProgress: progress.show,
    });
    if (json) printJson(pulled);
    else print(pulled.path);
    return 0;
  },
});
