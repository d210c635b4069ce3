/** How far a bench is: one line that is drawn anew on a terminal, a line for every question elsewhere. */
import type { BenchResult } from "../bench/result.js";
import { wilsonInterval } from "../bench/statistics.js";
import type { Output } from "./host.js";
import { count, metric, percent, seconds } from "./numbers.js";
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
      const fresh = results.length - plan.earlier.length;
      const now = performance.now();
      const left = ((now - started) / 1000 / fresh) * (plan.runs - results.length);
      const line = progressLine(results, result, plan.runs, left);
      if (output.isTerminal) {
        if (now - drawn < frameMilliseconds && results.length < plan.runs) return;
        drawn = now;
        open = true;
        output.write(`\r\x1b[K${clip(line, output.columns - 1)}`);
      } else if (results.length % plan.runsPerQuestion === 0 || results.length === plan.runs) {
        output.write(`${line}\n`);
      }
    },
    [Symbol.dispose]() {
      if (open) output.write("\n");
    },
  };
}

/** Of the method that has just answered: its accuracy so far. */
function progressLine(
  results: readonly BenchResult[],
  last: BenchResult,
  runs: number,
  left: number,
): string {
  const own = results.filter(({ method }) => method === last.method);
  const right = own.filter(({ correct }) => correct).length;
  const [low, high] = wilsonInterval(right, own.length);
  const tokens = results.reduce((sum, result) => sum + written(result), 0);
  return harmless(
    [
      `${count(results.length)}/${count(runs)}`,
      `${last.method} ${percent(right / own.length)} [${percent(low)}, ${percent(high)}]`,
      `${tokens < 10_000 ? count(tokens) : metric(tokens)} tokens`,
      ...(results.length < runs ? [`about ${seconds(left)} left`] : []),
    ].join(" · "),
  );
}

function written({ ledger: { draft, target } }: BenchResult): number {
  return (draft?.decodeTokens ?? 0) + (target?.decodeTokens ?? 0);
}
