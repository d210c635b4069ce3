/** One line that is drawn anew on a terminal; a line at every tenth elsewhere. */
import type { PullProgress } from "../models/hub.js";
import type { Output } from "./host.js";
import { bytes, percent } from "./numbers.js";
import { clip } from "./terminal-text.js";

const frameMilliseconds = 100;

export function createProgress(output: Output): { show(progress: PullProgress): void } & Disposable {
  let drawn = 0;
  let tenth = -1;
  let open = false;
  return {
    show({ file, bytes: done, totalBytes }) {
      const share = totalBytes > 0 ? done / totalBytes : 1;
      const line = `${percent(share)} of ${bytes(totalBytes)}, ${file}`;
      if (output.isTerminal) {
        const now = Date.now();
        if (share < 1 && now - drawn < frameMilliseconds) return;
        drawn = now;
        open = true;
        output.write(`\r\x1b[K${clip(line, output.columns - 1)}`);
      } else if (Math.floor(share * 10) > tenth) {
        tenth = Math.floor(share * 10);
        output.write(`${line}\n`);
      }
    },
    [Symbol.dispose]() {
      if (open) output.write("\n");
    },
  };
}
