/** One model of a stepwright server as the AI SDK's language model. */
import type {
  JSONObject,
  LanguageModelV3,
  LanguageModelV3CallOptions,
  LanguageModelV3FinishReason,
  LanguageModelV3StreamPart,
  LanguageModelV3Usage,
  SharedV3ProviderMetadata,
} from "@ai-sdk/provider";
import type { Connection } from "./connection.js";
import { requestOf } from "./request.js";

/** The request's `stepwright` object, as docs/server.md tells it. `providerOptions.stepwright` of a call comes on top. */
export interface ModelSettings {
  readonly method?: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly budget?: Readonly<Record<string, number>>;
  readonly [name: string]: unknown;
}

interface Told {
  readonly id?: string;
  readonly created?: number;
  readonly model?: string;
  readonly choices?: readonly {
    readonly delta?: { readonly content?: string };
    readonly message?: { readonly content?: string };
    readonly finish_reason?: string | null;
    readonly stepwright?: JSONObject;
  }[];
  readonly usage?: JSONObject & {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly completion_tokens_details?: JSONObject;
  };
  readonly timings?: JSONObject;
  /** Beside the chunks, where the caller asked for provisional steps. */
  readonly stepwright?: JSONObject;
}

export function createLanguageModel(
  connection: Connection,
  modelId: string,
  settings: ModelSettings,
): LanguageModelV3 {
  const sent = (options: LanguageModelV3CallOptions, streamed: boolean) => {
    const { body, warnings } = requestOf(modelId, settings, options, streamed);
    return { body, warnings, headers: options.headers, signal: options.abortSignal };
  };
  return {
    specificationVersion: "v3",
    provider: "stepwright",
    modelId,
    supportedUrls: {},
    async doGenerate(options) {
      const { warnings, ...request } = sent(options, false);
      const { value, headers } = await connection.ask(request);
      const told = value as Told;
      const choice = told.choices?.[0];
      return {
        content: [{ type: "text", text: choice?.message?.content ?? "" }],
        finishReason: finishOf(choice?.finish_reason),
        usage: usageOf(told),
        providerMetadata: metadataOf(told, choice?.stepwright),
        request: { body: request.body },
        response: { ...responseOf(told), headers, body: value },
        warnings,
      };
    },
    async doStream(options) {
      const { warnings, ...request } = sent(options, true);
      const { events, headers } = await connection.stream(request);
      const parts = partsOf(events, warnings, options.includeRawChunks === true);
      return { stream: readable(parts), request: { body: request.body }, response: { headers } };
    },
  };
}

type Warnings = Extract<LanguageModelV3StreamPart, { type: "stream-start" }>["warnings"];

async function* partsOf(
  events: AsyncIterable<unknown>,
  warnings: Warnings,
  raw: boolean,
): AsyncGenerator<LanguageModelV3StreamPart> {
  yield { type: "stream-start", warnings };
  let started = false;
  let last: Told = {};
  let search: JSONObject | undefined;
  let finish: string | null | undefined;
  for await (const event of events) {
    if (raw) yield { type: "raw", rawValue: event };
    const told = event as Told;
    last = { ...last, ...told };
    const choice = told.choices?.[0];
    const text = choice?.delta?.content ?? "";
    if (!started) {
      yield { type: "response-metadata", ...responseOf(told) };
      yield { type: "text-start", id: "0" };
      started = true;
    }
    if (text !== "") yield { type: "text-delta", id: "0", delta: text };
    finish = choice?.finish_reason ?? finish;
    search = choice?.stepwright ?? search;
  }
  if (started) yield { type: "text-end", id: "0" };
  const providerMetadata = metadataOf(last, search);
  yield { type: "finish", finishReason: finishOf(finish), usage: usageOf(last), providerMetadata };
}

/** Pulled, so that a slow reader is felt at the server; cancelled, so that the search behind it stops. */
function readable(
  parts: AsyncGenerator<LanguageModelV3StreamPart>,
): ReadableStream<LanguageModelV3StreamPart> {
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await parts.next();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        controller.enqueue({ type: "error", error });
        controller.close();
      }
    },
    async cancel() {
      await parts.return(undefined);
    },
  });
}

function responseOf({ id, created, model }: Told) {
  return {
    ...(id !== undefined && { id }),
    ...(model !== undefined && { modelId: model }),
    ...(created !== undefined && { timestamp: new Date(created * 1000) }),
  };
}

function finishOf(raw: string | null | undefined): LanguageModelV3FinishReason {
  return { unified: raw === "stop" || raw === "length" ? raw : "other", raw: raw ?? undefined };
}

function usageOf({ usage }: Told): LanguageModelV3Usage {
  const read = usage?.prompt_tokens;
  const written = usage?.completion_tokens;
  return {
    inputTokens: { total: read, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: written, text: written, reasoning: undefined },
    ...(usage && { raw: usage }),
  };
}

/** Method, ledger and predictions of the search, and the counts that OpenAI's clients find in `usage`. */
function metadataOf({ usage, timings }: Told, search: JSONObject | undefined): SharedV3ProviderMetadata {
  const details = usage?.completion_tokens_details;
  return { stepwright: { ...search, ...(details && { usage: details }), ...(timings && { timings }) } };
}
