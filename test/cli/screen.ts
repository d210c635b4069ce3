/** A terminal just good enough for the live view: text, line breaks, returns, cursor up, erase below. */
import { columnsOf } from "../../src/cli/terminal-text.js";

const segmenter = new Intl.Segmenter();

export class Screen {
  #lines: string[] = [""];
  #row = 0;
  #column = 0;
  readonly columns: number;

  constructor(columns: number) {
    this.columns = columns;
  }

  write(text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's job
    for (const part of text.split(/(\x1b\[\d*[A-Za-z])/)) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's job
      const code = /^\x1b\[(\d*)([A-Za-z])$/.exec(part);
      if (!code) for (const { segment } of segmenter.segment(part)) this.#put(segment);
      else if (code[2] === "A") this.#row = Math.max(0, this.#row - Number(code[1] || 1));
      else if (code[2] === "J") this.#eraseBelow();
      else if (code[2] !== "m") throw new Error(`the view uses a code that is not expected: ${code[2]}`);
    }
  }

  get lines(): readonly string[] {
    return this.#lines.at(-1) === "" ? this.#lines.slice(0, -1) : this.#lines;
  }

  #put(segment: string): void {
    if (segment === "\n" || segment === "\r\n") this.#newLine();
    else if (segment === "\r") this.#column = 0;
    else this.#print(segment);
  }

  #print(segment: string): void {
    const size = columnsOf(segment);
    if (this.#column + size > this.columns) this.#newLine();
    if (this.#column !== columnsOf(this.#lines[this.#row]!)) throw new Error("the view overwrites text");
    this.#lines[this.#row] += segment;
    this.#column += size;
  }

  #newLine(): void {
    this.#row++;
    this.#column = 0;
    if (this.#row === this.#lines.length) this.#lines.push("");
  }

  #eraseBelow(): void {
    if (this.#column !== 0) throw new Error("the view erases from the middle of a line");
    this.#lines.length = this.#row;
    this.#lines.push("");
  }
}
