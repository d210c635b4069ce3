/** Finds out what a server is and can: asked once, when a model is opened. What it does counts, not what it says. */
import { createHash } from "node:crypto";
import { z } from "zod";
import { StepwrightError } from "../../core/errors.js";
import { nearest } from "../../core/registry.js";
import type { RemoteReference } from "../reference.js";
import { shaped } from "./answer-shape.js";
import { type Continuation, chatRoute } from "./chat-route.js";
import type { Call, Dialect } from "./dialect.js";
import { llamaServer } from "./llama-server.js";
import type { ToldSize } from "./size.js";
import { TextTokens } from "./text-tokens.js";
import { vllm } from "./vllm.js";

export type ServerKind = "llama-server" | "vllm" | "sglang" | "ollama" | "openai";

export interface Probed {
  readonly kind: ServerKind;
  readonly dialect: Dialect;
  readonly told: ToldSize;
  /** Equal for servers whose tokenizers gave the same ids for the same texts. */
  readonly vocabulary: string;
  /** Tokens that end an answer, where the server tells them. */
  readonly endTokens: ReadonlySet<number>;
  /** Whatever the server says of its weights; part of the fingerprint. */
  readonly identity: string;
}

const listed = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      owned_by: z.string().nullish(),
      root: z.string().nullish(),
      max_model_len: z.int().nullish(),
      meta: z
        .object({
          n_params: z.number().optional(),
          n_embd: z.number().optional(),
          n_vocab: z.number().optional(),
          n_ctx_train: z.number().optional(),
          size: z.number().optional(),
        })
        .nullish(),
    }),
  ),
});
type Listed = z.output<typeof listed>["data"][number];

const properties = z.object({
  default_generation_settings: z.object({ n_ctx: z.int().min(1) }),
  eos_token: z.string().optional(),
});

export async function probe(reference: RemoteReference, call: Call): Promise<Probed> {
  const base = new URL(reference.url).pathname.replace(/\/+$/, "");
  const root = base.replace(/\/v1$/, "");
  const { client, signal } = call;
  const { value } = await client.json({ path: `${base}/models`, signal });
  const { data } = shaped(listed, value, client.origin);
  const entry = data.find(({ id }) => id === reference.model);
  if (!entry) throw notServed(reference, data);
  const at = { base, root, model: reference.model };
  switch (await kindOf(entry, root, call)) {
    case "llama-server":
      return probeLlamaServer(at, entry, call);
    case "vllm":
      return probeVllm(at, entry, call, reference.options.continue);
    case "sglang":
      return chatServer("sglang", at, entry, reference.options.continue ?? "final", call);
    case "ollama":
      return chatServer("ollama", at, entry, reference.options.continue ?? "implicit", call);
    case "openai":
      return chatServer("openai", at, entry, reference.options.continue ?? "none", call);
  }
}

interface Place {
  readonly base: string;
  readonly root: string;
  readonly model: string;
}

async function kindOf({ owned_by }: Listed, root: string, call: Call): Promise<ServerKind> {
  if (owned_by === "llamacpp") return "llama-server";
  if (owned_by === "vllm" || owned_by === "sglang") return owned_by;
  const version = await attempt(() => call.client.json({ path: `${root}/api/version`, signal: call.signal }));
  return z.object({ version: z.string() }).safeParse(version?.value).success ? "ollama" : "openai";
}

async function probeLlamaServer({ root, model }: Place, { meta }: Listed, call: Call): Promise<Probed> {
  const dialect = llamaServer({ root, model });
  const { value } = await call.client.json({
    path: `${root}/props?model=${encodeURIComponent(model)}`,
    signal: call.signal,
  });
  const { default_generation_settings: settings, eos_token } = shaped(properties, value, call.client.origin);
  const end = eos_token ? await dialect.tokenize(eos_token, true, call) : [];
  return {
    kind: "llama-server",
    dialect,
    told: {
      parameters: meta?.n_params,
      width: meta?.n_embd,
      vocabulary: meta?.n_vocab,
      context: settings.n_ctx,
      bytes: meta?.size,
    },
    vocabulary: await vocabularyOf(dialect, call),
    endTokens: new Set(end.length === 1 ? end : []),
    identity: JSON.stringify(meta ?? {}),
  };
}

async function probeVllm(
  { root, base, model }: Place,
  entry: Listed,
  call: Call,
  continuation: Continuation | undefined,
): Promise<Probed> {
  const told: ToldSize = { context: entry.max_model_len ?? undefined };
  const identity = entry.root ?? "";
  const facts = {
    root,
    base,
    model,
    mostCandidates: 0,
    namedTokens: false,
    promptLogprobs: false,
    pooling: false,
  };
  const plain = vllm(facts);
  const ids = await attempt(() => plain.tokenize("Hello", true, call));
  // Builds without a tokenizer route, or proxies that hide it, still have the chat route.
  if (!ids) return chatServer("vllm", { root, base, model }, entry, continuation ?? "final", call);
  const offers = (more: object) =>
    attempt(async () => {
      const body = { model, prompt: ids, max_tokens: 1, temperature: 0, ...more };
      await call.client.json({ path: `${base}/completions`, body, signal: call.signal });
      return true;
    }).then((offered) => offered === true);
  const pools = () =>
    attempt(async () => {
      const body = { model, input: ids, task: "token_classify" };
      await call.client.json({ path: `${root}/pooling`, body, signal: call.signal });
      return true;
    }).then((offered) => offered === true);
  let mostCandidates = 0;
  for (const count of [256, 20, 5, 1]) {
    if (!(await offers({ logprobs: count }))) continue;
    mostCandidates = count;
    break;
  }
  const pooling = mostCandidates === 0 && !(await offers({})) && (await pools());
  const dialect = vllm({
    ...facts,
    pooling,
    mostCandidates,
    namedTokens: mostCandidates > 0 && (await namesTokens(facts, ids, call)),
    promptLogprobs: !pooling && (await offers({ prompt_logprobs: 0 })),
  });
  const vocabulary = await vocabularyOf(dialect, call);
  return { kind: "vllm", dialect, told, vocabulary, endTokens: new Set(), identity };
}

/** A server that does not know the field passes over it, so the answer decides. */
async function namesTokens(facts: Parameters<typeof vllm>[0], ids: number[], call: Call): Promise<boolean> {
  const asked = [ids[0]!, ids[0]! === 0 ? 1 : ids[0]! - 1];
  const dialect = vllm({ ...facts, mostCandidates: 1, namedTokens: true });
  const law = await attempt(() => dialect.law!({ tokens: ids, text: "" }, 0, asked, call));
  return law?.tokens.every(Number.isFinite) ?? false;
}

async function chatServer(
  kind: ServerKind,
  { base, model }: Place,
  entry: Listed,
  continuation: Continuation,
  { client, signal }: Call,
): Promise<Probed> {
  // Newer servers of this kind tell log-probabilities, older ones refuse or pass over the field.
  const asked = { model, messages: [{ role: "user", content: "1" }], max_tokens: 1, temperature: 0 };
  const answer = await attempt(() =>
    client.json({
      path: `${base}/chat/completions`,
      body: { ...asked, logprobs: true, top_logprobs: 20 },
      signal,
    }),
  );
  const shape = z.object({
    choices: z.tuple([z.object({ logprobs: z.object({ content: z.array(z.object({})).min(1) }) })]),
  });
  const logprobs = shape.safeParse(answer?.value).success;
  const wideSampling = kind !== "openai";
  const dialect = chatRoute({ base, model, continuation, logprobs, wideSampling, texts: new TextTokens() });
  return {
    kind,
    dialect,
    told: { context: entry.max_model_len ?? undefined },
    vocabulary: `texts:${client.origin}${base}#${model}`,
    endTokens: new Set(),
    identity: entry.root ?? "",
  };
}

const vocabularyTexts = [
  "Janet's 16 ducks lay 3.5% more, so 16 * 3 = 48.\n\nThe answer is \\boxed{48}.",
  "def f(x):\n\treturn x ** 2  # Übung, naïve, 東京, Привет, 🙂",
  " the quick brown fox; ZZZYQXJ 1234567890 <|im_end|> </s>",
];

async function vocabularyOf(dialect: Dialect, call: Call): Promise<string> {
  const ids = await Promise.all(vocabularyTexts.map((text) => dialect.tokenize(text, true, call)));
  return `remote:${createHash("sha256").update(JSON.stringify(ids)).digest("hex").slice(0, 32)}`;
}

/** Undefined where the server refuses: that is an answer too. Failures that pass are none. */
async function attempt<Value>(work: () => Promise<Value>): Promise<Value | undefined> {
  try {
    return await work();
  } catch (error) {
    if (StepwrightError.is(error, "remote-refused") || StepwrightError.is(error, "remote-invalid"))
      return undefined;
    throw error;
  }
}

function notServed({ url, model }: RemoteReference, served: readonly Listed[]): StepwrightError {
  const names = served.map(({ id }) => id).slice(0, 20);
  const near = nearest(model, names);
  return new StepwrightError("model-not-found", `${url} serves no model "${model}"`, {
    subject: model,
    remedy: near ? `did you mean "${near}"?` : `it serves: ${names.join(", ") || "none"}`,
  });
}
