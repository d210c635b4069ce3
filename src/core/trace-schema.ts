/** The shape of every record, checked when a trace is read: a trace may come from a stranger. */
import { z } from "zod";
import { messagesSchema, promptSchema } from "./prompt.js";
import { finishes, type TraceEvent } from "./trace-event.js";

const count = z.int().min(0);
const amount = z.number().min(0);
const numbers = z.array(z.number());
const writer = z.enum(["draft", "target"]);
const finish = z.enum(finishes);
const node = z.string();
const policy = z.enum(["fail", "accept", "target-only"]);

const usage = z.object({
  prefillTokens: count,
  recomputedTokens: count,
  decodeTokens: count,
  flops: amount,
  seconds: amount,
  weightReads: amount.optional(),
});

const speculation = z
  .object({ blocks: count, drafted: count, accepted: count, draft: usage.optional() })
  .refine(({ drafted, accepted }) => accepted <= drafted);

const error = z.object({
  code: z.string(),
  message: z.string(),
  remedy: z.string().optional(),
  subject: z.string().optional(),
  cause: z.string().optional(),
});

const size = z.object({
  parameters: count,
  multiplied: count,
  layers: count,
  attentionWidth: count,
  vocabulary: count,
  context: count,
  bytes: count,
});

const named = z.object({ name: z.string(), options: z.record(z.string(), z.unknown()) });

const identity = z.object({
  name: z.string(),
  fingerprint: z.string().optional(),
  vocabulary: z.string().optional(),
  size: size.optional(),
  speculation: z
    .object({ drafter: named, rule: named, controller: named, draft: z.string().optional() })
    .optional(),
});

const splitter = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("delimiter"), delimiter: z.string() }),
  z.object({ kind: z.literal("tokens"), count }),
  z.object({ kind: z.literal("marks"), marks: z.string() }),
  z.object({ kind: z.literal("entropy"), limit: amount }),
  z.object({ kind: z.enum(["sentence", "none"]) }),
]);

const started = z.object({
  type: z.literal("run-started"),
  version: z.literal([1, 2, 3, 4]),
  run: z.string(),
  method: z.string(),
  options: z.record(z.string(), z.unknown()),
  question: z.string(),
  system: z.string().nullable(),
  seed: count,
  sampling: z.object({
    temperature: amount,
    topK: count,
    topP: z.number(),
    minP: z.number(),
  }),
  splitter,
  maxTokens: count,
  maxSteps: count,
  maxStepTokens: count,
  prompt: promptSchema.optional(),
  stop: z.array(z.string()).optional(),
  budget: z.record(z.string(), amount),
  rewardFailure: policy,
  roles: z.object({
    draft: identity.optional(),
    target: identity.optional(),
    reward: identity.optional(),
  }),
  references: z.record(z.string(), z.unknown()),
});

const written = z
  .object({
    type: z.literal("step-written"),
    node,
    parent: node,
    role: writer,
    origin: z.string(),
    text: z.string(),
    tokens: z.array(count),
    vocabulary: z.string(),
    logprobs: numbers,
    entropies: numbers,
    stop: z.enum(["delimiter", "end", "cap", "context", "cut"]),
    finish: finish.nullable(),
    usage,
    speculation: speculation.optional(),
  })
  .refine(
    ({ tokens, logprobs, entropies }) =>
      logprobs.length === entropies.length && (logprobs.length === 0 || logprobs.length === tokens.length),
  );

const finished = z.object({
  type: z.literal("run-finished"),
  finish,
  cut: z.enum(["budget", "abort"]).optional(),
  node,
  text: z.string(),
  ledger: z.looseObject({ total: z.object({ flops: amount, generatedFlops: amount, seconds: amount }) }),
  elapsed: amount,
});

const schema = z.discriminatedUnion("type", [
  started,
  written,
  finished,
  z.object({
    type: z.literal("context-read"),
    role: writer,
    node,
    purpose: z.enum(["prompt", "catch-up"]),
    usage,
  }),
  z.object({
    type: z.literal("root-begun"),
    node,
    messages: messagesSchema,
  }),
  z.object({
    type: z.literal("step-cut"),
    node,
    parent: node,
    role: writer,
    usage,
    speculation: speculation.optional(),
  }),
  z.object({ type: z.literal("step-read"), node, role: writer, logprobs: numbers, usage }),
  z.object({
    type: z.literal("candidates-read"),
    node,
    role: writer,
    count,
    tokens: z.array(z.object({ token: count, text: z.string(), logprob: z.number(), end: z.boolean() })),
    entropy: amount,
    usage,
  }),
  z.object({ type: z.literal("answer-read"), node, answer: z.string().nullable() }),
  z.object({
    type: z.literal("answers-compared"),
    first: z.string(),
    second: z.string(),
    same: z.boolean(),
  }),
  z.object({
    type: z.literal("answer-checked"),
    node,
    check: z.object({ score: z.number().min(0).max(1), feedback: z.string() }).nullable(),
  }),
  z.object({ type: z.literal("answer-offered"), node, value: z.number() }),
  z.object({ type: z.literal("step-scored"), node, value: z.number().min(0).max(1), usage }),
  z.object({ type: z.literal("reward-failed"), node, policy, error }),
  z.object({
    type: z.literal("threshold-advised"),
    node,
    writer,
    value: z.number(),
    tokensLeft: amount.optional(),
  }),
  z.object({
    type: z.literal("coin-tossed"),
    node,
    purpose: z.string(),
    probability: z.number(),
    heads: z.boolean(),
  }),
  z.object({ type: z.literal("step-committed"), node, elapsed: amount }),
  z.object({ type: z.literal("step-pruned"), node, role: writer, tokens: count }),
  z.object({ type: z.literal("run-resumed"), records: count, elapsed: amount }),
  z.object({ type: z.literal("run-failed"), error }),
]);

/** The record as an event, or what is wrong with it. */
export function parseTraceEvent(record: unknown): { event: TraceEvent } | { problem: string } {
  const parsed = schema.safeParse(record);
  if (parsed.success) return { event: parsed.data as TraceEvent };
  const issue = parsed.error.issues[0]!;
  return { problem: `${issue.path.join(".") || "the record"}: ${issue.message}` };
}
