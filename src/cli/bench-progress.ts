/** How far a bench is: one line that is drawn anew on a terminal, a line for every question elsewhere. */
import { verdictsByQuestion } from "../bench/paired-difference.js";
import type { BenchResult } from "../bench/result.js";
import type { ErrorData } from "../core/errors.js";
import { wilsonInterval } from "../core/wilson-interval.js";
import type { Output } from "./host.js";
import { count, duration, metric, percent } from "./numbers.js";
import { clip, harmless } from "./terminal-text.js";

const frameMilliseconds = 100;

export interface BenchProgress extends Disposable {
  take(result: BenchResult): void;
}

export interface ProgressPlan {
  /** Runs in the whole bench, and results of those that are there already. */
  readonly runs: number;
  readonly earlier: readonly BenchResult[];
  /** Runs of one question: elsewhere than on a terminal, that many make a line. */
  readonly runsPerQuestion: number;
}

export function createBenchProgress(output: Output, plan: ProgressPlan): BenchProgress {
  const started = performance.now();
  const results = [...plan.earlier];
  let drawn = Number.NEGATIVE_INFINITY;
  let open = false;
  return {
    take(result) {
      results.push(result);
      if (result.error) {
        output.write(`${open ? "\r\x1b[K" : ""}${failureLine(result, result.error)}\n`);
        open = false;
      }
      const fresh = results.length - plan.earlier.length;
      const now = performance.now();
      const isLast = results.length === plan.runs;
      const isDue = output.isTerminal
        ? now - drawn >= frameMilliseconds
        : results.length % plan.runsPerQuestion === 0;
      if (!isDue && !isLast) return;
      drawn = now;
      const left = ((now - started) / 1000 / fresh) * (plan.runs - results.length);
      const line = progressLine(results, plan.runs, left);
      if (!output.isTerminal) return output.write(`${line}\n`);
      open = true;
      output.write(`\r\x1b[K${clip(line, output.columns - 1)}`);
    },
    [Symbol.dispose]() {
      if (open) output.write("\n");
    },
  };
}

function failureLine({ question, method, seed }: BenchResult, error: ErrorData): string {
  return harmless(`failed: question ${question}, ${method}, seed ${seed}: ${error.message}`);
}

/** Time left and every method's accuracy so far; a question counts once, whatever the number of its seeds. */
function progressLine(results: readonly BenchResult[], runs: number, left: number): string {
  const methods = [...new Set(results.map(({ method }) => method))].sort();
  const tokens = results.reduce((sum, result) => sum + written(result), 0);
  // What matters most stands first: a narrow terminal cuts the end off.
  return harmless(
    [
      `${count(results.length)}/${count(runs)}`,
      ...(results.length < runs ? [`${duration(left)} left`] : []),
      `${tokens < 10_000 ? count(tokens) : metric(tokens)} tokens`,
      ...methods.map((name) => accuracyText(name, results)),
    ].join(" · "),
  );
}

/** "draft 33 % (10-70)": the share that is right and its 95 % interval. */
function accuracyText(name: string, results: readonly BenchResult[]): string {
  const own = results.filter(({ method }) => method === name);
  const verdicts = [...verdictsByQuestion(own, "correct").values()];
  const right = verdicts.reduce((sum, share) => sum + share, 0);
  const [low, high] = wilsonInterval(right, verdicts.length).map((share) => Math.round(share * 100));
  return `${name} ${percent(right / verdicts.length)} (${low}-${high})`;
}

function written({ ledger: { draft, target } }: BenchResult): number {
  return (draft?.decodeTokens ?? 0) + (target?.decodeTokens ?? 0);
}
