/** Gives a model that answers at once the pace of a real one, so that a person can watch it write. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Branch, ExtendOptions, Extension, Model, OpenOptions } from "../../core/model.js";
import type { Passage } from "../../core/step.js";

/** The same model, a token every so many seconds. Its busy seconds are those of the pace. */
export function paced(model: Model, secondsPerToken: number): Model {
  const slow: Model = {
    name: model.name,
    fingerprint: model.fingerprint,
    vocabulary: model.vocabulary,
    // A tree written at once would have no pace.
    capabilities: new Set([...model.capabilities].filter((capability) => capability !== "tree")),
    size: model.size,
    tokenize: (text, options) => model.tokenize(text, options),
    detokenize: (tokens) => model.detokenize(tokens),
    renderChat: (messages, options) => model.renderChat(messages, options),
    open: async (prefix: Passage | string, options?: OpenOptions) =>
      pacedBranch(await model.open(prefix, options), slow, secondsPerToken),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
  return slow;
}

function pacedBranch(branch: Branch, model: Model, secondsPerToken: number): Branch {
  return {
    model,
    get length() {
      return branch.length;
    },
    fork: () => pacedBranch(branch.fork(), model, secondsPerToken),
    append: (passage, options) => branch.append(passage, options),
    extend: (options) => extendSlowly(branch, options, secondsPerToken),
    trim: (length) => branch.trim(length),
    drop: () => branch.drop(),
    [Symbol.asyncDispose]: () => branch[Symbol.asyncDispose](),
  };
}

async function extendSlowly(
  branch: Branch,
  options: ExtendOptions,
  secondsPerToken: number,
): Promise<Extension> {
  const pieces: string[] = [];
  const extension = await branch.extend({ ...options, onText: (piece) => pieces.push(piece) });
  const tokens = extension.tokens.length;
  for (let token = 0; token < tokens; token++) {
    await sleep(secondsPerToken * 1000, undefined, options.signal ? { signal: options.signal } : {});
    const piece = pieces[token];
    if (piece !== undefined) options.onText?.(piece);
  }
  for (const piece of pieces.slice(tokens)) options.onText?.(piece);
  return { ...extension, usage: { ...extension.usage, seconds: secondsPerToken * tokens } };
}
