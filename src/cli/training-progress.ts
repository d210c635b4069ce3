/** How far a training is: one line that is drawn anew on a terminal; a line at every twentieth elsewhere. */
import type { TrainingProgress } from "../train/train-model.js";
import type { Output } from "./host.js";
import { count, duration, percent } from "./numbers.js";
import { clip } from "./terminal-text.js";

const frameMilliseconds = 200;
const linesPerTraining = 20;

export function createTrainingProgress(
  output: Output,
): { show(name: string, progress: TrainingProgress): void } & Disposable {
  let drawn = 0;
  let lastLine = "";
  let open = false;
  return {
    show(name, progress) {
      const line = describe(name, progress);
      if (output.isTerminal) {
        const now = Date.now();
        if (now - drawn < frameMilliseconds) return;
        drawn = now;
        open = true;
        output.write(`\r\x1b[K${clip(line, output.columns - 1)}`);
        return;
      }
      const part = `${name} ${Math.floor((progress.tokens / progress.totalTokens) * linesPerTraining)}`;
      if (part !== lastLine) output.write(`${line}\n`);
      lastLine = part;
    },
    [Symbol.dispose]() {
      if (open) output.write("\n");
    },
  };
}

function describe(name: string, progress: TrainingProgress): string {
  const { step, tokens, totalTokens, loss, accuracy, tokensPerSecond, secondsLeft } = progress;
  return [
    `${name} ${percent(Math.min(1, tokens / totalTokens))}`,
    `step ${count(step)}`,
    `loss ${loss.toFixed(3)}`,
    `${(100 * accuracy).toFixed(1)}% right`,
    `${count(Math.round(tokensPerSecond))} tokens/s`,
    `${duration(secondsLeft)} left`,
  ].join(", ");
}
