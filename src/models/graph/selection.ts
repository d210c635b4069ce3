/** Which of its rows a sequence reads, layer by layer and key head by key head. */
import type { TransformerConfig } from "./config.js";
import type { KvStore } from "./kv-store.js";
import type { RowTable } from "./row-table.js";

/** Rows with the true positions of what they hold. */
export interface RowList {
  rows: number[];
  positions: number[];
}

export class Selection {
  /** By layer, then key head. */
  readonly lists: readonly (readonly RowList[])[];
  /** Whether a row holds other positions in each layer and head. */
  readonly compacted: boolean;

  constructor(lists: readonly (readonly RowList[])[], compacted = false) {
    this.lists = lists;
    this.compacted = compacted;
  }

  /** All of a sequence's rows, for every layer and head. */
  static all({ layers, kvHeads }: TransformerConfig, table: RowTable, sequence: number): Selection {
    const rows = table.rowsOf(sequence);
    const list = () => ({ rows: [...rows], positions: rows.map((row) => table.positions[row]!) });
    return new Selection(Array.from({ length: layers }, () => Array.from({ length: kvHeads }, list)));
  }

  /** Only the given positions of each layer and head, in the order they have now. */
  choose(positionsOf: (layer: number, kvHead: number) => Iterable<number>): Selection {
    return this.#map((list, layer, kvHead) => {
      const wanted = new Set(positionsOf(layer, kvHead));
      return filtered(list, (position) => wanted.has(position));
    });
  }

  append(row: number, position: number): void {
    for (const list of this.lists.flat()) {
      list.rows.push(row);
      list.positions.push(position);
    }
  }

  /** Reads `row` where it read `old`. */
  replaceRow(old: number, row: number): void {
    for (const { rows } of this.lists.flat()) {
      const at = rows.indexOf(old);
      if (at >= 0) rows[at] = row;
    }
  }

  /** Takes positions [from, to) out; `to` -1 is the end. */
  remove(from: number, to: number): Selection {
    return this.#map((list) => filtered(list, (position) => position < from || (to >= 0 && position >= to)));
  }

  /** Takes rows out, wherever they are. */
  withoutRows(rows: ReadonlySet<number>): Selection {
    return this.#map((list) => filtered(list, (_, row) => !rows.has(row)));
  }

  copy(): Selection {
    return this.#map((list) => filtered(list, () => true));
  }

  /**
   * Copies what is read into new rows of the sequence, as many as the longest list has, and gives up the old ones.
   * Null, and nothing done, without room.
   */
  compact(store: KvStore, sequence: number): Selection | null {
    const { table } = store;
    const length = Math.max(...this.lists.flat().map(({ rows }) => rows.length));
    const old = new Set(table.rowsOf(sequence));
    const fresh: number[] = [];
    const longest = this.lists.flat().find(({ rows }) => rows.length === length)!;
    while (fresh.length < length) {
      const row = table.append([sequence], longest.positions[fresh.length]!);
      if (row < 0) {
        table.keep(sequence, (held) => old.has(held));
        return null;
      }
      fresh.push(row);
    }
    const moved = this.#map((list, layer, kvHead) => {
      for (const [index, row] of list.rows.entries()) store.copyHead(layer, kvHead, row, fresh[index]!);
      return { rows: fresh.slice(0, list.rows.length), positions: [...list.positions] };
    });
    table.keep(sequence, (row) => !old.has(row));
    return new Selection(moved.lists, true);
  }

  #map(change: (list: RowList, layer: number, kvHead: number) => RowList): Selection {
    return new Selection(
      this.lists.map((heads, layer) => heads.map((list, kvHead) => change(list, layer, kvHead))),
      this.compacted,
    );
  }
}

function filtered(list: RowList, wanted: (position: number, row: number) => boolean): RowList {
  const kept: RowList = { rows: [], positions: [] };
  for (const [index, row] of list.rows.entries()) {
    const position = list.positions[index]!;
    if (!wanted(position, row)) continue;
    kept.rows.push(row);
    kept.positions.push(position);
  }
  return kept;
}
