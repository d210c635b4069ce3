/** From the middle of an answer to ends of it: the draft goes on from a step, several times over. */
import { z } from "zod";
import {
  addUsage,
  type Branch,
  type ChatMessage,
  type Model,
  type Sampling,
  type Usage,
  wholeUsage,
} from "../../../core/model.js";
import { promptPassage } from "../../../core/prompt.js";
import type { Token } from "../../../core/step.js";
import type { TaskQuestion } from "../../../tasks/task.js";
import { type AnswerRecord, answerKey } from "../answers.js";
import { type LabelContext, type LabelUsage, toLabelUsage } from "./label-source.js";

export const rolloutFields = {
  rollouts: z.int().min(1).max(256).default(8).describe("ends that the draft writes from a step"),
  temperature: z.number().min(0).max(2).default(0.7).describe("of these ends"),
};

export interface RolloutOptions {
  readonly rollouts: number;
  readonly temperature: number;
}

/** What all ends of an answer go on from. */
interface Trunk {
  readonly branch: Branch;
  /** Its tokens before the first step, after it, and so on. */
  readonly lengths: readonly number[];
  readonly usage: Usage;
}

/** An answer that the draft has read once; ends of it are written from branches that share what they have in common. */
export class AnswerRollouts implements Disposable {
  readonly #answer: AnswerRecord;
  readonly #question: TaskQuestion;
  readonly #context: LabelContext;
  readonly #options: RolloutOptions;
  readonly #trunk: Trunk;
  #usage: Usage;
  #calls = 0;

  private constructor(
    answer: AnswerRecord,
    question: TaskQuestion,
    options: RolloutOptions,
    context: LabelContext,
    trunk: Trunk,
  ) {
    this.#answer = answer;
    this.#question = question;
    this.#options = options;
    this.#context = context;
    this.#trunk = trunk;
    this.#usage = trunk.usage;
  }

  /** Reads the answer but for its last step, whose end is known. */
  static async read(
    answer: AnswerRecord,
    question: TaskQuestion,
    options: RolloutOptions,
    context: LabelContext,
  ): Promise<AnswerRollouts> {
    const trunk = await readTrunk(answer.steps.slice(0, -1), question, context);
    return new AnswerRollouts(answer, question, options, context, trunk);
  }

  get usage(): LabelUsage {
    return toLabelUsage(this.#usage, this.#calls);
  }

  /** How many of the ends written after the first `steps` steps (not all of them) are right. */
  async rightAfter(steps: number): Promise<number> {
    const verdicts = await Promise.all(
      Array.from({ length: this.#options.rollouts }, (_, rollout) => this.#isRight(steps, rollout)),
    );
    return verdicts.filter(Boolean).length;
  }

  async #isRight(steps: number, rollout: number): Promise<boolean> {
    const branch = this.#trunk.branch.fork();
    try {
      branch.trim(this.#trunk.lengths[steps]!);
      const text = await this.#end(branch, steps, rollout);
      return (await this.#context.grade(this.#question, text)).correct;
    } finally {
      branch.drop();
    }
  }

  /** The whole text of one answer: written by steps, so that it ends where a run would end it. */
  async #end(branch: Branch, steps: number, rollout: number): Promise<string> {
    const { splitter, maxTokens, signal, seed } = this.#context;
    const sampling: Sampling = {
      ...{ temperature: this.#options.temperature, topK: 0, topP: 1, minP: 0 },
      seed,
    };
    const before = this.#answer.steps.slice(0, steps);
    const key = `rollout\n${answerKey(this.#answer)}\n${steps}\n${rollout}`;
    let text = before.map((step) => step.text).join("");
    let last = before.at(-1)?.text.trim();
    let room = Math.max(1, maxTokens - before.reduce((sum, { tokens }) => sum + tokens.length, 0));
    this.#calls++;
    while (room > 0) {
      const extension = await branch.extend({ splitter, maxTokens: room, sampling, key, signal });
      signal?.throwIfAborted();
      this.#usage = addUsage(this.#usage, wholeUsage(extension));
      text += extension.text;
      room -= extension.tokens.length;
      const written = extension.text.trim();
      // As in a run: a blank or repeated step is a loop, and loops end no answer.
      if (extension.stop !== "delimiter" || written === "" || written === last) break;
      last = written;
    }
    return text;
  }

  [Symbol.dispose](): void {
    this.#trunk.branch.drop();
  }
}

async function readTrunk(
  steps: AnswerRecord["steps"],
  { question }: TaskQuestion,
  { draft, system, signal }: LabelContext,
): Promise<Trunk> {
  const model = draft!;
  const asked: ChatMessage[] = [{ role: "user", content: question }];
  const messages: ChatMessage[] = system === null ? asked : [{ role: "system", content: system }, ...asked];
  const branch = await model.open(await promptPassage(model, messages, { signal }), {
    special: true,
    signal,
  });
  try {
    const ids = await Promise.all(steps.map((step) => idsIn(model, step)));
    const lengths = [branch.length];
    for (const { length } of ids) lengths.push(lengths.at(-1)! + length);
    const text = steps.map((step) => step.text).join("");
    const passage = { text, tokens: ids.flat(), vocabulary: model.vocabulary };
    const { usage } = await branch.append(passage, { signal });
    return { branch, lengths, usage };
  } catch (error) {
    branch.drop();
    throw error;
  }
}

async function idsIn(model: Model, step: AnswerRecord["steps"][number]): Promise<readonly Token[]> {
  return step.vocabulary === model.vocabulary ? step.tokens : model.tokenize(step.text);
}
