/**
 * The white box: a model whose inside is ours. It runs in the calling process; `graph-native-model.ts` puts it behind
 * the engine's interface, where its crash cannot take the program down.
 */
import { StepwrightError } from "../../core/errors.js";
import { AbortFlag } from "../../native/abort-flag.js";
import { CpuBackend } from "../../native/ggml/cpu-backend.js";
import type { Shape } from "../../native/ggml/tensor.js";
import { loadNative } from "../../native/load.js";
import { checkModelFile, type ModelFile } from "../gguf/check.js";
import { configOf, type TransformerConfig } from "./config.js";
import { ForwardGraph, type ForwardParts, type ForwardShape, shapeKey } from "./forward-graph.js";
import { type ForwardPlan, type Tap, tapName } from "./forward-plan.js";
import { KvStore } from "./kv-store.js";
import { Selection } from "./selection.js";
import { fillDense, fillSelected, rowsPerLayer } from "./sight.js";
import { type LoadedWeights, loadWeights } from "./weights.js";

export interface GraphModelOptions {
  /** Rows of the key-value store, over all sequences (or in each, where they are separate). */
  readonly rows: number;
  readonly sequences: number;
  /** Each sequence has rows of its own, in the order of its tokens. Default false: forks share rows. */
  readonly separate?: boolean;
  readonly threads?: number;
  /** Whether weights may be reordered for this processor's kernels; default true. */
  readonly repack?: boolean;
  /** Passes of at most so many tokens run on the calling thread; default 0. */
  readonly inlineTokens?: number;
}

/** One token of a pass. */
export interface ForwardToken {
  readonly token: number;
  readonly position: number;
  /** Sequences it belongs to; several for the shared nodes of a tree. It sees what the first of them holds. */
  readonly sequences: readonly number[];
  readonly output: boolean;
}

export interface ForwardOptions {
  readonly plan?: ForwardPlan;
  /** Tokens at positions that their sequence already holds are computed anew in place instead of being appended. */
  readonly refresh?: boolean;
  /** `causal` (default): a token sees positions up to its own; `full`: all that its sequence holds. */
  readonly sight?: "causal" | "full";
  /** Whether a query head of a layer may look from one position to another, beside what `sight` says. Is asked often. */
  readonly mask?: (layer: number, head: number, position: number, other: number) => boolean;
}

/** `full`: there were not enough free rows; `aborted`: stopped. Appended rows are then gone again. */
export type ForwardStatus = "done" | "full" | "aborted";

/** libllama widens its cache by so many cells at a time; the same steps give the same sums, and a graph for each. */
const rowStep = 256;
/** Kept graphs, and the bytes of their intermediate results together. */
const mostGraphs = 32;
const mostGraphBytes = 256 * 2 ** 20;

export class GraphModel {
  readonly file: ModelFile;
  readonly config: TransformerConfig;
  readonly vocabularySize: number;
  readonly #parts: ForwardParts & { readonly weights: LoadedWeights };
  readonly #abort: AbortFlag;
  readonly #inlineTokens: number;
  /** The oldest first. */
  readonly #graphs = new Map<string, ForwardGraph>();
  readonly #selections = new Map<number, Selection>();
  #last: ForwardGraph | null = null;
  #lastOutputs = 0;
  #running: Promise<unknown> | null = null;
  #closed = false;

  private constructor(
    file: ModelFile,
    parts: ForwardParts & { readonly weights: LoadedWeights },
    abort: AbortFlag,
    inlineTokens: number,
  ) {
    this.file = file;
    this.config = parts.config;
    this.#parts = parts;
    this.#abort = abort;
    this.#inlineTokens = inlineTokens;
    this.vocabularySize = parts.weights.find("token_embd.weight")!.shape[1];
  }

  /**
   * Reads the file into memory.
   * @throws StepwrightError `model-not-found`, `model-invalid` (also for families the white box does not know),
   * `engine-failed` without memory
   */
  static async open(path: string, options: GraphModelOptions): Promise<GraphModel> {
    const file = await checkModelFile(path);
    const config = configOf(file, path);
    const native = loadNative();
    const abort = new AbortFlag();
    const backend = new CpuBackend(native, { threads: options.threads ?? 1, abort });
    let weights: LoadedWeights | null = null;
    try {
      weights = await loadWeights(file, backend, { repack: options.repack ?? true });
      const { sequences, separate = false } = options;
      const perSequence = Math.ceil(options.rows / rowStep) * rowStep;
      const rows = separate ? perSequence * sequences : perSequence;
      const store = new KvStore(native, backend.plain, config, { rows, sequences, separate });
      return new GraphModel(file, { config, weights, store, backend }, abort, options.inlineTokens ?? 0);
    } catch (error) {
      weights?.free();
      backend.free();
      abort.free();
      throw error;
    }
  }

  /** Rows of the store (in each sequence, where they are separate). */
  get rows(): number {
    const { table } = this.#parts.store;
    return table.separate ? table.rows / table.sequences : table.rows;
  }

  get freeRows(): number {
    return this.#parts.store.table.free;
  }

  /** The rows a sequence holds, in the order in which they were taken. */
  rowsOf(sequence: number): readonly number[] {
    return this.#parts.store.table.rowsOf(sequence);
  }

  /** Keys and values of a layer in place, as bits of 16-bit floats: row after row, in each the key heads in turn. */
  memory(layer: number): { readonly keys: Uint16Array; readonly values: Uint16Array } {
    this.#idle();
    return this.#parts.store.memory(layer);
  }

  /** True positions of what a sequence holds, in the order of its rows. */
  positionsOf(sequence: number): number[] {
    const { table } = this.#parts.store;
    return table.rowsOf(sequence).map((row) => table.positions[row]!);
  }

  // ---- a pass ----------------------------------------------------------------------------------------------------

  /** Runs the tokens through the model. What it computed is readable until the next call. */
  async forward(batch: readonly ForwardToken[], options: ForwardOptions = {}): Promise<ForwardStatus> {
    this.#idle();
    this.#check(batch);
    this.#last = null;
    const into = this.#placeTokens(batch, options.refresh ?? false);
    if (!into) return "full";
    let done = false;
    try {
      const graph = this.#prepare(batch, into.rows, options);
      this.#abort.clear();
      done = await this.#compute(graph, batch.length);
      if (!done) return "aborted";
      this.#last = graph;
      this.#lastOutputs = batch.filter(({ output }) => output).length;
      return "done";
    } finally {
      this.#running = null;
      if (!done) this.#forget(batch, into.appended);
      if (this.#closed) this.#free();
    }
  }

  /** The logits after an output token of the last pass, in place, and their address. */
  logits(output: number): { readonly address: bigint; readonly floats: Float32Array } {
    const size = this.vocabularySize;
    const { logits } = this.#finished(output);
    return {
      address: logits.data + BigInt(4 * size * output),
      floats: logits.floats().subarray(size * output, size * (output + 1)),
    };
  }

  /** Copy of the state after the last norm at an output token of the last pass. */
  hidden(output: number): Float32Array {
    const { width } = this.config;
    return this.#finished(output)
      .hidden.floats()
      .slice(width * output, width * (output + 1));
  }

  /** Copy of what a tap of the last pass read. Shape: see `Point`; attention rows are [rows, tokens, heads]. */
  tapped(tap: Tap): { readonly shape: Shape; readonly values: Float32Array } {
    const tensor = this.#last?.tapped.get(tapName(tap));
    if (!tensor) throw new StepwrightError("internal", `the last pass had no tap at "${tapName(tap)}"`);
    return { shape: tensor.shape, values: tensor.floats().slice() };
  }

  /** Stops a running pass at its next operation. Safe at any time. */
  abort(): void {
    if (!this.#closed) this.#abort.raise();
  }

  // ---- the rows of sequences -------------------------------------------------------------------------------------

  /** Takes positions [from, to) out of a sequence; `to` -1 is the end. What others share stays theirs. */
  remove(sequence: number, from: number, to = -1): void {
    this.#idle();
    this.#parts.store.table.remove(sequence, from, to);
    const selection = this.#selections.get(sequence);
    if (selection) this.#selections.set(sequence, selection.remove(from, to));
    if (from <= 0 && to < 0) this.#selections.delete(sequence);
  }

  /** Lets a sequence hold what another one holds, its selection included. False without room. */
  share(from: number, to: number): boolean {
    this.#idle();
    if (from === to) return true;
    const selection = this.#selections.get(from);
    if (selection && this.#parts.store.table.separate) return false;
    if (selection) this.#selections.set(to, selection.copy());
    else this.#selections.delete(to);
    return this.#parts.store.share(from, to);
  }

  /** Gives up all of a sequence's positions but these, in all layers and heads. */
  keep(sequence: number, positions: Iterable<number>): void {
    this.#idle();
    const wanted = new Set(positions);
    const { table } = this.#parts.store;
    const dropped = new Set(table.rowsOf(sequence).filter((row) => !wanted.has(table.positions[row]!)));
    table.keep(sequence, (row) => !dropped.has(row));
    const selection = this.#selections.get(sequence);
    if (selection) this.#selections.set(sequence, selection.withoutRows(dropped));
  }

  /**
   * From now on each layer and key head of the sequence reads only the positions that `choose` names, and those
   * appended later. Null: all of them again (not after `compact`). Memory stays taken until `compact`.
   */
  select(sequence: number, choose: ((layer: number, kvHead: number) => Iterable<number>) | null): void {
    this.#idle();
    if (choose === null) {
      this.#selections.delete(sequence);
      return;
    }
    const all = Selection.all(this.config, this.#parts.store.table, sequence);
    this.#selections.set(sequence, (this.#selections.get(sequence) ?? all).choose(choose));
  }

  /**
   * Moves what the sequence's selection reads into as few rows as its longest list has, and gives up the others. Rows
   * then hold other positions in each layer and head; the true ones are remembered. False without room for the move.
   */
  compact(sequence: number): boolean {
    this.#idle();
    const selection = this.#selections.get(sequence);
    if (!selection) return true;
    const compacted = selection.compact(this.#parts.store, sequence);
    if (!compacted) return false;
    this.#selections.set(sequence, compacted);
    return true;
  }

  /** Safe to call twice. A running pass is stopped first; its promise still settles. */
  close(): void {
    if (this.#closed) return;
    this.abort();
    this.#closed = true;
    if (!this.#running) this.#free();
  }

  // ---- inside ----------------------------------------------------------------------------------------------------

  /** A row for each token; null when there are too few, and none is taken then. */
  #placeTokens(
    batch: readonly ForwardToken[],
    refresh: boolean,
  ): { rows: number[]; appended: Set<number> } | null {
    const { table } = this.#parts.store;
    const rows: number[] = [];
    const appended = new Set<number>();
    for (const { sequences, position } of batch) {
      const old = refresh ? table.find(sequences[0]!, position) : -1;
      // A row that others share is theirs: they keep it as it is.
      if (old >= 0 && table.users(old) <= sequences.length) {
        rows.push(old);
        continue;
      }
      const row = table.append(sequences, position);
      if (row < 0) {
        this.#forget(batch, appended);
        return null;
      }
      appended.add(row);
      rows.push(row);
      for (const sequence of sequences) {
        if (old >= 0) table.replace(sequence, old, row);
        else this.#selections.get(sequence)?.append(row, position);
      }
    }
    return { rows, appended };
  }

  #forget(batch: readonly ForwardToken[], rows: ReadonlySet<number>): void {
    if (rows.size === 0) return;
    for (const sequence of new Set(batch.flatMap(({ sequences }) => sequences))) {
      this.#parts.store.table.keep(sequence, (row) => !rows.has(row));
      const selection = this.#selections.get(sequence);
      if (selection) this.#selections.set(sequence, selection.withoutRows(rows));
    }
  }

  /** A graph of the right shape with its inputs filled. */
  #prepare(batch: readonly ForwardToken[], into: readonly number[], options: ForwardOptions): ForwardGraph {
    const { store } = this.#parts;
    const { table } = store;
    const { mask, sight } = options;
    const selected = mask !== undefined || batch.some(({ sequences }) => this.#selections.has(sequences[0]!));
    const selections = selected ? this.#selectionsOf(batch) : null;
    // Attention over 512 rows and more sums in another way; where bits must not depend on others, always that way.
    const least = table.separate ? 2 * rowStep : rowStep;
    const extent = Math.max(Math.ceil(table.extent / rowStep) * rowStep, least);
    const graph = this.#graph({
      tokens: batch.length,
      outputs: batch.filter(({ output }) => output).length,
      rows: selections ? rowsPerLayer(this.config, selections) : Math.min(extent, table.rows),
      plan: options.plan ?? {},
    });
    let output = 0;
    for (const [index, token] of batch.entries()) {
      graph.tokens[index] = token.token;
      graph.positions[index] = token.position;
      graph.into[index] = into[index]!;
      if (token.output && graph.outputs) graph.outputs[output++] = index;
    }
    const full = sight === "full";
    if (selections) fillSelected(graph, this.config, batch, selections, { full, mask });
    else fillDense(graph, this.config, batch, table, full);
    return graph;
  }

  #selectionsOf(batch: readonly ForwardToken[]): Map<number, Selection> {
    const { table } = this.#parts.store;
    return new Map(
      [...new Set(batch.map(({ sequences }) => sequences[0]!))].map((sequence) => [
        sequence,
        this.#selections.get(sequence) ?? Selection.all(this.config, table, sequence),
      ]),
    );
  }

  #graph(shape: ForwardShape): ForwardGraph {
    const key = shapeKey(shape);
    const found = this.#graphs.get(key);
    if (found) {
      this.#graphs.delete(key);
      this.#graphs.set(key, found);
      return found;
    }
    const graph = new ForwardGraph(this.#parts, shape);
    let bytes = graph.bytes;
    for (const { bytes: more } of this.#graphs.values()) bytes += more;
    for (const [oldest, old] of this.#graphs) {
      if (this.#graphs.size < mostGraphs && bytes <= mostGraphBytes) break;
      bytes -= old.bytes;
      old.free();
      this.#graphs.delete(oldest);
    }
    this.#graphs.set(key, graph);
    return graph;
  }

  async #compute({ graph }: ForwardGraph, tokens: number): Promise<boolean> {
    const { backend } = this.#parts;
    if (tokens <= this.#inlineTokens) return backend.compute(graph);
    const running = backend.computeAside(graph);
    this.#running = running;
    return running;
  }

  #check(batch: readonly ForwardToken[]): void {
    const { sequences: count } = this.#parts.store.table;
    const within = (value: number, limit: number) => Number.isInteger(value) && value >= 0 && value < limit;
    const sound = ({ token, position, sequences }: ForwardToken) =>
      within(token, this.vocabularySize) &&
      within(position, 2 ** 31) &&
      sequences.length > 0 &&
      sequences.every((sequence) => within(sequence, count));
    const wrong = batch.find((token) => !sound(token));
    if (wrong === undefined && batch.length > 0) return;
    throw new StepwrightError(
      "internal",
      `not a batch for this model: ${JSON.stringify(wrong ?? "no token")}`,
    );
  }

  #finished(output: number): ForwardGraph {
    if (!this.#last || !Number.isInteger(output) || output < 0 || output >= this.#lastOutputs) {
      throw new StepwrightError(
        "internal",
        `output ${output} of ${this.#last ? this.#lastOutputs : 0} in the last pass`,
      );
    }
    return this.#last;
  }

  #idle(): void {
    if (this.#closed) throw new StepwrightError("internal", "the model was used after it was closed");
    if (this.#running) throw new StepwrightError("internal", "the model was used while a pass was running");
  }

  #free(): void {
    const { weights, store, backend } = this.#parts;
    this.#last = null;
    for (const graph of this.#graphs.values()) graph.free();
    this.#graphs.clear();
    store.free();
    weights.free();
    backend.free();
    this.#abort.free();
  }
}
