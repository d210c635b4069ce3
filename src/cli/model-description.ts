/** A model file as data and as lines for people. Nothing here needs the weights. */
import type { ModelFile } from "../models/gguf/check.js";
import { estimateMemory } from "../models/gguf/size.js";
import type { RemoteModel } from "../models/remote/index.js";
import { bytes, count, metric } from "./numbers.js";
import { tableLines } from "./table.js";
import { harmless } from "./terminal-text.js";

/** The context that models are opened with unless another is asked for. */
const usualContext = 4096;

export function describeModel(model: ModelFile) {
  const { architecture, title, size, width, weightType, tokenizer, chatTemplate, path, parts } = model;
  const cells = Math.min(usualContext, size.context);
  return {
    path,
    title,
    architecture,
    weightType,
    size: { ...size, width },
    parts: parts.length,
    fileBytes: parts.reduce((sum, part) => sum + part.bytes, 0),
    bytesPerContextToken: model.bytesPerContextToken,
    memory: { context: cells, ...estimateMemory(model, { cells }) },
    tokenizer: tokenizer && { ...tokenizer, special: tokenizer.special.length, controlTexts: undefined },
    chatTemplate: chatTemplate !== null,
  };
}

export function modelLines(model: ModelFile): string[] {
  const described = describeModel(model);
  const { size, memory } = described;
  const rows = [
    ["name", harmless(described.title ?? "none")],
    [
      "file",
      `${described.path}, ${bytes(described.fileBytes)}${described.parts > 1 ? ` in ${described.parts} parts` : ""}`,
    ],
    ["architecture", harmless(described.architecture)],
    [
      "parameters",
      `${metric(size.parameters)}, of which a token's pass multiplies ${metric(size.multiplied)}`,
    ],
    ["weights", described.weightType],
    ["shape", `${size.layers} layers, width ${size.width}, attention width ${size.attentionWidth}`],
    ["vocabulary", count(size.vocabulary)],
    ["context", `${count(size.context)} tokens, ${bytes(described.bytesPerContextToken)} of cache each`],
    ["memory", `about ${bytes(memory.total)} with a context of ${count(memory.context)}`],
    ["chat template", described.chatTemplate ? "yes" : "none: a plain form is used"],
  ];
  return tableLines([{ title: "" }, { title: "" }], rows).slice(1);
}

export function describeRemote({ name, server, capabilities, size, fingerprint }: RemoteModel) {
  return { name, server, capabilities: [...capabilities], size, fingerprint };
}

export function remoteLines(model: RemoteModel): string[] {
  const { size, capabilities } = model;
  const rows = [
    ["name", harmless(model.name)],
    ["server", `${model.server} at ${model.client.origin}`],
    ["offers", [...capabilities].join(", ")],
    ["parameters", `${metric(size.parameters)}, all counted as multiplied`],
    ["shape", `${size.layers} layers, attention width ${size.attentionWidth}, as told or estimated`],
    ["context", `${count(size.context)} tokens`],
  ];
  return tableLines([{ title: "" }, { title: "" }], rows).slice(1);
}
