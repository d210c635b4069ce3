/** One step on the terminal: number, writer, reward, bar, text. */
import { rewardText } from "./numbers.js";
import type { BoardStep } from "./step-board.js";
import { originColour, type Style } from "./style.js";
import { clip, harmless, oneLine, padEnd, wrap } from "./terminal-text.js";

/** Number 3, space, writer 7, space, reward 4, then " │ ". */
const gutter = 19;

function head(step: BoardStep): string {
  return `${String(step.number).padStart(3)} ${padEnd(clip(oneLine(step.origin), 7), 7)} ${rewardText(step.reward).padStart(4)}`;
}

function textOf(step: BoardStep): string {
  return harmless(step.text)
    .replace(/^\s*\n/, "")
    .trimEnd();
}

/** A step that is part of the answer, in full. */
export function settledLines(step: BoardStep, style: Style, columns: number): string[] {
  const colour = style[originColour(step.origin)];
  return wrap(textOf(step), columns - gutter).map((line, index) => {
    const left = index === 0 ? head(step) : "".padEnd(gutter - 3);
    return `${colour(left)} ${colour("│")} ${line}`;
  });
}

/** A step that was taken back: one dim line. */
export function rejectedLine(step: BoardStep, style: Style, columns: number): string {
  return style.dim(`${head(step)} ✗ ${clip(oneLine(step.text), columns - gutter)}`);
}

/** The end of a step that may still be taken back, in at most `height` lines. */
export function provisionalLines(step: BoardStep, style: Style, columns: number, height: number): string[] {
  const lines = wrap(textOf(step), columns - gutter);
  const shown = lines.slice(-height);
  const cut = shown.length < lines.length;
  return shown.map((line, index) => {
    const left = index === 0 ? head(step) : "".padEnd(gutter - 3);
    const mark = index === 0 && cut ? "…" : "┆";
    return style.dim(`${left} ${mark} ${line}`);
  });
}

/** For logs and pipes: everything on one line. */
export function plainLine(step: BoardStep, rejected: boolean, style: Style): string {
  const colour = style[originColour(step.origin)];
  const line = `${colour(head(step))} ${rejected ? "✗" : "│"} ${oneLine(step.text)}`;
  return rejected ? style.dim(line) : line;
}
