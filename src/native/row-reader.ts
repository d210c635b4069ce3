/** Answers row requests over rows of logits; all vocabulary-long work is native. */
import { BlockedRow } from "./blocked-row.js";
import { CpuBackend } from "./ggml/cpu-backend.js";
import type { Native } from "./load.js";
import type { Row, RowRequest } from "./native-model.js";
import { LargestGraph, LawGraph } from "./row-graph.js";
import { keptCount, pickAmong, truncates } from "./truncated-draw.js";

/** How many of the largest logits are asked for: few first, since few nearly always decide. */
const headSizes = [256, 4096, 65536];
/** Stands for -infinity where 0 * -infinity would spoil a sum; no model writes a logit this low. */
const lowestLogit = -1e6;
/** Below this a draw is the arg-max: dividing by it would overflow single precision. */
const lowestTemperature = 1e-6;

const notFinite: Row = { finite: false, token: -1, logprob: 0, entropy: 0, topK: [], tokens: [], row: null };

type Draw = NonNullable<RowRequest["draw"]>;

export class RowReader {
  readonly #backend: CpuBackend;
  readonly #length: number;
  readonly #law: LawGraph;
  readonly #tempered: LawGraph;
  readonly #blocked: BlockedRow;
  readonly #blockedTempered: BlockedRow;
  /** Built when a row first needs it. */
  #clamped: LawGraph | undefined;
  readonly #heads = new Map<number, LargestGraph>();

  /** For rows of `length` logits. */
  constructor(native: Native, length: number) {
    this.#backend = new CpuBackend(native);
    this.#length = length;
    this.#law = new LawGraph(this.#backend, length);
    this.#tempered = new LawGraph(this.#backend, length);
    this.#blocked = new BlockedRow(this.#law.probabilities, this.#law.blockSums);
    this.#blockedTempered = new BlockedRow(this.#tempered.probabilities, this.#tempered.blockSums);
  }

  /** Reads the row of logits at `address`; `logits` is the same memory. The row itself is not changed. */
  read(address: bigint, logits: Float32Array, request: RowRequest): Row {
    this.#law.compute(address, 1);
    this.#blocked.update(this.#law.blockSums);
    const { total } = this.#blocked;
    // A NaN or +infinity among the logits, or no finite one, leaves no law that sums to 1.
    if (!(Math.abs(total - 1) < 0.01)) return notFinite;
    const cross = this.#cross(address, logits);
    if (cross === undefined) return notFinite;

    const best = this.#blocked.largest(logits);
    const normaliser = logits[best]! - Math.log(this.#law.probabilities[best]!);
    const token = request.draw === null ? -1 : this.#draw(address, logits, best, request.draw);
    const logprob = (id: number) => Math.min(0, logits[id]! - normaliser);
    return {
      finite: true,
      token,
      logprob: token < 0 ? 0 : logprob(token),
      entropy: Math.max(0, normaliser - cross),
      topK:
        request.topK <= 0
          ? []
          : [...this.#head(address, logits, request.topK).subarray(0, request.topK)].map((id) => ({
              token: id,
              logprob: logprob(id),
            })),
      tokens: request.tokens.map(logprob),
      row: request.row ? shifted(logits, normaliser) : null,
    };
  }

  free(): void {
    this.#law.free();
    this.#tempered.free();
    this.#clamped?.free();
    for (const head of this.#heads.values()) head.free();
    this.#backend.free();
  }

  /** Sum of p * logit; undefined where a logit is NaN. */
  #cross(address: bigint, logits: Float32Array): number | undefined {
    const { cross } = this.#law;
    if (Number.isFinite(cross)) return cross;
    if (logits.includes(Number.NaN)) return undefined;
    this.#clamped ??= new LawGraph(this.#backend, this.#length, lowestLogit);
    this.#clamped.compute(address, 1);
    return this.#clamped.cross;
  }

  #draw(address: bigint, logits: Float32Array, best: number, draw: Draw): number {
    if (draw.temperature < lowestTemperature) return best;
    let law = this.#blocked;
    if (draw.temperature !== 1) {
      this.#tempered.compute(address, draw.temperature);
      law = this.#blockedTempered;
      law.update(this.#tempered.blockSums);
    }
    const uniform = (draw.bits >>> 0) / 2 ** 32;
    if (!truncates(draw)) return law.pick(uniform);

    for (let size = 0; ; ) {
      size = headSizes.find((next) => next > size) ?? this.#length;
      const head = this.#head(address, logits, size);
      const sorted = Float32Array.from(head, (id) => law.probabilities[id]!);
      const count = keptCount(sorted, law.total, head.length === this.#length, draw);
      if (count !== undefined) return head[pickAmong(sorted, count, uniform)]!;
    }
  }

  /** At least `count` of the most probable ids (all, where there are fewer), best first, the lower id first among equals. */
  #head(address: bigint, logits: Float32Array, count: number): Int32Array {
    const size = Math.min(headSizes.find((next) => next >= count) ?? this.#length, this.#length);
    let graph = this.#heads.get(size);
    if (graph === undefined) {
      graph = new LargestGraph(this.#backend, this.#length, size);
      this.#heads.set(size, graph);
    }
    graph.compute(address);
    return graph.ids.slice().sort((left, right) => logits[right]! - logits[left]! || left - right);
  }
}

/** A copy of the row as log-probabilities. */
function shifted(logits: Float32Array, normaliser: number): Float32Array {
  const row = logits.slice();
  for (let id = 0; id < row.length; id++) row[id]! -= normaliser;
  return row;
}
