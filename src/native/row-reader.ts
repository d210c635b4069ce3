/** Answers row requests over rows of logits; all vocabulary-long work is native. */
import { BlockedRow } from "./blocked-row.js";
import { CpuBackend } from "./ggml/cpu-backend.js";
import type { Native } from "./load.js";
import type { LawRequest, Row, RowLaw, RowRequest } from "./native-model.js";
import { LargestGraph, LawGraph } from "./row-graph.js";
import { keptCount, pickAmong, type Truncation, truncates } from "./truncated-draw.js";

/** How many of the largest logits are asked for: few first, since few nearly always decide. */
const headSizes = [256, 4096, 65536];
/** Stands for -infinity where 0 * -infinity would spoil a sum; no model writes a logit this low. */
const lowestLogit = -1e6;
/** Below this a draw is the arg-max: dividing by it would overflow single precision. */
const lowestTemperature = 1e-6;

const notFinite: Row = { finite: false, token: -1, logprob: 0, entropy: 0, topK: [], tokens: [], row: null };

type Draw = NonNullable<RowRequest["draw"]>;

/** The tokens that truncation leaves, best first, with their probabilities; only `count` of them are kept. */
interface Head {
  readonly ids: Int32Array;
  readonly probabilities: Float32Array;
  readonly count: number;
}

export class RowReader {
  readonly #backend: CpuBackend;
  readonly #length: number;
  readonly #law: LawGraph;
  readonly #tempered: LawGraph;
  readonly #blocked: BlockedRow;
  readonly #blockedTempered: BlockedRow;
  /** Built when a row first needs it. */
  #clamped: LawGraph | undefined;
  readonly #largest = new Map<number, LargestGraph>();
  /** What has been computed of the row at hand, so that a draw and a law share it. */
  readonly #heads = new Map<number, Int32Array>();
  #temperedAt = Number.NaN;

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
    this.#heads.clear();
    this.#temperedAt = Number.NaN;
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
      // Last, because it strikes tokens out of the row of probabilities.
      ...(request.law ? { law: this.#lawOf(address, logits, best, request.law, logprob) } : {}),
    };
  }

  free(): void {
    this.#law.free();
    this.#tempered.free();
    this.#clamped?.free();
    for (const graph of this.#largest.values()) graph.free();
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
    const law = this.#temper(address, draw.temperature);
    if (!truncates(draw)) return law.pick(uniformOf(draw.bits));
    const { ids, probabilities, count } = this.#truncate(address, logits, law, draw);
    return ids[pickAmong(probabilities, count, uniformOf(draw.bits))]!;
  }

  #lawOf(
    address: bigint,
    logits: Float32Array,
    best: number,
    request: LawRequest,
    logprob: (id: number) => number,
  ): RowLaw {
    const { tokens } = request;
    const answer = (probabilities: readonly number[], outside: number): RowLaw => ({
      probabilities,
      outside,
      outsideLogprob: outside < 0 ? 0 : logprob(outside),
    });
    if (request.temperature < lowestTemperature) {
      const probabilities = tokens.map((token) => (token === best ? 1 : 0));
      return answer(probabilities, tokens.includes(best) ? -1 : best);
    }
    const uniform = uniformOf(request.bits);
    const law = this.#temper(address, request.temperature);
    if (!truncates(request)) {
      const { total } = law;
      const probabilities = tokens.map((token) => law.probabilities[token]! / total);
      law.remove(tokens);
      return answer(probabilities, law.total > 0 ? law.pick(uniform) : -1);
    }
    const { ids, probabilities: head, count } = this.#truncate(address, logits, law, request);
    const kept = head.subarray(0, count);
    const total = kept.reduce((sum, probability) => sum + probability, 0);
    const places = tokens.map((token) => ids.subarray(0, count).indexOf(token));
    const probabilities = places.map((place) => (place < 0 ? 0 : kept[place]! / total));
    for (const place of places) if (place >= 0) kept[place] = 0;
    const outside = pickAmong(kept, count, uniform);
    return answer(probabilities, kept[outside]! > 0 ? ids[outside]! : -1);
  }

  /** The row's law at a temperature: the one at 1 has been computed before. */
  #temper(address: bigint, temperature: number): BlockedRow {
    if (temperature === 1) return this.#blocked;
    if (temperature !== this.#temperedAt) {
      this.#tempered.compute(address, temperature);
      this.#blockedTempered.update(this.#tempered.blockSums);
      this.#temperedAt = temperature;
    }
    return this.#blockedTempered;
  }

  #truncate(address: bigint, logits: Float32Array, law: BlockedRow, truncation: Truncation): Head {
    for (let size = 0; ; ) {
      size = headSizes.find((next) => next > size) ?? this.#length;
      const ids = this.#head(address, logits, size);
      const probabilities = Float32Array.from(ids, (id) => law.probabilities[id]!);
      const count = keptCount(probabilities, law.total, ids.length === this.#length, truncation);
      if (count !== undefined) return { ids, probabilities, count };
    }
  }

  /** At least `count` of the most probable ids (all, where there are fewer), best first, the lower id first among equals. */
  #head(address: bigint, logits: Float32Array, count: number): Int32Array {
    const size = Math.min(headSizes.find((next) => next >= count) ?? this.#length, this.#length);
    const known = this.#heads.get(size);
    if (known !== undefined) return known;
    let graph = this.#largest.get(size);
    if (graph === undefined) {
      graph = new LargestGraph(this.#backend, this.#length, size);
      this.#largest.set(size, graph);
    }
    graph.compute(address);
    const head = graph.ids.slice().sort((left, right) => logits[right]! - logits[left]! || left - right);
    this.#heads.set(size, head);
    return head;
  }
}

function uniformOf(bits: number): number {
  return (bits >>> 0) / 2 ** 32;
}

/** A copy of the row as log-probabilities. */
function shifted(logits: Float32Array, normaliser: number): Float32Array {
  const row = logits.slice();
  for (let id = 0; id < row.length; id++) row[id]! -= normaliser;
  return row;
}
