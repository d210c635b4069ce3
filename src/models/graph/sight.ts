/** Fills the masks of a pass: which rows each token looks at. */
import type { TransformerConfig } from "./config.js";
import type { ForwardOptions, ForwardToken } from "./forward.js";
import type { ForwardGraph } from "./forward-graph.js";
import type { RowTable } from "./row-table.js";
import type { RowList, Selection } from "./selection.js";

/** -infinity as a 16-bit float. */
const hidden = 0xfc00;
/** Gathered rows come in multiples of this, so that graphs are found again as a text grows. */
const gatheredStep = 32;

type Selections = ReadonlyMap<number, Selection>;

/** Every token sees its sequence's rows in place. */
export function fillDense(
  graph: ForwardGraph,
  { window }: TransformerConfig,
  batch: readonly ForwardToken[],
  table: RowTable,
  full: boolean,
): void {
  const { positions } = table;
  for (const { layers, mask } of graph.sights) {
    if (mask.length === 0) continue;
    const reach = reachOf(window, layers[0]!);
    const rows = mask.length / batch.length;
    mask.fill(hidden);
    for (const [index, { position, sequences }] of batch.entries()) {
      for (const row of table.rowsOf(sequences[0]!)) {
        if (sees(position, positions[row]!, reach, full)) mask[index * rows + row] = 0;
      }
    }
  }
}

/** How many rows each layer gathers for a batch: those of all its sequences, for the head that reads most. */
export function rowsPerLayer({ layers, kvHeads }: TransformerConfig, selections: Selections): number[] {
  return Array.from({ length: layers }, (_, layer) => {
    let most = 1;
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      let count = 0;
      for (const { lists } of selections.values()) count += lists[layer]![kvHead]!.rows.length;
      most = Math.max(most, count);
    }
    return Math.ceil(most / gatheredStep) * gatheredStep;
  });
}

/** Every head gathers the rows that it reads of all sequences, one after the other; tokens see those of their own. */
export function fillSelected(
  graph: ForwardGraph,
  { window, heads, kvHeads }: TransformerConfig,
  batch: readonly ForwardToken[],
  selections: Selections,
  { full, mask: mayLook }: { full: boolean; mask: ForwardOptions["mask"] },
): void {
  for (const { layers, mask, index } of graph.sights) {
    if (mask.length === 0 || index === null) continue;
    const layer = layers[0]!;
    const reach = reachOf(window, layer);
    const rows = index.length / kvHeads;
    mask.fill(hidden);
    index.fill(0);
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const starts = new Map<number, { list: RowList; start: number }>();
      let start = 0;
      for (const [sequence, { lists }] of selections) {
        const list = lists[layer]![kvHead]!;
        index.set(list.rows, kvHead * rows + start);
        starts.set(sequence, { list, start });
        start += list.rows.length;
      }
      for (let head = kvHead * (heads / kvHeads); head < (kvHead + 1) * (heads / kvHeads); head++) {
        for (const [token, { position, sequences }] of batch.entries()) {
          const own = starts.get(sequences[0]!)!;
          const at = (head * batch.length + token) * rows + own.start;
          for (const [row, other] of own.list.positions.entries()) {
            if (!sees(position, other, reach, full)) continue;
            if (mayLook === undefined || mayLook(layer, head, position, other)) mask[at + row] = 0;
          }
        }
      }
    }
  }
}

function reachOf(window: TransformerConfig["window"], layer: number): number {
  return window?.layers[layer] ? window.size : Number.POSITIVE_INFINITY;
}

function sees(position: number, other: number, reach: number, full: boolean): boolean {
  return full ? Math.abs(position - other) < reach : other <= position && position - other < reach;
}
