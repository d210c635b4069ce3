/**
 * A provider for the AI SDK: models of a stepwright server, with method, options and budget as settings, and what the
 * search cost as provider metadata. Implements specification v3, which `ai` 6 and 7 take; its types come from
 * `@ai-sdk/provider`, which every user of `ai` has, and nothing of it is loaded at run time.
 */
import type { LanguageModelV3, ProviderV3 } from "@ai-sdk/provider";
import { type ConnectionSettings, connect } from "./connection.js";
import { createLanguageModel, type ModelSettings } from "./language-model.js";

export type { ConnectionSettings } from "./connection.js";
export type { ModelSettings } from "./language-model.js";

export interface StepwrightProvider extends Omit<ProviderV3, "languageModel"> {
  /** A preset (`rsd/default`), a pair's name, or `draft` and `target` alone. */
  (model?: string, settings?: ModelSettings): LanguageModelV3;
  languageModel(model?: string, settings?: ModelSettings): LanguageModelV3;
}

/** `baseURL`: the server's address with `/v1`; default: STEPWRIGHT_URL, else http://127.0.0.1:8080/v1. */
export function createStepwright(settings: ConnectionSettings = {}): StepwrightProvider {
  const connection = connect(settings);
  const languageModel = (model = "default", given: ModelSettings = {}) =>
    createLanguageModel(connection, model, given);
  const without = (kind: string) => (): never => {
    throw new Error(`stepwright serves no ${kind}`);
  };
  return Object.assign((model?: string, given?: ModelSettings) => languageModel(model, given), {
    specificationVersion: "v3" as const,
    languageModel,
    embeddingModel: without("embeddings"),
    imageModel: without("images"),
  });
}
