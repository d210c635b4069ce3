/** llama-server's own routes: ids in and out, one event per token with its law, and what it read of the prompt. */
import { z } from "zod";
import { StepwrightError } from "../../core/errors.js";
import type { ChatMessage } from "../../core/model.js";
import type { Token } from "../../core/step.js";
import { shaped } from "./answer-shape.js";
import { type Call, type Dialect, entropyOf, type Held, type Piece, toldAlternatives } from "./dialect.js";
import { renderSafely } from "./token-chat.js";

const ids = z.array(z.int().min(0));
const probability = z.object({
  id: z.int(),
  logprob: z.number(),
  token: z.string(),
  top_logprobs: z.array(z.object({ id: z.int(), logprob: z.number() })),
});
const timings = z.object({ cache_n: z.int().min(0), prompt_n: z.int().min(0) });
const chunk = z.object({
  content: z.string(),
  tokens: ids.default([]),
  stop: z.boolean(),
  stop_type: z.string().optional(),
  tokens_predicted: z.int().min(0).optional(),
  completion_probabilities: z.array(probability).optional(),
  timings: timings.optional(),
});
const tokenized = z.object({ tokens: ids });
const detokenized = z.object({ content: z.string() });
const templated = z.object({ prompt: z.string() });

/** Of a whole vocabulary: what stands beyond these is next to impossible, and an answer stays below 100 KB. */
const mostCandidates = 1024;

export interface LlamaServerFacts {
  /** Path before `/v1`, mostly empty. */
  readonly root: string;
  readonly model: string;
}

export function llamaServer({ root, model }: LlamaServerFacts): Dialect {
  const post = async (path: string, body: object, { client, signal }: Call) =>
    (await client.json({ path: `${root}${path}`, body: { model, ...body }, signal })).value;

  const tokenize = async (text: string, special: boolean, call: Call, begin = false): Promise<Token[]> => {
    const body = { content: text, add_special: begin, parse_special: special };
    return shaped(tokenized, await post("/tokenize", body, call), call.client.origin).tokens;
  };

  const render = async (messages: readonly ChatMessage[], call: Call): Promise<Held> => {
    const { prompt } = shaped(
      templated,
      await post("/apply-template", { messages }, call),
      call.client.origin,
    );
    return { text: prompt, tokens: await tokenize(prompt, true, call, true) };
  };

  const body = (tokens: readonly Token[], most: number, count: number) => ({
    model,
    prompt: tokens,
    n_predict: most,
    n_probs: count,
    cache_prompt: true,
    repeat_penalty: 1,
    // Temperature first, as everywhere here.
    samplers: ["temperature", "top_k", "top_p", "min_p"],
  });

  return {
    speaksTokens: true,
    writes: true,
    mostCandidates,
    tellsLogprobs: true,
    tokenize: (text, special, call) => tokenize(text, special, call),
    async detokenize(tokens, call) {
      if (tokens.length === 0) return "";
      return shaped(detokenized, await post("/detokenize", { tokens }, call), call.client.origin).content;
    },
    async renderChat(messages, call) {
      const held = await renderSafely(messages, {
        render: (each) => render(each, call),
        tokenize: (text, special) => tokenize(text, special, call),
        plainIsSafe: true,
      });
      return { ...held, tokens: withoutSecondBegin(held.tokens) };
    },
    write: ({ tokens }, { maxTokens, sampling, seed }) => ({
      path: `${root}/completion`,
      body: {
        ...body(tokens, maxTokens, toldAlternatives),
        stream: true,
        timings_per_token: true,
        seed,
        temperature: sampling.temperature,
        top_k: sampling.topK,
        top_p: sampling.topP,
        min_p: sampling.minP,
      },
    }),
    piece(event, origin): Piece {
      const { content, tokens, stop, stop_type, tokens_predicted, ...rest } = shaped(chunk, event, origin);
      const { completion_probabilities: laws = [], timings: times } = rest;
      return {
        text: content,
        count: tokens_predicted,
        tokens: tokens.map((id, index) => {
          const law = laws.find((each) => each.id === id) ?? laws[index];
          const entropy = law && entropyOf(law.top_logprobs.map(({ logprob }) => logprob));
          return { id, logprob: law?.logprob, entropy, text: tokens.length === 1 ? content : undefined };
        }),
        ...(stop && { finish: stop_type === "eos" ? "end" : "limit" }),
        ...(times && { read: { prompt: times.cache_n + times.prompt_n, cached: times.cache_n } }),
      };
    },
    async law({ tokens }, count, asked, call) {
      // One token is written and thrown away: the server tells laws of written tokens only.
      const most = asked.length > 0 ? mostCandidates : count;
      const answer = await post("/completion", { ...body(tokens, 1, most), temperature: 0 }, call);
      const { completion_probabilities: laws, timings: times } = shaped(chunk, answer, call.client.origin);
      const law = laws?.[0]?.top_logprobs;
      if (!law) throw new StepwrightError("remote-invalid", `${call.client.origin} told no probabilities`);
      const told = new Map(law.map(({ id, logprob }) => [id, logprob]));
      return {
        topK: law.slice(0, count).map(({ id, logprob }) => ({ token: id, logprob })),
        entropy: entropyOf(law.map(({ logprob }) => logprob)),
        tokens: asked.map((token) => told.get(token) ?? Number.NEGATIVE_INFINITY),
        ...(times && { read: { prompt: times.cache_n + times.prompt_n, cached: times.cache_n } }),
      };
    },
  };
}

/** The template wrote the begin token, and the tokenizer put one before it. */
function withoutSecondBegin(tokens: readonly Token[]): readonly Token[] {
  return tokens.length > 1 && tokens[0] === tokens[1] ? tokens.slice(1) : tokens;
}
