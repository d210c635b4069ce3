import { z } from "zod";
import { checkModelFile } from "../../models/gguf/check.js";
import { fingerprint } from "../../models/gguf/fingerprint.js";
import { resolveModelFile } from "../../models/hub-inventory.js";
import { hubSettings } from "../../models/hub-settings.js";
import { parseModelReference } from "../../models/reference.js";
import { openRemote } from "../../models/remote/index.js";
import { defineCommand } from "../command.js";
import { jsonField } from "../fields.js";
import { describeModel, describeRemote, modelLines, remoteLines } from "../model-description.js";
import { requiredOperand } from "../operands.js";
import { lastingModel } from "../references.js";

export default defineCommand({
  operands: "MODEL",
  operandLimit: 1,
  description:
    "Says what a model file holds: architecture, size, context, memory it will need, tokenizer and chat template. Reads the header only, and checks it as before loading. Of a model behind a server: what the server is, and what it offers.",
  examples: [
    "stepwright models info model.gguf",
    "stepwright models info hf:owner/repository:Q4_K_M --json",
    "stepwright models info http://host:port/v1#model",
  ],
  schema: z.object({ json: jsonField }),
  async run({ host, print, printJson, signal }, { json }, operands) {
    const hub = hubSettings(host.environment);
    const reference = requiredOperand(operands, "MODEL", "a model file or hf: reference");
    const parsed = parseModelReference(reference);
    if (parsed.kind === "remote") {
      const sizeOf = async (file: string) => (await checkModelFile(await resolveModelFile(file, hub))).size;
      const model = await openRemote(parsed, { sizeOf, signal });
      if (json) printJson(describeRemote(model));
      else for (const line of remoteLines(model)) print(line);
      return 0;
    }
    const path = await resolveModelFile(await lastingModel(reference, host.workingFolder, hub), hub);
    const model = await checkModelFile(path);
    if (json) printJson({ ...describeModel(model), fingerprint: await fingerprint(model.parts) });
    else for (const line of modelLines(model)) print(line);
    return 0;
  },
});
