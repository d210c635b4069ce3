/** Reads what a loaded model says about itself. */
import type { Native } from "./load.js";

/** Metadata strings longer than this are cut; chat templates have their own field. */
const longestValue = 4096;
/** Values libllama renders for arrays: whole vocabularies would come with them. */
const arrayValue = /^\[/;

/** Calls `write` with a growing buffer until the text fits; undefined where there is no such text. */
function readText(write: (buffer: Buffer, size: number) => number, limit: number): string | undefined {
  let buffer = Buffer.alloc(Math.min(256, limit + 1));
  const length = write(buffer, buffer.length);
  if (length < 0) return undefined;
  if (length >= buffer.length && buffer.length <= limit) {
    buffer = Buffer.alloc(Math.min(length, limit) + 1);
    write(buffer, buffer.length);
  }
  return buffer.toString("utf8", 0, Math.min(length, buffer.length - 1));
}

/** The metadata of the file by key: arrays left out, long strings cut. */
export function readMetadata(native: Native, model: bigint): Record<string, string> {
  const metadata: Record<string, string> = Object.create(null);
  const count = native.llama_model_meta_count(model);
  for (let index = 0; index < count; index++) {
    const key = readText(
      (buffer, size) => native.llama_model_meta_key_by_index(model, index, buffer, size),
      256,
    );
    const value = readText(
      (buffer, size) => native.llama_model_meta_val_str_by_index(model, index, buffer, size),
      longestValue,
    );
    if (key !== undefined && value !== undefined && !arrayValue.test(value)) metadata[key] = value;
  }
  return metadata;
}

export function readDescription(native: Native, model: bigint): string {
  return readText((buffer, size) => native.llama_model_desc(model, buffer, size), 256) ?? "";
}

/** Size of one attention head: stated, or the width divided over the heads. */
export function readHeadSize(
  metadata: Readonly<Record<string, string>>,
  width: number,
  heads: number,
): number {
  const stated = Number(metadata[`${metadata["general.architecture"]}.attention.key_length`]);
  return Number.isInteger(stated) && stated > 0 ? stated : Math.floor(width / Math.max(1, heads));
}

/** The tokenizer's own keys, in order: part of what a vocabulary is known by. */
export function tokenizerMetadata(metadata: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata)
      .filter(([key]) => key.startsWith("tokenizer.ggml."))
      .sort(([left], [right]) => (left < right ? -1 : 1)),
  );
}
