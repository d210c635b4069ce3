/**
 * Which rows of a key-value store each sequence holds. A row is a place in memory, a position is a place in a text:
 * the two have nothing to do with each other. Sequences that share a start share its rows.
 */
import { StepwrightError } from "../../core/errors.js";

export interface RowTableOptions {
  readonly rows: number;
  readonly sequences: number;
  /** Gives each sequence an equal part of the rows for itself, filled in order; nothing is shared then. */
  readonly separate?: boolean;
}

export class RowTable {
  readonly rows: number;
  readonly separate: boolean;
  /** The position in its text of what each row holds. */
  readonly positions: Int32Array;
  readonly #users: Uint16Array;
  readonly #lists: number[][];
  readonly #region: number;
  #free: number;
  #lowestFree = 0;
  #extent = 0;

  constructor({ rows, sequences, separate = false }: RowTableOptions) {
    this.rows = rows;
    this.separate = separate;
    this.positions = new Int32Array(rows);
    this.#users = new Uint16Array(rows);
    this.#lists = Array.from({ length: sequences }, () => []);
    this.#region = separate ? Math.floor(rows / sequences) : rows;
    this.#free = rows;
  }

  get sequences(): number {
    return this.#lists.length;
  }

  get free(): number {
    return this.#free;
  }

  /** All rows in use lie below this one. */
  get extent(): number {
    while (this.#extent > 0 && this.#users[this.#extent - 1] === 0) this.#extent--;
    return this.#extent;
  }

  /** The rows of a sequence in the order in which they were taken: by position, unless some were refreshed. */
  rowsOf(sequence: number): readonly number[] {
    return this.#list(sequence);
  }

  /** How many sequences hold the row. */
  users(row: number): number {
    return this.#users[row]!;
  }

  /** The sequence's row with that position; -1 if it has none. */
  find(sequence: number, position: number): number {
    return this.#list(sequence).find((row) => this.positions[row] === position) ?? -1;
  }

  /** Takes a row for one token of these sequences. -1 when there is no room. */
  append(sequences: readonly number[], position: number): number {
    const row = this.separate ? this.#nextInRegion(sequences) : this.#lowest();
    if (row < 0) return -1;
    this.positions[row] = position;
    for (const sequence of sequences) {
      this.#list(sequence).push(row);
      this.#hold(row);
    }
    return row;
  }

  /** Takes a row to stand in the place of `old` in these sequences. -1 when there is no room. */
  replace(sequences: readonly number[], old: number): number {
    const row = this.#lowest();
    if (row < 0) return -1;
    this.positions[row] = this.positions[old]!;
    this.putBack(sequences, old, row);
    return row;
  }

  /** Puts a row that others hold in the place of `old` in these sequences. */
  putBack(sequences: readonly number[], old: number, row: number): void {
    for (const sequence of sequences) {
      const list = this.#list(sequence);
      list[list.indexOf(old)] = row;
      this.#hold(row);
      this.#release(old);
    }
  }

  /** Takes positions [from, to) from a sequence; `to` -1 is the end. */
  remove(sequence: number, from: number, to: number): void {
    this.keep(sequence, (row) => {
      const position = this.positions[row]!;
      return position < from || (to >= 0 && position >= to);
    });
  }

  /** Takes from a sequence all rows but those that `wanted` names. */
  keep(sequence: number, wanted: (row: number) => boolean): void {
    const list = this.#list(sequence);
    let length = 0;
    for (const row of list) {
      if (wanted(row)) list[length++] = row;
      else this.#release(row);
    }
    list.length = length;
  }

  /** Lets a sequence hold all rows of another one too. Rows it had are given up. Not for separate sequences. */
  share(from: number, to: number): void {
    if (from === to) return;
    this.remove(to, 0, -1);
    const rows = this.#list(from);
    for (const row of rows) this.#hold(row);
    this.#lists[to] = rows.slice();
  }

  #release(row: number): void {
    if (--this.#users[row]! > 0) return;
    this.#free++;
    this.#lowestFree = Math.min(this.#lowestFree, row);
  }

  #hold(row: number): void {
    if (this.#users[row]!++ > 0) return;
    this.#free--;
    this.#extent = Math.max(this.#extent, row + 1);
  }

  #lowest(): number {
    if (this.#free === 0) return -1;
    while (this.#users[this.#lowestFree]! > 0) this.#lowestFree++;
    return this.#lowestFree;
  }

  #nextInRegion(sequences: readonly number[]): number {
    const [sequence] = sequences;
    if (sequence === undefined || sequences.length > 1) {
      throw new StepwrightError("internal", "sequences with rows of their own cannot share a token");
    }
    const row = (this.#list(sequence).at(-1) ?? sequence * this.#region - 1) + 1;
    return row < (sequence + 1) * this.#region ? row : -1;
  }

  #list(sequence: number): number[] {
    const list = this.#lists[sequence];
    if (list) return list;
    throw new StepwrightError("internal", `sequence ${sequence} of ${this.#lists.length}`);
  }
}
