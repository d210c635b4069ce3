/** What models read of the stored answers, one record for each answer and kind of reading: read once, fitted often. */
import { z } from "zod";
import { groupBy } from "../../core/group-by.js";
import { inFlight } from "../../core/in-flight.js";
import { addUsage, type Model, noUsage } from "../../core/model.js";
import { RecordFile } from "../../core/record-file.js";
import type { Step, StepStates } from "../../core/step.js";
import { openReadings } from "../../rewards/readings/index.js";
import type {
  ReaderRole,
  ReadingChain,
  ReadingCost,
  ReadingNeeds,
  StepReadings,
} from "../../rewards/readings/readings.js";
import type { TaskQuestion } from "../../tasks/task.js";
import { type AnswerRecord, answerKey } from "./answers.js";

type ReadingKind = "likelihood" | "typical" | "state" | "judge";
/** As `ReadingCost.parts` names them. */
export type ReadingPart = `${ReadingKind}:${ReaderRole}`;

const usage = z.object({
  prefillTokens: z.number(),
  recomputedTokens: z.number(),
  decodeTokens: z.number(),
  flops: z.number(),
  seconds: z.number(),
});

const readingRecord = z.object({
  part: z.string(),
  question: z.string(),
  sample: z.int().min(0),
  /** One for each step: log-probabilities of its tokens, one number (typical, P(yes)), or the three states one after another in base64. */
  steps: z.union([z.array(z.array(z.number())), z.array(z.number()), z.array(z.string())]),
  usage,
});

export type ReadingRecord = z.infer<typeof readingRecord>;

const readingKey = (part: string, answer: Pick<AnswerRecord, "question" | "sample">) =>
  `${part}:${answerKey(answer)}`;

export function openReadingsFile(path: string): Promise<RecordFile<ReadingRecord>> {
  return RecordFile.open<ReadingRecord>(path, {
    parse: (stored) => readingRecord.safeParse(stored).data ?? null,
    key: (record) => readingKey(record.part, record),
    what: "reading",
    code: "checkpoint-invalid",
  });
}

export function partsOf({ likelihoods, typicals, states, judges }: ReadingNeeds): ReadingPart[] {
  return [
    ...likelihoods.map((role) => `likelihood:${role}` as const),
    ...typicals.map((role) => `typical:${role}` as const),
    ...states.map((role) => `state:${role}` as const),
    ...judges.map((role) => `judge:${role}` as const),
  ];
}

export function needsOfParts(parts: readonly ReadingPart[]): ReadingNeeds {
  const rolesOf = (wanted: ReadingKind) =>
    parts.map(kindAndRole).flatMap(([kind, role]) => (kind === wanted ? [role] : []));
  return {
    likelihoods: rolesOf("likelihood"),
    typicals: rolesOf("typical"),
    states: rolesOf("state"),
    judges: rolesOf("judge"),
  };
}

export function kindAndRole(part: ReadingPart): readonly [ReadingKind, ReaderRole] {
  return part.split(":") as [ReadingKind, ReaderRole];
}

export interface ReadingWork {
  readonly answers: readonly AnswerRecord[];
  readonly questions: ReadonlyMap<string, TaskQuestion>;
  readonly parts: readonly ReadingPart[];
  readonly models: Partial<Record<ReaderRole, Model>>;
  /** The system message under which the answers were written. */
  readonly system: string | null;
  readonly concurrency: number;
  readonly signal?: AbortSignal | undefined;
  onAnswer?(done: number, of: number): void;
}

/** Reads what `file` lacks, a question's prompt once for all its answers. An abort keeps what is finished. */
export async function gatherReadings(file: RecordFile<ReadingRecord>, work: ReadingWork): Promise<void> {
  const { answers, parts, signal } = work;
  const lacks = (answer: AnswerRecord) => (part: ReadingPart) => !file.has(readingKey(part, answer));
  const waiting = answers.filter((answer) => parts.some(lacks(answer)));
  if (waiting.length === 0) return;
  const missing = parts.filter((part) => waiting.some((answer) => lacks(answer)(part)));
  await using source = await openReadings(needsOfParts(missing), work.models);
  let done = answers.length - waiting.length;
  const byQuestion = [...groupBy(waiting, ({ question }) => question)];
  await inFlight(byQuestion, work.concurrency, signal, async ([id, own]) => {
    const asked = await source.open(work.questions.get(id)!.question, { system: work.system });
    try {
      for (const answer of own) {
        await readAnswer(file, answer, missing.filter(lacks(answer)), asked, signal);
        work.onAnswer?.(++done, answers.length);
      }
    } finally {
      asked.drop();
    }
  });
}

async function readAnswer(
  file: RecordFile<ReadingRecord>,
  answer: AnswerRecord,
  parts: readonly ReadingPart[],
  asked: ReadingChain,
  signal: AbortSignal | undefined,
): Promise<void> {
  const chain = asked.fork();
  const read: { readings: StepReadings; cost: ReadingCost }[] = [];
  try {
    for (const step of answer.steps) read.push(await chain.append(step, { signal }));
  } finally {
    chain.drop();
  }
  for (const part of parts) {
    const readings = read.map((one) => one.readings);
    await file.append({
      ...{ part, question: answer.question, sample: answer.sample },
      steps: storedSteps(part, readings),
      usage: usage.parse(read.reduce((sum, { cost }) => addUsage(sum, cost.parts[part] ?? noUsage), noUsage)),
    });
  }
}

/** The readings of an answer's steps, out of its records. All parts must be there. */
export function readingsOf(
  file: Pick<RecordFile<ReadingRecord>, "get">,
  answer: AnswerRecord,
  parts: readonly ReadingPart[],
): StepReadings[] {
  const records = parts.map((part) => [part, file.get(readingKey(part, answer))!.steps] as const);
  return answer.steps.map((step, index) => {
    const readings: StepReadings = {
      ...{ step: step as Step, index, earlier: answer.steps.slice(0, index) },
      ...{ likelihoods: {}, typicals: {}, states: {}, judges: {} },
    };
    for (const [part, steps] of records) {
      const [kind, role] = kindAndRole(part);
      places[kind](readings, role, steps[index]!);
    }
    return readings;
  });
}

/** Where each kind of reading stands among a step's. */
const places = {
  likelihood: (readings: StepReadings, role: ReaderRole, value: unknown) => {
    readings.likelihoods[role] = value as number[];
  },
  typical: (readings: StepReadings, role: ReaderRole, value: unknown) => {
    readings.typicals[role] = value as number;
  },
  state: (readings: StepReadings, role: ReaderRole, value: unknown) => {
    readings.states[role] = decodeStates(value as string);
  },
  judge: (readings: StepReadings, role: ReaderRole, value: unknown) => {
    readings.judges[role] = value as number;
  },
};

function storedSteps(part: ReadingPart, readings: readonly StepReadings[]): ReadingRecord["steps"] {
  const [kind, role] = kindAndRole(part);
  switch (kind) {
    case "likelihood":
      return readings.map(({ likelihoods }) => likelihoods[role]!.map(storable));
    case "typical":
      return readings.map(({ typicals }) => storable(typicals[role]!));
    case "judge":
      return readings.map(({ judges }) => judges[role]!);
    case "state":
      return readings.map(({ states }) => encodeStates(states[role]!));
  }
}

/** What JSON cannot hold is as improbable as what it can. */
function storable(logprob: number): number {
  return Math.max(-1e6, logprob);
}

export function encodeStates({ least, mean, end }: StepStates): string {
  const bytes = [least, mean, end].map(({ buffer, byteOffset, byteLength }) =>
    Buffer.from(buffer, byteOffset, byteLength),
  );
  return Buffer.concat(bytes).toString("base64");
}

export function decodeStates(text: string): StepStates {
  // A copy of its own: a small buffer may lie in a shared one at any place.
  const all = new Float32Array(Uint8Array.from(Buffer.from(text, "base64")).buffer);
  const width = all.length / 3;
  return {
    least: all.subarray(0, width),
    mean: all.subarray(width, 2 * width),
    end: all.subarray(2 * width),
  };
}
