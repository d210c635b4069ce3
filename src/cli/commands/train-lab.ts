import { resolve } from "node:path";
import { z } from "zod";
import { labFamily } from "../../train/lab/family.js";
import { trainFamily } from "../../train/train-family.js";
import { defineCommand } from "../command.js";
import { jsonField } from "../fields.js";
import { count, metric } from "../numbers.js";
import { createTrainingProgress } from "../training-progress.js";

export default defineCommand({
  operands: "",
  operandLimit: 0,
  description:
    "Trains the lab's models from nothing, on one thread: GGUF files that any llama.cpp loads, with a log each. The same recipe gives the same weights. A training that was stopped goes on where it was when the command is given again.",
  examples: ["stepwright train lab", "stepwright train lab --model draft,target --out lab-models"],
  schema: z.object({
    model: z
      .string()
      .optional()
      .describe(`Models to train, separated by commas; default all: ${Object.keys(labFamily).join(", ")}.`),
    out: z.string().default("lab-models").describe("Folder for models, logs and checkpoints."),
    safetensors: z
      .boolean()
      .default(false)
      .describe("Also write each model as a folder that transformers and vLLM load."),
    json: jsonField,
  }),
  async run({ host, signal, print, printJson }, { model, out, safetensors, json }) {
    using progress = createTrainingProgress(host.talk);
    const models = model?.split(",").map((name) => name.trim());
    const trained = [];
    const options = {
      folder: resolve(host.workingFolder, out),
      models,
      hubFolders: safetensors,
      signal,
      onProgress: progress.show,
    };
    for await (const member of trainFamily(labFamily, options)) {
      trained.push(member);
      if (json) continue;
      const { path, parameters, tokens, seconds, sha256 } = member;
      print(`${path}  ${metric(parameters)} parameters, ${count(tokens)} tokens in ${Math.round(seconds)} s`);
      print(`  sha256 ${sha256}`);
    }
    if (json) printJson(trained);
    return 0;
  },
});
