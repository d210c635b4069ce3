/** The rows of all sequences, and which of them each layer and head reads. */
import { StepwrightError } from "../../core/errors.js";
import type { TransformerConfig } from "./config.js";
import type { ForwardToken } from "./forward.js";
import type { KvStore } from "./kv-store.js";
import { Selection } from "./selection.js";

/** Where the tokens of a pass go, and how to undo it. */
export interface Placement {
  readonly rows: readonly number[];
  /** Takes back rows that were taken for the pass. */
  undo(): void;
}

export class Sequences {
  readonly #config: TransformerConfig;
  readonly #store: KvStore;
  readonly #selections = new Map<number, Selection>();

  constructor(config: TransformerConfig, store: KvStore) {
    this.#config = config;
    this.#store = store;
  }

  /** What the sequences of a batch read, where one of them has a selection (or `always`); else null. */
  selectionsOf(batch: readonly ForwardToken[], always: boolean): Map<number, Selection> | null {
    const sequences = new Set(batch.map((token) => token.sequences[0]!));
    if (!always && ![...sequences].some((sequence) => this.#selections.has(sequence))) return null;
    return new Map([...sequences].map((sequence) => [sequence, this.#selectionOf(sequence)]));
  }

  /** A row for each token; null when there are too few, and none is taken then. */
  place(batch: readonly ForwardToken[], refresh: boolean): Placement | null {
    const { table } = this.#store;
    const rows: number[] = [];
    const appended = new Set<number>();
    const replaced: { sequences: readonly number[]; old: number; row: number }[] = [];
    const undo = () => {
      for (const { sequences, old, row } of replaced) this.#putBack(sequences, row, old);
      if (appended.size === 0) return;
      for (const sequence of new Set(batch.flatMap((token) => token.sequences)))
        this.#drop(sequence, appended);
    };
    for (const { sequences, position } of batch) {
      const old = refresh ? this.#find(sequences[0]!, position) : -1;
      // A row that others share is theirs: they keep it as it is.
      if (old >= 0 && table.users(old) <= sequences.length) {
        rows.push(old);
        continue;
      }
      const row = old >= 0 ? table.replace(sequences, old) : table.append(sequences, position);
      if (row < 0) {
        undo();
        return null;
      }
      rows.push(row);
      if (old >= 0) replaced.push({ sequences, old, row });
      else appended.add(row);
      for (const sequence of sequences) {
        if (old >= 0) this.#selections.get(sequence)?.replaceRow(old, row);
        else this.#selections.get(sequence)?.append(row, position);
      }
    }
    return { rows, undo };
  }

  remove(sequence: number, from: number, to: number): void {
    this.#store.table.remove(sequence, from, to);
    const selection = this.#selections.get(sequence);
    if (from <= 0 && to < 0) this.#selections.delete(sequence);
    else if (selection) this.#selections.set(sequence, selection.remove(from, to));
  }

  share(from: number, to: number): boolean {
    if (from === to) return true;
    const selection = this.#selections.get(from);
    // Copies lie in other rows than the selection names.
    if (selection && this.#store.table.separate) return false;
    if (selection) this.#selections.set(to, selection.copy());
    else this.#selections.delete(to);
    return this.#store.share(from, to);
  }

  keep(sequence: number, positions: Iterable<number>): void {
    this.#checkTrue(sequence);
    const wanted = new Set(positions);
    const { table } = this.#store;
    this.#drop(sequence, new Set(table.rowsOf(sequence).filter((row) => !wanted.has(table.positions[row]!))));
  }

  select(sequence: number, choose: ((layer: number, kvHead: number) => Iterable<number>) | null): void {
    if (choose !== null) {
      this.#selections.set(sequence, this.#selectionOf(sequence).choose(choose));
      return;
    }
    this.#checkTrue(sequence);
    this.#selections.delete(sequence);
  }

  compact(sequence: number): boolean {
    const selection = this.#selections.get(sequence);
    if (!selection) return true;
    const compacted = selection.compact(this.#store, sequence);
    if (compacted) this.#selections.set(sequence, compacted);
    return compacted !== null;
  }

  #selectionOf(sequence: number): Selection {
    return this.#selections.get(sequence) ?? Selection.all(this.#config, this.#store.table, sequence);
  }

  #find(sequence: number, position: number): number {
    this.#checkTrue(sequence);
    return this.#store.table.find(sequence, position);
  }

  #drop(sequence: number, rows: ReadonlySet<number>): void {
    this.#store.table.keep(sequence, (row) => !rows.has(row));
    const selection = this.#selections.get(sequence);
    if (selection) this.#selections.set(sequence, selection.withoutRows(rows));
  }

  #putBack(sequences: readonly number[], row: number, old: number): void {
    this.#store.table.putBack(sequences, row, old);
    for (const sequence of sequences) this.#selections.get(sequence)?.replaceRow(row, old);
  }

  /** For what needs one position per row. */
  #checkTrue(sequence: number): void {
    if (!this.#selections.get(sequence)?.compacted) return;
    throw new StepwrightError("internal", `sequence ${sequence} is compacted: its rows have no one position`);
  }
}
