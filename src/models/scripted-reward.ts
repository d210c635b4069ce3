/** A reward without a model: a function of the question and the steps. */
import { noUsage, type Usage } from "../core/model.js";
import type { Reward, RewardAdvice, Score, Scorer } from "../core/reward.js";
import type { Step } from "../core/step.js";
import { type Script, Stage } from "./scripted-faults.js";

export interface ScriptedRewardOptions extends Script {
  readonly name?: string;
  /** The last step's reward. What it returns or throws goes out as it is, faults included. */
  readonly score: (question: string, steps: readonly string[]) => unknown;
  /** FLOPs per byte read, made up. */
  readonly flopsPerByte?: number;
  readonly advice?: RewardAdvice;
}

export class ScriptedReward implements Reward {
  readonly name: string;
  readonly essence = "a function of the question and the steps, for tests and demos";
  readonly stage: Stage;
  readonly options: ScriptedRewardOptions;
  readonly advice?: RewardAdvice;
  /** Scorers that are open now. */
  liveScorers = 0;
  /** Scores given so far. */
  passes = 0;
  /** Bytes read so far. */
  bytesRead = 0;

  constructor(options: ScriptedRewardOptions) {
    this.options = options;
    this.name = options.name ?? "scripted";
    if (options.advice) this.advice = options.advice;
    this.stage = new Stage(options);
  }

  async open(question: string): Promise<Scorer> {
    return new ScriptedScorer(this, question, [], Buffer.byteLength(question));
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

class ScriptedScorer implements Scorer {
  readonly #reward: ScriptedReward;
  readonly #question: string;
  readonly #steps: string[];
  /** Bytes taken in but not paid for. */
  #unread: number;
  #dropped = false;

  constructor(reward: ScriptedReward, question: string, steps: readonly string[], unread: number) {
    this.#reward = reward;
    this.#question = question;
    this.#steps = [...steps];
    this.#unread = unread;
    reward.liveScorers++;
  }

  append(step: Step, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<Score> {
    return this.#reward.stage.play("score", signal, async (seconds) => {
      this.skip(step);
      const value = (await this.#reward.options.score(this.#question, this.#steps)) as number;
      this.#reward.passes++;
      return { value, usage: this.#pay(seconds) };
    });
  }

  skip(step: Step): void {
    this.#steps.push(step.text);
    this.#unread += Buffer.byteLength(step.text);
  }

  flopsBound(step: Step): number {
    return (this.#unread + Buffer.byteLength(step.text)) * this.#flopsPerByte;
  }

  fork(): Scorer {
    return new ScriptedScorer(this.#reward, this.#question, this.#steps, this.#unread);
  }

  drop(): void {
    if (this.#dropped) return;
    this.#dropped = true;
    this.#reward.liveScorers--;
  }

  get #flopsPerByte(): number {
    return this.#reward.options.flopsPerByte ?? 100;
  }

  #pay(seconds: number): Usage {
    const bytes = this.#unread;
    this.#unread = 0;
    this.#reward.bytesRead += bytes;
    return {
      ...noUsage,
      prefillTokens: bytes,
      flops: bytes * this.#flopsPerByte,
      seconds: seconds + bytes * 1e-6,
    };
  }
}
