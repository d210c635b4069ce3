/** What a run is asked to do, and every check that can be made before a model is touched. */
import { z } from "zod";
import { noAdvice } from "./advised-threshold.js";
import type { AnswerRules } from "./answer-rules.js";
import type { Clock } from "./clock.js";
import { StepwrightError } from "./errors.js";
import { type Limits, limitNames } from "./ledger.js";
import type { Method } from "./method.js";
import { greedy, type Model, offers, type Sampling } from "./model.js";
import { type Prompt, promptSchema } from "./prompt.js";
import type { TraceSink } from "./recorder.js";
import { nearest } from "./registry.js";
import type { Reward, StepCheck } from "./reward.js";
import type { SearchSettings } from "./search-settings.js";
import { blankLine, type Splitter } from "./step.js";
import type { RewardFailurePolicy, TraceEvent } from "./trace-event.js";

/** The system sentence of the Qwen2.5-Math evaluation, with which RSD was published. */
export const mathsSystem = "Please reason step by step, and put your final answer within \\boxed{}.";

export interface RunRequest {
  readonly method: Method;
  /** The method's own options; unknown names are refused. */
  readonly options?: unknown;
  readonly question: string;
  /** Default: `mathsSystem`. Null: no system message. */
  readonly system?: string | null | undefined;
  /** What the models go on from, instead of system message and question: a longer conversation, or a plain text. */
  readonly prompt?: Prompt | undefined;
  readonly roles: RunRoles;
  /** Default 0. */
  readonly seed?: number | undefined;
  /** Default: greedy. */
  readonly sampling?: Partial<Omit<Sampling, "seed">> | undefined;
  /** Default: a blank line ends a step. */
  readonly splitter?: Splitter | undefined;
  /** Of the whole answer, default 2048. */
  readonly maxTokens?: number | undefined;
  /** Default 100. */
  readonly maxSteps?: number | undefined;
  /** Default 512. */
  readonly maxStepTokens?: number | undefined;
  /** Texts that end the answer where they first appear, and are no part of it. Default: none. */
  readonly stop?: readonly string[] | undefined;
  readonly budget?: Limits | undefined;
  /** What a reward that fails means. Default: the run fails. */
  readonly rewardFailure?: RewardFailurePolicy | undefined;
  /** The task's verdict on a step of this question, where it has one: what the oracle scores by. */
  readonly checkStep?: StepCheck | undefined;
  /** How answers to this question are read, compared and checked. Default: as texts. */
  readonly answers?: AnswerRules | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Kept in the trace as given: what is needed to open the same models again. */
  readonly references?: Readonly<Record<string, unknown>> | undefined;
  readonly sink?: TraceSink | undefined;
  /** The events of an earlier part of this run: it is taken up where they end. */
  readonly recording?: readonly TraceEvent[] | undefined;
  readonly clock?: Clock | undefined;
  /** Names the run; default: random, or the recording's. */
  readonly id?: string | undefined;
}

export interface RunRoles {
  readonly draft?: Model | undefined;
  readonly target?: Model | undefined;
  readonly reward?: Reward | undefined;
}

const count = z.int().min(1).max(10_000_000);
const limit = z.number().min(0).max(Number.MAX_VALUE).optional();

const splitterSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("delimiter"), delimiter: z.string().min(1) }),
  z.strictObject({ kind: z.literal("tokens"), count }),
  z.strictObject({ kind: z.literal("marks"), marks: z.string().min(1) }),
  z.strictObject({ kind: z.literal("entropy"), limit: z.number().min(0) }),
  z.strictObject({ kind: z.literal("sentence") }),
  z.strictObject({ kind: z.literal("none") }),
]);

const settingsSchema = z.object({
  question: z.string().refine((text) => text.trim() !== "", "the question is empty"),
  system: z.string().nullable().default(mathsSystem),
  prompt: promptSchema.optional(),
  seed: z.int().min(0).default(0),
  sampling: z
    .strictObject({
      temperature: z.number().min(0).max(100).default(greedy.temperature),
      topK: z.int().min(0).default(greedy.topK),
      topP: z.number().gt(0).max(1).default(greedy.topP),
      minP: z.number().min(0).max(1).default(greedy.minP),
    })
    .prefault({}),
  splitter: splitterSchema.default(blankLine),
  maxTokens: count.default(2048),
  maxSteps: count.default(100),
  maxStepTokens: count.default(512),
  stop: z.array(z.string().min(1)).max(64).default([]),
  budget: z
    .strictObject({
      "draft-tokens": limit,
      "target-tokens": limit,
      "reward-passes": limit,
      flops: limit,
      seconds: limit,
    } satisfies Record<(typeof limitNames)[number], typeof limit>)
    .default({}),
  rewardFailure: z.enum(["fail", "accept", "target-only"]).default("fail"),
});

export interface CheckedRequest {
  readonly options: Record<string, unknown>;
  readonly settings: SearchSettings;
  readonly budget: Limits;
}

/** Throws `invalid-option`, `missing-role` or `missing-capability`, naming the option or role. */
export function checkRequest(request: RunRequest): CheckedRequest {
  const options = parseOptions(request.method, request.options ?? {});
  const { budget, ...settings } = parse(settingsSchema, request, []);
  const { method, roles } = request;
  if (method.needs.reward && roles.reward && !roles.reward.advice && method.asksAdvice?.(options))
    throw noAdvice(roles.reward.name);
  return {
    options,
    budget: withoutUndefined(budget),
    settings: { ...settings, ...checkRoles(request), checkStep: request.checkStep, answers: request.answers },
  };
}

/** Options with defaults filled in, of a method or of what `kind` says. Throws `invalid-option`. */
export function parseOptions(
  method: Pick<Method, "name" | "schema">,
  options: unknown,
  kind = "method",
): Record<string, unknown> {
  const known = Object.keys(method.schema.shape);
  for (const name of Object.keys(Object(options))) {
    if (!known.includes(name))
      throw unknownOption(`${kind} ${method.name} has no option "${name}"`, name, known);
  }
  return parse(method.schema, options, []);
}

/** The roles that the method needs, checked; others are left alone. */
function checkRoles({ method, roles, checkStep }: RunRequest): Pick<SearchSettings, "models" | "reward"> {
  const { needs } = method;
  for (const role of ["draft", "target", "reward"] as const) {
    if (!needs[role] || roles[role]) continue;
    throw new StepwrightError("missing-role", `method ${method.name} needs a ${role}`, {
      subject: role,
      remedy: `name one: --${role}`,
    });
  }
  for (const role of ["draft", "target"] as const) {
    for (const capability of needs[role] ?? []) {
      const model = roles[role]!;
      if (offers(model, capability)) continue;
      throw new StepwrightError(
        "missing-capability",
        `method ${method.name} needs "${capability}" of its ${role}, which ${model.name} does not offer`,
        { subject: role, remedy: `${model.name} offers: ${[...model.capabilities].join(", ")}` },
      );
    }
  }
  if (needs.reward && roles.reward?.needsStepCheck && !checkStep) {
    throw new StepwrightError("missing-capability", `${roles.reward.name} needs a task that checks steps`, {
      subject: "reward",
      remedy: "bench a task with a step checker (--task lab), or name another reward",
    });
  }
  return {
    models: { draft: needs.draft && roles.draft, target: needs.target && roles.target },
    reward: needs.reward && roles.reward,
  };
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown, path: string[]): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = plainest(parsed.error.issues[0]!);
  const subject = [...path, ...issue.path.map(String)].join(".");
  if (issue.code === "unrecognized_keys") {
    const name = issue.keys[0]!;
    const known = subject === "budget" ? limitNames : Object.keys(greedy).filter((key) => key !== "seed");
    throw unknownOption(`${subject} has no "${name}"`, name, known);
  }
  throw new StepwrightError("invalid-option", `${subject || "options"}: ${issue.message}`, { subject });
}

/** Of a value that may be of several types, what is wrong with it as the type that it has. */
function plainest(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union") return issue;
  const own = issue.errors.flat().find(({ code }) => code !== "invalid_type");
  return own ? { ...own, path: [...issue.path, ...own.path] } : issue;
}

function unknownOption(message: string, name: string, known: readonly string[]): StepwrightError {
  const near = nearest(name, known);
  return new StepwrightError("invalid-option", message, {
    subject: name,
    remedy: near ? `did you mean "${near}"?` : `known: ${known.join(", ")}`,
  });
}

function withoutUndefined(limits: { [Name in keyof Limits]: Limits[Name] | undefined }): Limits {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}
