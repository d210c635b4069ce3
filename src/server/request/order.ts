/** From what a client asks to an order that may start: everything that can be refused is refused here. */
import { randomInt } from "node:crypto";
import { StepwrightError } from "../../core/errors.js";
import type { Limits } from "../../core/ledger.js";
import type { Method } from "../../core/method.js";
import { type ChatMessage, type Model, offers } from "../../core/model.js";
import { type Prompt, promptPassage } from "../../core/prompt.js";
import { parseOptions } from "../../core/run.js";
import { checkRequest, type RunRequest } from "../../core/run-request.js";
import type { Writer } from "../../core/search.js";
import { blankLine, type Token } from "../../core/step.js";
import { answerRules } from "../../grade/answer-rules.js";
import { sameAnswer } from "../../grade/index.js";
import { methods } from "../../methods/index.js";
import { ApiError } from "../api-error.js";
import type { ServerLimits } from "../limits.js";
import { modelNotFound } from "../model-not-found.js";
import type { Pair, Preset, RunOrder, ServedModels } from "../types.js";
import { type AskFields, type Extension, samplingOf } from "./ask.js";
import { widthOf } from "./width.js";

/** A request whose fields are checked one by one. */
export interface Ask {
  readonly fields: AskFields;
  readonly maxTokens: number | undefined;
  readonly maxTokensParam: string;
  readonly prompt: readonly ChatMessage[] | string | { readonly tokens: readonly Token[] };
  /** What a reward reads; of a prompt in token ids, its text. */
  readonly question: string | undefined;
  readonly system: string | null;
  readonly logprobs: boolean;
  /** Fields that nobody reads. */
  readonly ignored: readonly string[];
}

export interface Asker {
  readonly owner: string;
  readonly signal?: AbortSignal | undefined;
  readonly idempotency?: RunOrder["idempotency"];
  readonly keep?: boolean;
}

/** An order, and what its answer will be made with. */
export interface CheckedAsk {
  readonly ask: Ask;
  readonly order: RunOrder;
  readonly pair: Pair;
  readonly method: Method;
  readonly seed: number;
  readonly promptTokens: number;
}

const defaultMaxTokens = 2048;

/** Throws `ApiError`: 404 for the model, 400 for fields, 503 while the models load. */
export async function checkAsk(
  ask: Ask,
  asker: Asker,
  { models, limits }: { readonly models: ServedModels; readonly limits: ServerLimits },
): Promise<CheckedAsk> {
  const { fields } = ask;
  const preset = models.find(fields.model);
  if (!preset) throw modelNotFound(fields.model);
  const { method, options } = await methodOf(fields, preset);
  const pair = models.pair(preset.pair);
  const width = widthOf(method, options);
  if (width > limits.width) {
    throw new ApiError(400, "width_limit", `the search would be ${width} wide, ${limits.width} are allowed`, {
      param: "stepwright.options",
      remedy: "ask for fewer samples or particles, or a narrower beam",
    });
  }
  if (ask.logprobs) checkLogprobs(method, pair);
  const prompt = await promptOf(ask, method, pair);
  const choices = fields.n ?? 1;
  const lengths = await promptLengths(prompt, method, pair);
  const maxTokens = roomFor(ask, lengths);
  const seed = fields.seed ?? randomInt(2 ** 31);
  const extension = fields.stepwright;
  // One writer alone decodes in one go, as engines do; methods that choose among steps need steps.
  const whole = method.kind === "plain" && extension?.step === undefined;
  const request: Omit<RunRequest, "method" | "roles" | "seed"> = {
    options,
    question: ask.question ?? (prompt as { text: string }).text,
    system: ask.system,
    prompt,
    sampling: samplingOf(fields),
    splitter: whole ? { kind: "none" } : (extension?.step ?? blankLine),
    maxTokens,
    maxSteps: extension?.max_steps,
    maxStepTokens: whole ? maxTokens : extension?.max_step_tokens,
    stop: fields.stop ?? [],
    budget: budgetOf(extension?.budget, limits.requestCost),
    rewardFailure: extension?.reward_failure,
    answers: answerRules({ sameAnswer }),
    references: { ...pair.references, pair: pair.name },
  };
  const roles = { draft: pair.draft, target: pair.target, reward: pair.reward };
  checkRequest({ ...request, method, roles, seed });
  const promptTokens = Math.max(...lengths.map(({ tokens }) => tokens));
  const order: RunOrder = {
    ...asker,
    model: fields.model,
    method,
    choices,
    cost: (promptTokens + maxTokens) * width,
    deadlineSeconds: extension?.deadline,
    request: (choice) => ({ ...request, method, roles, seed: seed + choice }),
  };
  return { ask, order, pair, method, seed, promptTokens };
}

async function methodOf({ stepwright }: AskFields, preset: Preset) {
  const name = stepwright?.method ?? preset.method.name;
  const asked = stepwright?.options ?? {};
  try {
    if (name === preset.method.name) {
      const { method } = preset;
      return { method, options: parseOptions(method, { ...preset.options, ...asked }) };
    }
    const method = await methods.get(name);
    return { method, options: parseOptions(method, asked) };
  } catch (error) {
    if (!StepwrightError.is(error)) throw error;
    const unknown = error.code === "unknown-name";
    throw new ApiError(400, unknown ? "unknown_method" : "invalid_value", error.message, {
      param: unknown ? "stepwright.method" : `stepwright.options.${error.subject ?? ""}`,
      remedy: error.remedy,
    });
  }
}

function checkLogprobs(method: Method, pair: Pair): void {
  for (const { model } of writersOf(method, pair)) {
    if (offers(model, "logprobs")) continue;
    throw new ApiError(400, "missing_capability", `${model.name} tells no log-probabilities`, {
      param: "logprobs",
      remedy: "leave logprobs out",
    });
  }
}

async function promptOf({ prompt }: Ask, method: Method, pair: Pair): Promise<Prompt> {
  if (typeof prompt === "string" || !("tokens" in prompt)) return prompt;
  const [writer] = writersOf(method, pair);
  if (!writer) throw new ApiError(400, "missing_role", "the pair has no model that writes");
  const { model } = writer;
  const unknown = prompt.tokens.find((token) => token >= model.size.vocabulary);
  if (unknown !== undefined) {
    throw new ApiError(400, "invalid_value", `prompt: token ${unknown} is not in the vocabulary`, {
      param: "prompt",
    });
  }
  return { tokens: prompt.tokens, text: await model.detokenize(prompt.tokens), vocabulary: model.vocabulary };
}

interface PromptLength {
  readonly model: Model;
  readonly tokens: number;
}

async function promptLengths(prompt: Prompt, method: Method, pair: Pair): Promise<PromptLength[]> {
  return Promise.all(
    writersOf(method, pair).map(async ({ model }) => {
      const { tokens } = await promptPassage(model, prompt);
      return { model, tokens: tokens.length };
    }),
  );
}

/** Throws `context_length_exceeded` with both numbers. */
function roomFor({ maxTokens, maxTokensParam }: Ask, lengths: readonly PromptLength[]): number {
  const rooms = lengths.map(({ model, tokens }) => model.size.context - tokens);
  const [least, at] = [Math.min(...rooms), rooms.indexOf(Math.min(...rooms))];
  const { model, tokens } = lengths[at]!;
  const { context } = model.size;
  if (least < 1) {
    throw new ApiError(
      400,
      "context_length_exceeded",
      `the prompt has ${tokens} tokens, the model's context holds ${context}`,
      { param: "prompt", remedy: "shorten the prompt" },
    );
  }
  if (maxTokens !== undefined && maxTokens > least) {
    throw new ApiError(
      400,
      "context_length_exceeded",
      `the prompt has ${tokens} tokens and ${maxTokens} are asked for, the model's context holds ${context}`,
      { param: maxTokensParam, remedy: `ask for at most ${least} tokens` },
    );
  }
  return maxTokens ?? Math.min(defaultMaxTokens, least);
}

function writersOf(method: Method, pair: Pair): { role: Writer; model: Model }[] {
  const writers: { role: Writer; model: Model }[] = [];
  for (const role of ["target", "draft"] as const) {
    const model = pair[role];
    if (method.needs[role] && model) writers.push({ role, model });
  }
  if (writers.length > 0) return writers;
  throw new ApiError(
    400,
    "missing_role",
    `method ${method.name} needs a model that this pair does not have`,
    {
      param: "model",
    },
  );
}

/** Whatever a method's predicted width, no role writes more tokens than a request may cost. */
function budgetOf(asked: Extension["budget"] = {}, ceiling: number): Limits {
  const given = Object.entries(asked).filter(([, value]) => value !== undefined);
  return { "draft-tokens": ceiling, "target-tokens": ceiling, ...Object.fromEntries(given) };
}
