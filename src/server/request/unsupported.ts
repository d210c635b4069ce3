/** What OpenAI's and the engines' APIs know and this server does not: refused where it asks for something. */
import { ApiError } from "../api-error.js";
import type { JsonObject } from "../body.js";

const isEmpty = (value: unknown) => typeof value === "object" && Object.keys(value as object).length === 0;
const isFalse = (value: unknown) => value === false || value === "" || value === 0;
const never = () => false;

/** Field -> whether a value asks for nothing. Ignoring a constraint would hand out answers that break it. */
const neutral: Readonly<Record<string, (value: unknown) => boolean>> = {
  tools: isEmpty,
  tool_choice: (value) => value === "none" || value === "auto",
  functions: isEmpty,
  function_call: (value) => value === "none" || value === "auto",
  response_format: (value) => (value as { type?: unknown }).type === "text",
  structured_outputs: isEmpty,
  grammar: isFalse,
  json_schema: isEmpty,
  guided_json: never,
  guided_regex: never,
  guided_choice: never,
  guided_grammar: never,
  logit_bias: isEmpty,
  top_logprobs: isFalse,
  frequency_penalty: isFalse,
  presence_penalty: isFalse,
  modalities: (value) => JSON.stringify(value) === '["text"]',
  audio: never,
  prediction: never,
  web_search_options: never,
  best_of: (value) => value === 1,
  echo: isFalse,
  suffix: isFalse,
};

/** Throws 400 `unsupported_parameter`. */
export function refuseUnsupported(body: JsonObject): void {
  for (const [field, asksNothing] of Object.entries(neutral)) {
    const value = body[field];
    if (value === undefined || value === null || asksNothing(value)) continue;
    throw new ApiError(400, "unsupported_parameter", `${field} is not supported`, {
      param: field,
      remedy: "leave it out; docs/server.md lists what is supported",
    });
  }
}

/** Fields without meaning here, which clients send all the same. */
const harmless = new Set([
  ...["user", "metadata", "store", "service_tier", "parallel_tool_calls", "safety_identifier"],
  ...["prompt_cache_key", "prompt_cache_retention"],
]);

/** Names of fields that nobody reads here, fit for a header. */
export function ignoredFields(body: JsonObject, known: readonly string[]): string[] {
  return Object.keys(body)
    .filter((field) => !known.includes(field) && !harmless.has(field) && !Object.hasOwn(neutral, field))
    .map((field) => (/^[\w.-]{1,64}$/.test(field) ? field : "?"))
    .slice(0, 20);
}
