/** The arrays of a `llama_batch`, allocated once and filled anew for every decode. */
import { StepwrightError } from "../core/errors.js";
import type { Struct } from "./library.js";
import { NativeMemory } from "./native-memory.js";
import type { BatchToken } from "./native-model.js";

export interface BatchLimits {
  readonly tokens: number;
  readonly sequences: number;
  readonly vocabulary: number;
}

export class BatchBuffer {
  readonly #limits: BatchLimits;
  readonly #memory: NativeMemory;
  readonly #tokens: Int32Array;
  readonly #positions: Int32Array;
  readonly #counts: Int32Array;
  readonly #sequencePointers: BigUint64Array;
  readonly #outputs: Int8Array;
  readonly #offsets: Record<"tokens" | "positions" | "counts" | "pointers" | "outputs", number>;
  #sequences: NativeMemory;
  #sequenceIds: Int32Array;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
    const capacity = limits.tokens;
    // Pointers first, so that everything is aligned.
    const offsets = {
      pointers: 0,
      tokens: 8 * capacity,
      positions: 12 * capacity,
      counts: 16 * capacity,
      outputs: 20 * capacity,
    };
    this.#offsets = offsets;
    this.#memory = new NativeMemory(21 * capacity);
    const bytes = this.#memory.bytes;
    this.#sequencePointers = new BigUint64Array(bytes, offsets.pointers, capacity);
    this.#tokens = new Int32Array(bytes, offsets.tokens, capacity);
    this.#positions = new Int32Array(bytes, offsets.positions, capacity);
    this.#counts = new Int32Array(bytes, offsets.counts, capacity);
    this.#outputs = new Int8Array(bytes, offsets.outputs, capacity);
    this.#sequences = new NativeMemory(4 * capacity);
    this.#sequenceIds = new Int32Array(this.#sequences.bytes);
  }

  /**
   * The batch as libllama takes it; valid until the next `fill`. libllama ends the process on a batch that is too
   * long or names a token it does not have, so such a batch throws `internal` here.
   */
  fill(batch: readonly BatchToken[]): Struct {
    const { tokens, sequences, vocabulary } = this.#limits;
    if (batch.length === 0 || batch.length > tokens) {
      throw invalid(`a batch of ${batch.length} tokens; the context takes 1 to ${tokens}`);
    }
    let ids = 0;
    for (const entry of batch) ids += entry.sequences.length;
    this.#makeRoom(ids);

    let next = 0;
    for (const [index, entry] of batch.entries()) {
      if (!within(entry.token, vocabulary)) throw invalid(`token ${entry.token} is not in the vocabulary`);
      if (!within(entry.position, 2 ** 31)) throw invalid(`position ${entry.position}`);
      if (entry.sequences.length === 0) throw invalid("a token without a sequence");
      this.#tokens[index] = entry.token;
      this.#positions[index] = entry.position;
      this.#counts[index] = entry.sequences.length;
      this.#sequencePointers[index] = this.#sequences.address + BigInt(4 * next);
      this.#outputs[index] = entry.output ? 1 : 0;
      for (const sequence of entry.sequences) {
        if (!within(sequence, sequences)) throw invalid(`sequence ${sequence} of ${sequences}`);
        this.#sequenceIds[next++] = sequence;
      }
    }
    const at = (offset: number) => this.#memory.address + BigInt(offset);
    return {
      n_tokens: batch.length,
      token: at(this.#offsets.tokens),
      embd: null,
      pos: at(this.#offsets.positions),
      n_seq_id: at(this.#offsets.counts),
      seq_id: at(this.#offsets.pointers),
      logits: at(this.#offsets.outputs),
    };
  }

  free(): void {
    this.#memory.free();
    this.#sequences.free();
  }

  #makeRoom(ids: number): void {
    if (ids <= this.#sequenceIds.length) return;
    this.#sequences.free();
    this.#sequences = new NativeMemory(8 * ids);
    this.#sequenceIds = new Int32Array(this.#sequences.bytes);
  }
}

function within(value: number, limit: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < limit;
}

function invalid(what: string): StepwrightError {
  return new StepwrightError("internal", `invalid batch: ${what}`);
}
