/**
 * The KV cache in plain TypeScript: which sequence holds how many cells, and how many cells are free. libllama
 * keeps the same facts but does not tell them; admission and eviction are decided here.
 */
export class CellTable {
  readonly capacity: number;
  readonly #references: Int32Array;
  readonly #freeCells: number[];
  readonly #rows = new Map<number, number[]>();

  /** `capacity`: cells of one unified cache, shared by all sequences. */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.#references = new Int32Array(capacity);
    this.#freeCells = Array.from({ length: capacity }, (_, index) => capacity - 1 - index);
  }

  /** Cells that no sequence holds. */
  get free(): number {
    return this.#freeCells.length;
  }

  /** Tokens of a sequence that are in the cache. */
  length(sequence: number): number {
    return this.#rows.get(sequence)?.length ?? 0;
  }

  /** Cells that only this sequence holds: what removing it would free. */
  owned(sequence: number): number {
    let count = 0;
    for (const cell of this.#rows.get(sequence) ?? []) if (this.#references[cell] === 1) count++;
    return count;
  }

  /** Appends `count` fresh cells. The caller has checked `free`. */
  grow(sequence: number, count: number): void {
    if (count > this.free) throw new RangeError(`${count} cells asked, ${this.free} free`);
    const row = this.#row(sequence);
    for (let index = 0; index < count; index++) {
      const cell = this.#freeCells.pop()!;
      this.#references[cell] = 1;
      row.push(cell);
    }
  }

  /** Appends one fresh cell that all these sequences hold. The caller has checked `free`. */
  growShared(sequences: readonly number[]): void {
    const cell = this.#freeCells.pop();
    if (cell === undefined) throw new RangeError("no free cell");
    this.#references[cell] = sequences.length;
    for (const sequence of sequences) this.#row(sequence).push(cell);
  }

  /** Lets the empty sequence `to` hold the first `count` cells of `from` as well. */
  share(from: number, to: number, count: number): void {
    const row = this.#row(to);
    if (row.length > 0) throw new RangeError(`sequence ${to} is not empty`);
    for (const cell of this.#row(from).slice(0, count)) {
      this.#references[cell]!++;
      row.push(cell);
    }
  }

  /** Keeps the first `length` cells of the sequence. */
  trim(sequence: number, length: number): void {
    const row = this.#rows.get(sequence);
    if (!row) return;
    while (row.length > length) {
      const cell = row.pop()!;
      if (--this.#references[cell]! === 0) this.#freeCells.push(cell);
    }
    if (row.length === 0) this.#rows.delete(sequence);
  }

  #row(sequence: number): number[] {
    let row = this.#rows.get(sequence);
    if (!row) {
      row = [];
      this.#rows.set(sequence, row);
    }
    return row;
  }
}
