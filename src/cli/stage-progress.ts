/** How far a stage of a long work is: one line that is drawn anew on a terminal; a line at every tenth elsewhere. */
import type { StageProgress } from "../train/reward/training.js";
import type { Output } from "./host.js";
import { count, duration, percent } from "./numbers.js";
import { clip } from "./terminal-text.js";

const frameMilliseconds = 200;
/** Elsewhere than on a terminal. */
const linesPerStage = 10;
const lineMilliseconds = 1000;

export interface StageProgressLine extends Disposable {
  show(progress: StageProgress): void;
  /** A sentence between the lines of progress. */
  say(sentence: string): void;
}

export function createStageProgress(output: Output): StageProgressLine {
  let stage = "";
  let started = { at: 0, done: 0 };
  let drawn = Number.NEGATIVE_INFINITY;
  let part = -1;
  let open = false;
  const close = () => {
    if (open) output.write("\n");
    open = false;
  };
  return {
    show(progress) {
      const now = performance.now();
      if (progress.stage !== stage) {
        close();
        stage = progress.stage;
        // The first of them took time that nobody measured: the time left is told from the second on.
        started = { at: now, done: progress.done };
        part = -1;
        drawn = Number.NEGATIVE_INFINITY;
      }
      const { done, of } = progress;
      const line = describe(progress, ((now - started.at) / 1000 / (done - started.done)) * (of - done));
      if (output.isTerminal) {
        if (done < of && now - drawn < frameMilliseconds) return;
        drawn = now;
        open = true;
        output.write(`\r\x1b[K${clip(line, output.columns - 1)}`);
        return;
      }
      const reached = Math.floor((done / of) * linesPerStage);
      if (reached === part || (done < of && now - drawn < lineMilliseconds)) return;
      output.write(`${line}\n`);
      part = reached;
      drawn = now;
    },
    say(sentence) {
      close();
      output.write(`${sentence}\n`);
    },
    [Symbol.dispose]: close,
  };
}

function describe({ stage, unit, done, of }: StageProgress, left: number): string {
  return [
    `${stage} ${percent(done / of)}`,
    ...(unit === undefined ? [] : [`${count(done)} of ${count(of)} ${unit}`]),
    ...(done < of && Number.isFinite(left) ? [`${duration(left)} left`] : []),
  ].join(", ");
}
