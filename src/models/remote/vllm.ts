/** vLLM's completion route: ids in and out, log-probabilities of written, of named and of prompt tokens. */
import { z } from "zod";
import { StepwrightError } from "../../core/errors.js";
import type { ChatMessage } from "../../core/model.js";
import type { Token } from "../../core/step.js";
import { shaped } from "./answer-shape.js";
import {
  type Call,
  type Dialect,
  entropyOf,
  type Held,
  type Piece,
  type ReadCount,
  toldAlternatives,
} from "./dialect.js";
import { harmlessPieces } from "./safe-text.js";
import { renderSafely } from "./token-chat.js";

const ids = z.array(z.int().min(0));
const law = z.record(z.string(), z.number());
const usage = z.object({
  prompt_tokens: z.int().min(0),
  prompt_tokens_details: z.object({ cached_tokens: z.int().min(0).nullish() }).nullish(),
});
const choice = z.object({
  text: z.string(),
  token_ids: ids.nullish(),
  logprobs: z
    .object({
      tokens: z.array(z.string()),
      token_logprobs: z.array(z.number().nullable()),
      top_logprobs: z.array(law.nullable()),
    })
    .nullish(),
  prompt_logprobs: z.array(z.record(z.string(), z.object({ logprob: z.number() })).nullable()).nullish(),
  finish_reason: z.string().nullish(),
  stop_reason: z.union([z.string(), z.int()]).nullish(),
});
const answerShape = z.object({ choices: z.array(choice), usage: usage.nullish() });
const pooled = z.object({
  data: z.tuple([z.object({ data: z.array(z.array(z.number()).min(1).max(4096)).min(1) })]),
});
const tokenized = z.object({ tokens: ids });
const detokenized = z.object({ prompt: z.string() });

export interface VllmFacts {
  readonly root: string;
  readonly base: string;
  readonly model: string;
  /** What the server allows of `logprobs`, as probed. */
  readonly mostCandidates: number;
  /** Whether named tokens can be asked for (`logprob_token_ids`). */
  readonly namedTokens: boolean;
  readonly promptLogprobs: boolean;
  /** A reward model, which is read through the pooling route alone. */
  readonly pooling: boolean;
}

export function vllm(facts: VllmFacts): Dialect {
  const { root, base, model, mostCandidates, namedTokens, promptLogprobs, pooling } = facts;
  const post = async (path: string, body: object, { client, signal }: Call) =>
    (await client.json({ path, body: { model, ...body }, signal })).value;

  const tokenize = async (text: string, call: Call): Promise<Token[]> => {
    const body = { prompt: text, add_special_tokens: false };
    return shaped(tokenized, await post(`${root}/tokenize`, body, call), call.client.origin).tokens;
  };
  const detokenize = async (tokens: readonly Token[], call: Call): Promise<string> => {
    if (tokens.length === 0) return "";
    return shaped(detokenized, await post(`${root}/detokenize`, { tokens }, call), call.client.origin).prompt;
  };
  const render = async (messages: readonly ChatMessage[], call: Call): Promise<Held> => {
    const body = { messages, add_generation_prompt: true };
    const { tokens } = shaped(tokenized, await post(`${root}/tokenize`, body, call), call.client.origin);
    return { tokens, text: await detokenize(tokens, call) };
  };
  const one = async (body: object, call: Call) => {
    const answer = shaped(answerShape, await post(`${base}/completions`, body, call), call.client.origin);
    const [first] = answer.choices;
    if (!first) throw new StepwrightError("remote-invalid", `${call.client.origin} gave no choice`);
    return { choice: first, read: readOf(answer.usage) };
  };

  return {
    speaksTokens: true,
    writes: !pooling,
    mostCandidates,
    tellsLogprobs: mostCandidates > 0,
    // Its tokenizers take control tokens for such wherever they stand.
    async tokenize(text, special, call) {
      if (special) return tokenize(text, call);
      const pieces = await Promise.all(harmlessPieces(text).map((piece) => tokenize(piece, call)));
      return pieces.flat();
    },
    detokenize,
    renderChat: (messages, call) =>
      renderSafely(messages, {
        render: (each) => render(each, call),
        tokenize: (text) => tokenize(text, call),
        plainIsSafe: false,
      }),
    write: ({ tokens }, { maxTokens, sampling, seed, stop }) => ({
      path: `${base}/completions`,
      body: {
        model,
        prompt: tokens,
        max_tokens: maxTokens,
        stream: true,
        stream_options: { include_usage: true },
        return_token_ids: true,
        ...(mostCandidates > 0 && { logprobs: Math.min(toldAlternatives, mostCandidates) }),
        ...(stop !== undefined && { stop: [stop], include_stop_str_in_output: true }),
        temperature: sampling.temperature,
        top_k: sampling.topK,
        top_p: sampling.topP,
        min_p: sampling.minP,
        // A checkpoint's own defaults would change the law.
        repetition_penalty: 1,
        seed,
      },
    }),
    piece(event, origin): Piece | null {
      const { choices, usage: counts } = shaped(answerShape, event, origin);
      const read = readOf(counts);
      const [first] = choices;
      if (!first) return read ? { text: "", tokens: [], read } : null;
      const { text, token_ids, logprobs, finish_reason, stop_reason } = first;
      const tokens = (token_ids ?? []).map((id, index) => {
        const told = logprobs?.top_logprobs[index];
        return {
          id,
          logprob: logprobs?.token_logprobs[index] ?? undefined,
          entropy: told ? entropyOf(Object.values(told)) : undefined,
          text: token_ids?.length === 1 ? text : undefined,
        };
      });
      const byText = finish_reason === "stop" && typeof stop_reason === "string";
      const finish = byText ? "stop" : finish_reason === "stop" ? "end" : finish_reason ? "limit" : undefined;
      return { text, tokens, ...(finish && { finish }), ...(read && { read }) };
    },
    ...(mostCandidates > 0 && {
      async law({ tokens }: Held, count: number, asked: readonly Token[], call: Call) {
        const named = namedTokens && asked.length > 0;
        // Named tokens take the place of the most probable ones, so both are two questions.
        const ask = (more: object) =>
          one(
            { prompt: tokens, max_tokens: 1, temperature: 0, return_tokens_as_token_ids: true, ...more },
            call,
          );
        const most = asked.length > 0 ? mostCandidates : Math.min(count, mostCandidates);
        const wide = count > 0 || !named ? await ask({ logprobs: most }) : undefined;
        const narrow = named ? await ask({ logprobs: 1, logprob_token_ids: asked }) : undefined;
        const told = [...lawOf(wide?.choice, call), ...lawOf(narrow?.choice, call)];
        const ranked = lawOf(wide?.choice, call).sort((a, b) => b.logprob - a.logprob || a.token - b.token);
        const known = new Map(told.map(({ token, logprob }) => [token, logprob]));
        const read = (wide ?? narrow)?.read;
        return {
          topK: ranked.slice(0, count),
          entropy: entropyOf(ranked.map(({ logprob }) => logprob)),
          tokens: asked.map((token) => known.get(token) ?? Number.NEGATIVE_INFINITY),
          ...(read && { read }),
        };
      },
    }),
    ...(pooling && {
      async pool({ tokens }: Held, call: Call) {
        const body = { input: tokens, task: "token_classify", use_activation: true };
        const { data } = shaped(pooled, await post(`${root}/pooling`, body, call), call.client.origin);
        // A row per token, or per step's mark: the text ends at the mark that is asked about.
        return Float32Array.from(data[0].data.at(-1)!);
      },
    }),
    ...(promptLogprobs && {
      async likelihood({ tokens }: Held, count: number, call: Call) {
        const { choice: told } = await one({ prompt: tokens, max_tokens: 1, prompt_logprobs: 0 }, call);
        const rows = told.prompt_logprobs ?? [];
        return tokens.slice(tokens.length - count).map((token, index) => {
          const row = rows[tokens.length - count + index];
          const logprob = row?.[String(token)]?.logprob;
          if (logprob === undefined) {
            throw new StepwrightError(
              "remote-invalid",
              `${call.client.origin} told no probability of a prompt token`,
            );
          }
          return logprob;
        });
      },
    }),
  };
}

function readOf(counts: z.output<typeof usage> | null | undefined): ReadCount | undefined {
  if (!counts) return undefined;
  const cached = counts.prompt_tokens_details?.cached_tokens ?? undefined;
  return { prompt: counts.prompt_tokens, ...(cached !== undefined && { cached }) };
}

/** Tokens are named `token_id:N` here. */
function lawOf(told: z.output<typeof choice> | undefined, { client }: Call) {
  if (!told) return [];
  const first = told.logprobs?.top_logprobs[0];
  if (!first) throw new StepwrightError("remote-invalid", `${client.origin} told no probabilities`);
  return Object.entries(first).map(([name, logprob]) => {
    const id = /^token_id:(\d+)$/.exec(name)?.[1];
    if (id === undefined)
      throw new StepwrightError("remote-invalid", `${client.origin} named no token by its id`);
    return { token: Number(id), logprob };
  });
}
