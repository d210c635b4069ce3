/**
 * Shows a run as it goes. On a terminal the undecided steps stand dim below the decided ones and are drawn anew
 * as they grow; elsewhere each decided step is one line.
 */
import type { RunEvent } from "../core/trace-event.js";
import type { Output } from "./host.js";
import { type BoardChange, StepBoard } from "./step-board.js";
import { plainLine, provisionalLines, rejectedLine, settledLines } from "./step-lines.js";
import type { Style } from "./style.js";
import { clip, columnsOf, harmless, withoutColours } from "./terminal-text.js";

export interface View {
  take(event: RunEvent): void;
  /** Takes what is provisional off the screen. */
  close(): void;
}

export function createView(output: Output, style: Style, moving: boolean): View {
  return moving ? new MovingView(output, style) : new PlainView(output, style);
}

class PlainView implements View {
  readonly #board = new StepBoard();
  constructor(
    private readonly output: Output,
    private readonly style: Style,
  ) {}

  take(event: RunEvent): void {
    for (const change of this.#board.take(event)) {
      if (change.kind === "notice") this.output.write(`    ${harmless(change.text)}\n`);
      if (change.kind === "settled" || change.kind === "rejected") {
        this.output.write(`${plainLine(change.step, change.kind === "rejected", this.style)}\n`);
      }
    }
  }

  close(): void {}
}

/** Greatest height of one undecided step; the whole region never fills the screen, so it can always be erased. */
const provisionalHeight = 6;

/** A terminal needs no more pictures a second than this. */
const frameMilliseconds = 33;

class MovingView implements View {
  readonly #board = new StepBoard();
  /** Columns of each line of the region as it was drawn. */
  #region: readonly number[] = [];
  #timer: NodeJS.Timeout | undefined;
  constructor(
    private readonly output: Output,
    private readonly style: Style,
  ) {}

  take(event: RunEvent): void {
    const changes = this.#board.take(event);
    const lasting = changes.flatMap((change) => this.#lines(change));
    if (lasting.length > 0) this.#draw(lasting);
    else if (changes.length > 0) this.#timer ??= setTimeout(() => this.#draw([]), frameMilliseconds);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.output.write(this.#erased());
  }

  #lines(change: BoardChange): string[] {
    const { columns } = this.output;
    switch (change.kind) {
      case "settled":
        return settledLines(change.step, this.style, columns);
      case "rejected":
        return [rejectedLine(change.step, this.style, columns)];
      case "notice":
        return [this.style.red(clip(harmless(change.text), columns))];
      case "provisional":
        return [];
    }
  }

  /** Lasting lines scroll up; the provisional region follows them. */
  #draw(lasting: readonly string[]): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { columns, rows } = this.output;
    const open = this.#board.provisional;
    const each = Math.max(1, Math.min(provisionalHeight, Math.floor((rows - 2) / Math.max(1, open.length))));
    const region = open
      .flatMap((step) => provisionalLines(step, this.style, columns, each))
      .slice(0, Math.max(1, rows - 2));
    const erased = this.#erased();
    this.#region = region.map((line) => columnsOf(withoutColours(line)));
    this.output.write(erased + [...lasting, ...region].map((line) => `${line}\n`).join(""));
  }

  #erased(): string {
    // A terminal made narrower since has broken the lines anew.
    const { columns } = this.output;
    const height = this.#region.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    this.#region = [];
    return height === 0 ? "" : `\x1b[${height}A\r\x1b[J`;
  }
}
