/** What a header says about its tokenizer, and the faults in it that would abort libllama. */
import { invalidModel, shown } from "./header-reader.js";
import type { Metadata } from "./metadata.js";
import type { GgufHeader } from "./read.js";

export interface SpecialToken {
  readonly id: number;
  readonly text: string;
}

export interface TokenizerFacts {
  /** `gpt2`, `llama`, ... */
  readonly model: string;
  readonly preTokenizer: string | null;
  /** Number of tokens. */
  readonly count: number;
  readonly begin: SpecialToken | null;
  readonly end: SpecialToken | null;
  readonly addsBegin: boolean;
  /** Control and user-defined tokens: the ones that special parsing finds in text. */
  readonly special: readonly SpecialToken[];
  /** Texts of the control tokens alone: what message contents must not forge. */
  readonly controlTexts: readonly string[];
}

const controlType = 3;
const userDefinedType = 4;

export function readTokenizer(metadata: Metadata, header: GgufHeader, name: string): TokenizerFacts {
  const model = metadata.text("tokenizer.ggml.model");
  // libllama loads a model that declares it has none, and aborts when it is given text.
  if (model === undefined || model === "no_vocab" || model === "none") {
    throw invalidModel(name, "it has no tokenizer", "give a model that reads and writes text");
  }
  const { tokens, tokenTypes } = header;
  if (tokens === null || tokens.length === 0) throw invalidModel(name, "its tokenizer has no tokens");
  checkDistinct(tokens, name);
  if (model === "llama") checkBytes(tokens, name);
  for (const key of ["token_type", "scores"]) {
    const entry = metadata.values.get(`tokenizer.ggml.${key}`);
    if (entry !== undefined && (entry.type !== "array" || entry.count < tokens.length)) {
      throw invalidModel(name, `its tokenizer has ${tokens.length} tokens but no ${key} for each`);
    }
  }
  const merges = metadata.values.get("tokenizer.ggml.merges");
  if (merges !== undefined && (merges.type !== "array" || merges.of !== "string")) {
    throw invalidModel(name, "its tokenizer's merges are not a list of texts");
  }
  const named = (key: string, usual: number | undefined): SpecialToken | null => {
    const id = metadata.integer(`tokenizer.ggml.${key}_token_id`) ?? usual;
    // Files say "none" by an id outside the vocabulary, and libllama reads it so.
    return id === undefined || id < 0 || id >= tokens.length ? null : { id, text: plainText(tokens[id]!) };
  };
  // SentencePiece vocabularies may leave these two to custom.
  const begin = named("bos", model === "llama" ? 1 : undefined);
  const adds = metadata.flag("tokenizer.ggml.add_bos_token") ?? model === "llama";
  return {
    model,
    preTokenizer: metadata.text("tokenizer.ggml.pre") ?? null,
    count: tokens.length,
    begin,
    end: named("eos", model === "llama" ? 2 : undefined),
    addsBegin: adds && begin !== null,
    special: tokens.flatMap((text, id) => {
      const type = tokenTypes?.[id];
      return type === controlType || type === userDefinedType ? [{ id, text: plainText(text) }] : [];
    }),
    controlTexts: tokens.filter((_, id) => tokenTypes?.[id] === controlType).map(plainText),
  };
}

function checkDistinct(tokens: readonly string[], name: string): void {
  if (new Set(tokens).size === tokens.length) return;
  const seen = new Map<string, number>();
  for (const [id, text] of tokens.entries()) {
    const before = seen.get(text);
    // libllama gives empty tokens names of their own.
    if (before !== undefined && text !== "") {
      throw invalidModel(name, `its tokens ${before} and ${id} are both ${shown(plainText(text))}`);
    }
    seen.set(text, id);
  }
}

/** A SentencePiece vocabulary spells unknown text in bytes; libllama aborts on one that is missing. */
function checkBytes(tokens: readonly string[], name: string): void {
  const known = new Set(tokens);
  for (let byte = 0; byte < 256; byte++) {
    const token = `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
    if (!known.has(token) && !known.has(String.fromCharCode(byte))) {
      throw invalidModel(name, `its tokenizer lacks the token ${token}`);
    }
  }
}

/** Bytes kept one per character, back to text. */
function plainText(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
