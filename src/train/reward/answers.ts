/** The draft's own answers to the training questions: what a reward must be able to judge. Written once, read by all labels. */
import { z } from "zod";
import { throwIfAborted } from "../../core/errors.js";
import { inFlight } from "../../core/in-flight.js";
import { RecordFile } from "../../core/record-file.js";
import type { RunRequest } from "../../core/run.js";
import { startRun } from "../../core/run.js";
import type { AnswerVerdict, TaskQuestion } from "../../tasks/task.js";

const storedStep = z.object({
  text: z.string(),
  tokens: z.array(z.int()),
  vocabulary: z.string(),
  origin: z.string(),
  stop: z.enum(["delimiter", "end", "cap", "context", "cut"]),
  logprobs: z.array(z.number()),
  entropies: z.array(z.number()),
});

const answerRecord = z.object({
  /** The question's id within its task. */
  question: z.string(),
  /** 0 is the greedy answer; later ones are sampled. */
  sample: z.int().min(0),
  steps: z.array(storedStep),
  finish: z.string(),
  /** The grader's lenient verdict on the whole answer. */
  right: z.boolean(),
  tokens: z.int(),
  flops: z.number(),
  seconds: z.number(),
});

/** One answer with its steps as they were written; steps are `Step`s without states. */
export type AnswerRecord = z.infer<typeof answerRecord>;

export function answerKey({ question, sample }: Pick<AnswerRecord, "question" | "sample">): string {
  return `${sample}:${question}`;
}

export function openAnswers(path: string): Promise<RecordFile<AnswerRecord>> {
  return RecordFile.open<AnswerRecord>(path, {
    parse: (stored) => answerRecord.safeParse(stored).data ?? null,
    key: answerKey,
    what: "answer",
    code: "checkpoint-invalid",
  });
}

export interface AnswerWork {
  readonly questions: readonly TaskQuestion[];
  /** What each run is made of but its question and seed: the method that writes with the draft, roles, limits. */
  readonly request: Omit<RunRequest, "question" | "seed" | "sampling" | "signal">;
  /** How many answers to a question; the first is greedy, the others sampled at `temperature`. */
  samples(question: TaskQuestion): number;
  readonly temperature: number;
  readonly seed: number;
  /** Questions in flight at once. */
  readonly concurrency: number;
  grade(question: TaskQuestion, text: string): Promise<Pick<AnswerVerdict, "correct">>;
  readonly signal?: AbortSignal | undefined;
  onAnswer?(done: number, of: number): void;
}

/** Writes the answers that `file` lacks. An abort keeps what is finished. */
export async function writeAnswers(file: RecordFile<AnswerRecord>, work: AnswerWork): Promise<void> {
  const { questions } = work;
  const cells = questions.flatMap((question) =>
    Array.from({ length: work.samples(question) }, (_, sample) => ({ question, sample })),
  );
  const missing = cells.filter(
    ({ question, sample }) => !file.has(answerKey({ question: question.id, sample })),
  );
  let done = cells.length - missing.length;
  await inFlight(missing, work.concurrency, work.signal, async ({ question, sample }) => {
    await file.append(await answer(question, sample, work));
    work.onAnswer?.(++done, cells.length);
  });
}

async function answer(question: TaskQuestion, sample: number, work: AnswerWork): Promise<AnswerRecord> {
  const run = startRun({
    ...work.request,
    question: question.question,
    // One stream of random numbers for each answer.
    seed: work.seed + sample,
    sampling: { temperature: sample === 0 ? 0 : work.temperature },
    ...(work.signal && { signal: work.signal }),
  });
  const steps: AnswerRecord["steps"] = [];
  for await (const event of run) {
    if (event.type !== "step-written") continue;
    const { text, tokens, vocabulary, origin, stop, logprobs, entropies } = event;
    steps.push({
      ...{ text, vocabulary, origin, stop },
      ...{ tokens: [...tokens], logprobs: [...logprobs], entropies: [...entropies] },
    });
  }
  const { text, finish, ledger } = await run.result;
  throwIfAborted(work.signal);
  const { correct } = await work.grade(question, text);
  const { decodeTokens = 0, flops = 0, seconds = 0 } = ledger.draft ?? {};
  return {
    ...{ question: question.id, sample, steps, finish, right: correct },
    ...{ tokens: decodeTokens, flops, seconds },
  };
}
