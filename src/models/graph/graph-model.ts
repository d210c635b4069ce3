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
import { checkTensors } from "./check-tensors.js";
import { configOf, type TransformerConfig } from "./config.js";
import { checkBatch, type ForwardOptions, type ForwardStatus, type ForwardToken } from "./forward.js";
import type { ForwardGraph, ForwardParts } from "./forward-graph.js";
import { type Tap, tapName } from "./forward-plan.js";
import { GraphCache } from "./graph-cache.js";
import { KvStore } from "./kv-store.js";
import { Sequences } from "./sequences.js";
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

/** libllama widens its cache by so many cells at a time; the same steps give the same sums, and a graph for each. */
const rowStep = 256;

export class GraphModel {
  readonly file: ModelFile;
  readonly config: TransformerConfig;
  readonly vocabularySize: number;
  readonly #parts: ForwardParts & { readonly weights: LoadedWeights };
  readonly #abort: AbortFlag;
  readonly #inlineTokens: number;
  readonly #graphs: GraphCache;
  readonly #sequences: Sequences;
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
    this.#graphs = new GraphCache(parts);
    this.#sequences = new Sequences(parts.config, parts.store);
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
    checkTensors(file, config);
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
    checkBatch(batch, this.vocabularySize, this.#parts.store.table.sequences);
    this.#last = null;
    const placement = this.#sequences.place(batch, options.refresh ?? false);
    if (!placement) return "full";
    let done = false;
    try {
      const graph = this.#prepare(batch, placement.rows, options);
      this.#abort.clear();
      done = await this.#compute(graph, batch.length);
      if (!done) return "aborted";
      this.#last = graph;
      this.#lastOutputs = batch.filter(({ output }) => output).length;
      return "done";
    } finally {
      this.#running = null;
      if (!done) placement.undo();
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
    this.#sequences.remove(sequence, from, to);
  }

  /** Lets a sequence hold what another one holds, its selection included. False without room. */
  share(from: number, to: number): boolean {
    this.#idle();
    return this.#sequences.share(from, to);
  }

  /** Gives up all of a sequence's positions but these, in all layers and heads. Not after `compact`. */
  keep(sequence: number, positions: Iterable<number>): void {
    this.#idle();
    this.#sequences.keep(sequence, positions);
  }

  /**
   * From now on each layer and key head of the sequence reads only the positions that `choose` names, and those
   * appended later. Null: all of them again (not after `compact`). Memory stays taken until `compact`.
   */
  select(sequence: number, choose: ((layer: number, kvHead: number) => Iterable<number>) | null): void {
    this.#idle();
    this.#sequences.select(sequence, choose);
  }

  /**
   * Moves what the sequence's selection reads into as few rows as its longest list has, and gives up the others. Rows
   * then hold other positions in each layer and head; the true ones are remembered. False without room for the move.
   */
  compact(sequence: number): boolean {
    this.#idle();
    return this.#sequences.compact(sequence);
  }

  /** Safe to call twice. A running pass is stopped first; its promise still settles. */
  close(): void {
    if (this.#closed) return;
    this.abort();
    this.#closed = true;
    if (!this.#running) this.#free();
  }

  // ---- inside ----------------------------------------------------------------------------------------------------

  /** A graph of the right shape with its inputs filled. */
  #prepare(batch: readonly ForwardToken[], into: readonly number[], options: ForwardOptions): ForwardGraph {
    const { table } = this.#parts.store;
    const { mask, sight } = options;
    const selections = this.#sequences.selectionsOf(batch, mask !== undefined);
    // Attention over 512 rows and more sums in another way; where bits must not depend on others, always that way.
    const least = table.separate ? 2 * rowStep : rowStep;
    const extent = Math.max(Math.ceil(table.extent / rowStep) * rowStep, least);
    const graph = this.#graphs.get({
      tokens: batch.length,
      outputs: batch.filter(({ output }) => output).length,
      rows: selections ? rowsPerLayer(this.config, selections) : Math.min(extent, table.rows),
      plan: options.plan ?? {},
      blended: batch.reduce((sum, { blend }) => sum + (blend?.length ?? 0), 0),
    });
    fillBlend(graph, batch);
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

  async #compute({ graph }: ForwardGraph, tokens: number): Promise<boolean> {
    const { backend } = this.#parts;
    if (tokens <= this.#inlineTokens) return backend.compute(graph);
    const running = backend.computeAside(graph);
    this.#running = running;
    return running;
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
    this.#graphs.free();
    store.free();
    weights.free();
    backend.free();
    this.#abort.free();
  }
}

function fillBlend({ blend }: ForwardGraph, batch: readonly ForwardToken[]): void {
  if (!blend) return;
  const count = blend.parts.length;
  blend.weights.fill(0);
  let part = 0;
  for (const [index, token] of batch.entries()) {
    blend.plain[index] = token.blend ? 0 : 1;
    for (const { token: id, weight } of token.blend ?? []) {
      blend.parts[part] = id;
      blend.weights[index * count + part] = weight;
      part++;
    }
  }
}
