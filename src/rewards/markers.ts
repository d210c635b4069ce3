/** The tokens that a reward model was trained on, looked up in its own vocabulary; never by a number from a paper. */
import { StepwrightError } from "../core/errors.js";
import type { Model } from "../core/model.js";
import type { Token } from "../core/step.js";

/**
 * The one id of a marker that is written after text (" ки", "<extra_0>"). Throws `reward-invalid` where this
 * vocabulary has no such token. Looked up after a letter, because many tokenizers add a space at the start.
 */
export async function markerToken(
  model: Model,
  marker: string,
  options: { special: boolean },
): Promise<Token> {
  const [alone, marked] = await Promise.all([
    model.tokenize("a", options),
    model.tokenize(`a${marker}`, options),
  ]);
  const extends_ =
    marked.length === alone.length + 1 && alone.every((token, index) => marked[index] === token);
  if (!extends_) throw notOneToken(model, "step marker", marker, marked.length - alone.length);
  return marked.at(-1)!;
}

/** The one id of a label. Throws `reward-invalid`. */
export async function labelToken(model: Model, label: string): Promise<Token> {
  const ids = await model.tokenize(label);
  if (ids.length !== 1) throw notOneToken(model, "label", label, ids.length);
  return ids[0]!;
}

/** Ids of a template's own opening text. Throws `reward-invalid` where it is not one special token. */
export async function beginTokens(model: Model, begin: string): Promise<readonly Token[]> {
  if (begin === "") return [];
  const ids = await model.tokenize(begin, { special: true });
  if (ids.length !== 1) throw notOneToken(model, "opening token", begin, ids.length);
  return ids;
}

/** Ids of those spellings that are one token here. */
export async function spellings(model: Model, words: readonly string[]): Promise<Token[]> {
  const ids = await Promise.all(
    words.flatMap((word) => [word, ` ${word}`]).map((word) => model.tokenize(word)),
  );
  return [...new Set(ids.filter((each) => each.length === 1).map((each) => each[0]!))];
}

/**
 * The text with every stand-alone occurrence of the marker broken by a space, so that a question or a step
 * cannot plant marks of its own. Words that merely contain a marker made of letters are left alone.
 */
export function breakMarkers(text: string, marker: string): string {
  const core = marker.trim();
  if (core.length < 2 || !text.includes(core)) return text;
  const before = /^\p{L}/u.test(core) ? "(?<!\\p{L})" : "";
  const after = /\p{L}$/u.test(core) ? "(?!\\p{L})" : "";
  const literal = core.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const [first] = core;
  return text.replace(
    new RegExp(`${before}${literal}${after}`, "gu"),
    () => `${first} ${core.slice(first!.length)}`,
  );
}

function notOneToken(model: Model, what: string, text: string, count: number): StepwrightError {
  return new StepwrightError(
    "reward-invalid",
    `the ${what} ${JSON.stringify(text)} is ${count} tokens in the vocabulary of ${model.name}, and must be one`,
    {
      subject: model.name,
      remedy:
        "this model was not trained for this format: choose its preset, or use judge: with a chat model",
    },
  );
}
