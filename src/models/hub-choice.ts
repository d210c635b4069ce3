/** Which files of a repository a reference means. */
import { StepwrightError } from "../core/errors.js";
import { formatModelReference, type HubReference } from "./reference.js";

/** All parts of the chosen model in order, one for a file that is not split. Throws `model-not-found`. */
export function chooseFiles(reference: HubReference, files: readonly string[]): string[] {
  const { choice, repository } = reference;
  const models = files.filter((file) => /\.gguf$/i.test(file));
  if ("file" in choice) {
    if (!models.includes(choice.file))
      throw none(reference, `${repository} holds no file ${choice.file}`, models);
    return partsOf(choice.file, models, reference);
  }
  const pattern = quantPattern(choice.quant);
  const matching = models.filter((file) => pattern.test(file) && !/(^|[-._/])mmproj/i.test(file));
  const firsts = [...new Set(matching.map((file) => partsOf(file, models, reference)[0]!))];
  if (firsts.length === 0) throw none(reference, `${repository} holds no ${choice.quant}`, models);
  if (firsts.length > 1) {
    throw new StepwrightError("model-not-found", `${choice.quant} names several files of ${repository}`, {
      subject: formatModelReference(reference),
      remedy: `name one: ${listing(firsts)}`,
    });
  }
  return partsOf(firsts[0]!, models, reference);
}

/** The quantization as a whole word of a file's name: `Q4` is not `Q4_K_M`, `Q4_XS` is not `IQ4_XS`. */
function quantPattern(quant: string): RegExp {
  // An underscore comes before whole names (model_Q4_0) and inside them (Q4_K_M).
  const before = /^(ud-)?(i?q|tq|b?f|fp|mxfp|nvfp)\d/i.test(quant) ? "[-._/]" : "[-./]";
  return new RegExp(`(^|${before})${quant.replace(/[.-]/g, "\\$&")}([-./]|$)`, "i");
}

/** The parts that a split model's file belongs to, or the file itself. */
function partsOf(file: string, files: readonly string[], reference: HubReference): string[] {
  const match = /^(.*)-\d{5}-of-(\d{5})\.gguf$/i.exec(file);
  if (!match) return [file];
  const [, prefix, count] = match;
  const parts = Array.from({ length: Number(count) }, (_, index) => {
    const part = `${prefix}-${String(index + 1).padStart(5, "0")}-of-${count}.gguf`;
    return files.find((other) => other.toLowerCase() === part.toLowerCase());
  });
  if (parts.length > 0 && parts.every((part) => part !== undefined)) return parts;
  throw none(reference, `${reference.repository} lacks a part of ${file}`, files);
}

function none(reference: HubReference, message: string, models: readonly string[]): StepwrightError {
  return new StepwrightError("model-not-found", message, {
    subject: formatModelReference(reference),
    remedy: models.length === 0 ? "give a repository of .gguf files" : `it holds ${listing(models)}`,
  });
}

function listing(files: readonly string[]): string {
  const shown = files.slice(0, 30).join(", ");
  return files.length > 30 ? `${shown} and ${files.length - 30} more` : shown;
}
