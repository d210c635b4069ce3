/** The chat route, for servers that offer no more: the answer so far is an assistant message that the server goes on from. */
import { z } from "zod";
import { StepwrightError } from "../../core/errors.js";
import { shaped } from "./answer-shape.js";
import { chatForm, conversation } from "./chat-form.js";
import { type Dialect, entropyOf, type Piece, toldAlternatives } from "./dialect.js";
import type { TextTokens } from "./text-tokens.js";

/** `final`: by `continue_final_message` (vLLM, SGLang); `implicit`: an assistant message at the end is gone on from (llama-server, ollama). */
export type Continuation = "final" | "implicit" | "none";

const told = z.object({ token: z.string(), logprob: z.number() });
const chunk = z.object({
  choices: z
    .array(
      z.object({
        index: z.int().optional(),
        delta: z.object({ content: z.string().nullish() }).nullish(),
        logprobs: z
          .object({ content: z.array(told.extend({ top_logprobs: z.array(told).nullish() })).nullish() })
          .nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .default([]),
  usage: z
    .object({
      prompt_tokens: z.int().min(0),
      prompt_tokens_details: z.object({ cached_tokens: z.int().min(0).nullish() }).nullish(),
    })
    .nullish(),
});

export interface ChatRouteFacts {
  readonly base: string;
  readonly model: string;
  readonly continuation: Continuation;
  readonly logprobs: boolean;
  /** Whether top-k and min-p are known there; OpenAI's own interface has neither. */
  readonly wideSampling: boolean;
  readonly texts: TextTokens;
}

export function chatRoute(facts: ChatRouteFacts): Dialect {
  const { base, model, continuation, logprobs, wideSampling, texts } = facts;
  return {
    speaksTokens: false,
    writes: true,
    mostCandidates: 0,
    tellsLogprobs: logprobs,
    tokenize: async (text) => texts.encode(text),
    detokenize: async (tokens) => texts.decode(tokens),
    textOf: (tokens) => texts.decode(tokens),
    async renderChat(messages) {
      const text = chatForm(messages);
      return { text, tokens: texts.encode(text) };
    },
    echo: ({ text }) => conversation(text).written,
    write({ text }, { maxTokens, sampling, seed }) {
      const { messages, written } = conversation(text);
      if (written !== "" && continuation === "none") throw cannotContinue(model);
      if (!wideSampling && (sampling.topK > 0 || sampling.minP > 0)) throw cannotTruncate(model);
      return {
        path: `${base}/chat/completions`,
        body: {
          model,
          messages: written === "" ? messages : [...messages, { role: "assistant", content: written }],
          ...(written !== "" &&
            continuation === "final" && { continue_final_message: true, add_generation_prompt: false }),
          max_tokens: maxTokens,
          stream: true,
          stream_options: { include_usage: true },
          temperature: sampling.temperature,
          top_p: sampling.topP,
          seed,
          ...(wideSampling && { top_k: sampling.topK || -1, min_p: sampling.minP }),
          ...(logprobs && { logprobs: true, top_logprobs: toldAlternatives }),
        },
      };
    },
    piece(event, origin): Piece | null {
      const { choices, usage } = shaped(chunk, event, origin);
      const cached = usage?.prompt_tokens_details?.cached_tokens ?? undefined;
      const read = usage
        ? { prompt: usage.prompt_tokens, ...(cached !== undefined && { cached }) }
        : undefined;
      // One answer was asked for: what a server sends beside it is not ours.
      const first = choices.find(({ index = 0 }) => index === 0);
      if (!first) return read ? { text: "", tokens: [], read } : null;
      const text = first.delta?.content ?? "";
      const figures = first.logprobs?.content ?? [];
      const tokens =
        figures.length > 0
          ? figures.map(({ token, logprob, top_logprobs }) => ({
              id: texts.id(token),
              text: figures.length === 1 ? text : token,
              logprob,
              entropy: entropyOf((top_logprobs ?? []).map((each) => each.logprob)),
            }))
          : text === ""
            ? []
            : [{ id: texts.id(text), text }];
      const reason = first.finish_reason;
      const finish = reason === "length" ? "limit" : reason ? "end" : undefined;
      return { text, tokens, ...(finish && { finish }), ...(read && { read }) };
    },
  };
}

function cannotContinue(model: string): StepwrightError {
  return new StepwrightError("missing-capability", `the server of ${model} does not continue an answer`, {
    subject: model,
    remedy:
      "if it does, say how: ?continue=final (continue_final_message) or ?continue=implicit in the reference; else use a method that writes whole answers with --splitter none",
  });
}

function cannotTruncate(model: string): StepwrightError {
  return new StepwrightError("missing-capability", `the server of ${model} knows neither top-k nor min-p`, {
    subject: model,
    remedy: "leave --top-k and --min-p out, or use --top-p",
  });
}
