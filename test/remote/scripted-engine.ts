/** llama-server's and OpenAI's routes over a scripted model: real sockets, exact laws, no weights. */
import type { ServerResponse } from "node:http";
import type { Branch, Sampling } from "../../src/core/model.js";
import type { Token } from "../../src/core/step.js";
import type { ScriptedModel } from "../../src/models/scripted.js";
import { endToken } from "../../src/models/scripted-tokens.js";
import { FaultServer, type Heard, json, stream } from "./fault-server.js";

/** Opens the assistant's turn in the scripted chat form. */
const textMark = 1;

export interface EngineOptions {
  readonly kind: "llama-server" | "openai" | "ollama";
  /** llama-server's routes: whether it says that it has no cache, or nothing about it. */
  readonly tellsCache?: boolean;
  /** OpenAI's routes: whether log-probabilities are told. */
  readonly logprobs?: boolean;
}

export function scriptedEngine(
  model: ScriptedModel,
  { kind, logprobs = true, tellsCache = true }: EngineOptions,
) {
  const { size } = model;
  const meta = {
    n_params: size.multiplied,
    n_embd: size.attentionWidth,
    n_vocab: size.vocabulary,
    size: size.bytes,
  };
  const owned_by = kind === "llama-server" ? "llamacpp" : kind === "ollama" ? "library" : "someone";
  const routes: Record<string, (heard: Heard, response: ServerResponse) => unknown> = {
    "/v1/models": () => ({ data: [{ id: model.name, owned_by, meta, max_model_len: size.context }] }),
    ...(kind === "ollama" && { "/api/version": () => ({ version: "0.13.0" }) }),
    ...(kind === "llama-server"
      ? {
          "/props": () => ({ default_generation_settings: { n_ctx: size.context }, eos_token: "<end>" }),
          "/tokenize": ({ body }: Heard) => ({
            tokens:
              body.parse_special && body.content === "<end>"
                ? [endToken]
                : model.tokenizer.encode(body.content),
          }),
          "/detokenize": ({ body }: Heard) => ({ content: model.tokenizer.decode(body.tokens) }),
          "/apply-template": async ({ body }: Heard) => ({
            prompt: (await model.renderChat(body.messages)).text,
          }),
          "/completion": (heard: Heard, response: ServerResponse) =>
            complete(model, heard, response, tellsCache),
        }
      : {
          "/v1/chat/completions": (heard: Heard, response: ServerResponse) =>
            chat(model, heard, response, logprobs),
        }),
  };
  return FaultServer.start(async (heard, response) => {
    const route = routes[heard.path.replace(/\?.*/, "")];
    if (!route) return json(response, { error: { message: "no such route" } }, 404);
    const answer = await route(heard, response);
    if (answer !== undefined) json(response, answer);
  });
}

async function complete(
  model: ScriptedModel,
  { body }: Heard,
  response: ServerResponse,
  tellsCache: boolean,
): Promise<unknown> {
  const ids = body.prompt as Token[];
  const branch = await branchOf(model, ids);
  const told = tellsCache ? { timings: { cache_n: 0, prompt_n: ids.length } } : {};
  const law = async () => {
    const { topK } = await branch.append(nothing(model), { topK: Math.max(1, body.n_probs) });
    return topK!.map(({ token, logprob }) => ({ id: token, logprob }));
  };
  if (!body.stream) {
    const top_logprobs = await law();
    const first = top_logprobs[0]!;
    return {
      content: model.tokenizer.decode([first.id]),
      tokens: [first.id],
      stop: true,
      ...told,
      completion_probabilities: [{ ...first, token: "", top_logprobs }],
    };
  }
  const send = stream(response);
  let count = 0;
  for (; count < body.n_predict && !response.destroyed; ) {
    const top_logprobs = await law();
    const { tokens, logprobs, text, stop } = await next(branch, body);
    const [id] = tokens as [Token];
    count++;
    const figures = { id, logprob: logprobs[0]!, token: text, top_logprobs };
    send({
      content: text,
      tokens: [id],
      stop: false,
      tokens_predicted: count,
      ...told,
      completion_probabilities: [figures],
    });
    if (stop !== "end") continue;
    send({ content: "", tokens: [], stop: true, stop_type: "eos", tokens_predicted: count, ...told });
    response.end();
    return undefined;
  }
  send({ content: "", tokens: [], stop: true, stop_type: "limit", tokens_predicted: count, ...told });
  response.end();
  return undefined;
}

async function chat(
  model: ScriptedModel,
  { body }: Heard,
  response: ServerResponse,
  tells: boolean,
): Promise<unknown> {
  const messages = [...body.messages];
  const written = messages.at(-1).role === "assistant" ? (messages.pop().content as string) : "";
  const prompt = await model.renderChat(messages);
  const branch = await model.open(prompt, { special: true } as never);
  await branch.append(written);
  const logprobs = tells && body.logprobs;
  if (!body.stream) {
    const content = logprobs ? { logprobs: { content: [{ token: "1", logprob: 0 }] } } : {};
    return { choices: [{ index: 0, message: { content: "1" }, ...content }] };
  }
  const send = stream(response);
  send({ choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }] });
  let reason = "length";
  for (let count = 0; count < body.max_tokens && !response.destroyed; count++) {
    const { topK } = await branch.append(nothing(model), { topK: 20 });
    const {
      text,
      stop,
      logprobs: told,
    } = await next(branch, { ...body, top_k: Math.max(0, body.top_k ?? 0) });
    if (stop === "end") {
      reason = "stop";
      break;
    }
    const alternatives = topK!.map(({ token, logprob }) => ({ token: String(token), logprob }));
    const figures = { content: [{ token: text, logprob: told[0], top_logprobs: alternatives }] };
    send({
      choices: [
        { index: 0, delta: { content: text }, finish_reason: null, ...(logprobs && { logprobs: figures }) },
      ],
    });
  }
  send({ choices: [{ index: 0, delta: {}, finish_reason: reason }] });
  send("[DONE]");
  response.end();
  return undefined;
}

async function branchOf(model: ScriptedModel, ids: readonly Token[]): Promise<Branch> {
  const border = ids.lastIndexOf(textMark) + 1;
  const prompt = ids.slice(0, border);
  const { vocabulary } = model;
  const branch = await model.open({ text: model.tokenizer.decode(prompt), tokens: prompt, vocabulary });
  const rest = ids.slice(border);
  await branch.append({ text: model.tokenizer.decode(rest), tokens: rest, vocabulary });
  return branch;
}

function next(branch: Branch, body: Record<string, number>) {
  const { temperature = 0, top_k = 0, top_p = 1, min_p = 0, seed = 0 } = body;
  const sampling: Sampling = { temperature, topK: top_k, topP: top_p, minP: min_p, seed };
  return branch.extend({ splitter: { kind: "none" }, maxTokens: 1, sampling, key: "server" });
}

function nothing({ vocabulary }: ScriptedModel) {
  return { text: "", tokens: [], vocabulary };
}
