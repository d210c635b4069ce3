/** What a folder of training work was made with: the same work goes on where it was cut, another is refused. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { firstDifference } from "../../core/difference.js";
import { StepwrightError } from "../../core/errors.js";
import { replaceFile } from "../../core/replace-file.js";
import { canonical } from "../../core/run-identity.js";
import type { TaskQuestion } from "../../tasks/task.js";

const version = 1;

const planSchema = z.object({
  version: z.literal(version),
  /** Each question's id with a checksum: questions may be added, and may not change. */
  questions: z.array(z.tuple([z.string(), z.string()])),
  /** For each file of the folder, everything that decides what stands in it. */
  stages: z.record(z.string(), z.json()),
});

type StoredPlan = z.infer<typeof planSchema>;

/** Plain data without what is undefined, as it is when the file is read again. */
type StageSettings = Readonly<Record<string, unknown>>;

/**
 * `plan.json` of a folder. A stage that the file does not know is taken as it is found: answers may have been written
 * by another program.
 */
export class TrainingPlan {
  readonly #path: string;
  #stored: StoredPlan;

  private constructor(path: string, stored: StoredPlan) {
    this.#path = path;
    this.#stored = stored;
  }

  /** Throws `checkpoint-invalid` for a damaged file, `storage-failed` where it cannot be read. */
  static async open(path: string): Promise<TrainingPlan> {
    const text = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === "ENOENT") return null;
      throw new StepwrightError("storage-failed", `${path} cannot be read: ${cause.message}`, {
        subject: path,
        cause,
      });
    });
    if (text === null) return new TrainingPlan(path, { version, questions: [], stages: {} });
    const parsed = planSchema.safeParse(jsonOf(text));
    if (parsed.success) return new TrainingPlan(path, parsed.data);
    throw new StepwrightError("checkpoint-invalid", `${path} is no plan of a reward's training`, {
      subject: path,
      remedy: "choose another folder: --work DIR",
    });
  }

  /** Throws `invalid-option` where a question of this id was another one. */
  async settleQuestions(questions: readonly TaskQuestion[]): Promise<void> {
    const known = new Map(this.#stored.questions);
    for (const question of questions) {
      const { id } = question;
      const checksum = checksumOf(question);
      const before = known.get(id) ?? checksum;
      if (before !== checksum) throw this.#other(`question ${id} is another one now`, "--task");
      known.set(id, checksum);
    }
    await this.#store({ ...this.#stored, questions: [...known] });
  }

  /** Throws `invalid-option`, saying what differs, where the stage was done with other settings. */
  async settle(stage: string, settings: StageSettings): Promise<void> {
    const here = JSON.parse(JSON.stringify(settings)) as z.infer<ReturnType<typeof z.json>>;
    const there = this.#stored.stages[stage];
    const difference = there === undefined ? undefined : firstDifference(there, here);
    if (difference) {
      const { at, there, here } = difference;
      throw this.#other(`its ${stage} are of ${at} ${there}, here it is ${here}`, at);
    }
    await this.#store({ ...this.#stored, stages: { ...this.#stored.stages, [stage]: here } });
  }

  async #store(plan: StoredPlan): Promise<void> {
    if (canonical(plan) === canonical(this.#stored)) return;
    this.#stored = plan;
    await replaceFile(this.#path, `${JSON.stringify(plan, null, 1)}\n`);
  }

  #other(what: string, subject: string): StepwrightError {
    return new StepwrightError("invalid-option", `${this.#path} is of another training: ${what}`, {
      subject,
      remedy: "give the same flags to go on with it, or choose another folder: --work DIR",
    });
  }
}

function checksumOf({ question, reference }: TaskQuestion): string {
  return createHash("sha256")
    .update(canonical([question, reference]))
    .digest("hex")
    .slice(0, 16);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
