/** Grades pairs in processes of their own, several at a time, each under a deadline. */
import { StepwrightError } from "../core/errors.js";
import type { Grade, GradeReply, GradeRequest } from "./grading.js";
import { GradingProcess } from "./grading-process.js";
import type { Pair } from "./lenient-verdict.js";

export interface GraderOptions {
  /** Processes at work at the same time; default 1. */
  readonly processes?: number;
  /** Milliseconds for one pair; what is not known by then counts as wrong. Default 3000. */
  readonly deadline?: number;
}

interface Waiting {
  readonly request: GradeRequest;
  resolve(reply: GradeReply): void;
  reject(error: unknown): void;
}

export class Grader implements AsyncDisposable {
  private readonly idle: GradingProcess[];
  private readonly all: readonly GradingProcess[];
  private readonly waiting: Waiting[] = [];
  private readonly deadline: number;
  private closed = false;

  constructor({ processes = 1, deadline = 3000 }: GraderOptions = {}) {
    this.all = Array.from({ length: Math.max(1, processes) }, () => new GradingProcess());
    this.idle = [...this.all];
    this.deadline = deadline;
  }

  /** Both verdicts on a prediction. Never throws over what a pair contains. */
  async grade(pair: Pair): Promise<Grade> {
    const { correct = false, strict = false, extracted = "" } = await this.ask({ pair });
    return { correct, strict, extracted };
  }

  /** Whether two answers mean the same, strictly: what a majority vote counts as one. Symmetric. */
  async sameAnswer(a: string, b: string): Promise<boolean> {
    if (a === b) return true;
    return (await this.ask({ same: [a, b] })).same ?? false;
  }

  /** Ends the processes; what is not graded yet is refused. */
  close(): void {
    this.closed = true;
    for (const { reject } of this.waiting.splice(0)) reject(closedError());
    for (const process of this.all) process.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  private ask(request: GradeRequest): Promise<GradeReply> {
    if (this.closed) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      this.waiting.push({ request, resolve, reject });
      this.work();
    });
  }

  private work(): void {
    const next = this.waiting[0];
    const process = next && this.idle.pop();
    if (process === undefined) return;
    const { request, resolve, reject } = this.waiting.shift()!;
    process
      .ask(request, this.deadline)
      .then((reply) => {
        // Cut short, it says nothing about the pair.
        if (this.closed && !reply.done) throw closedError();
        resolve(reply);
      })
      .catch((error: unknown) => reject(this.closed ? closedError() : error))
      .finally(() => {
        this.idle.push(process);
        this.work();
      });
  }
}

function closedError(): StepwrightError {
  return new StepwrightError("aborted", "the grader was closed", { remedy: "make a new one" });
}
