/** What the server admits. Every figure can be set, and `/v1/limits` tells them all. */
import { z } from "zod";

const bytes = z.int().min(1).max(1_073_741_824);
const seconds = z.number().min(0.05).max(86_400);

const amount = z.int().min(1).max(Number.MAX_SAFE_INTEGER);

/** Of one request and one connection. */
const httpLimitsSchema = z.object({
  bodyBytes: bytes.default(2 * 1024 * 1024).describe("Greatest request body in bytes."),
  jsonDepth: z.int().min(1).max(1000).default(64).describe("Deepest nesting of a request's JSON."),
  headerBytes: z.int().min(1024).max(1_048_576).default(16_384).describe("Greatest size of all headers."),
  headers: z.int().min(8).max(2000).default(100).describe("Greatest number of headers."),
  headerSeconds: seconds.default(10).describe("Time a client has to send its headers."),
  bodySeconds: seconds.default(30).describe("Time a client has to send its whole request."),
  messages: z.int().min(1).max(100_000).default(1024).describe("Most messages of a conversation."),
  choices: z.int().min(1).max(1024).default(64).describe("Greatest n."),
  width: z
    .int()
    .min(1)
    .max(100_000)
    .default(256)
    .describe("Widest search: samples, particles, beam width times expansion."),
  steps: z.int().min(1).max(100_000).default(512).describe("Most steps of an answer."),
  stopStrings: z.int().min(1).max(64).default(16).describe("Most stop strings."),
  stopBytes: bytes.default(256).describe("Longest stop string in bytes."),
  wrongKeysPerMinute: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(60)
    .describe("Wrong keys of one address before it is told to wait."),
});

/** Of all requests together, and of what is kept of them. */
const serviceLimitsSchema = z.object({
  concurrency: amount.max(4096).default(16).describe("Answers that are written at the same time."),
  queue: amount.max(100_000).default(128).describe("Requests that may wait for their turn."),
  streamsPerKey: amount.max(100_000).default(16).describe("Requests of one key that wait or run."),
  requestCost: amount
    .default(1_048_576)
    .describe("Greatest predicted cost of a request: (prompt + max_tokens) x n x the method's width."),
  capacityTokens: amount
    .default(262_144)
    .describe("Predicted tokens of all answers that are written at the same time."),
  streamBytes: bytes.default(262_144).describe("Text that waits for a slow reader, per stream."),
  stallSeconds: seconds.default(30).describe("A reader that takes nothing for so long is left."),
  graceSeconds: seconds
    .default(10)
    .describe("A run with an idempotency key waits so long for its client to come back."),
  drainSeconds: seconds.default(30).describe("Time that running answers get when the server stops."),
  keepDays: z.number().min(0).max(36_500).default(30).describe("Days that runs are kept."),
  keepBytes: amount.default(1_073_741_824).describe("Bytes of runs that are kept."),
});

export const serverLimitsSchema = httpLimitsSchema.extend(serviceLimitsSchema.shape);

export type HttpLimits = Readonly<z.output<typeof httpLimitsSchema>>;
export type ServiceLimits = Readonly<z.output<typeof serviceLimitsSchema>>;
export type ServerLimits = Readonly<z.output<typeof serverLimitsSchema>>;
