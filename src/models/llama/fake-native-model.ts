/**
 * A native model in plain TypeScript for tests of the scheduler: its next-token law is a hash of what is really
 * in the cache, so a lost, stale or misplaced cell changes what it writes. Faults are injected by decode number.
 */
import {
  type BatchToken,
  checkHiddenBatch,
  type DecodeStatus,
  type LawRequest,
  type NativeModel,
  type NativeModelInfo,
  type Row,
  type RowLaw,
  type RowRequest,
} from "../../native/native-model.js";

export const fakeVocabulary = 48;
export const fakeWidth = 8;
/** Writing it ends the text. */
export const fakeEnd = 47;

export interface FakeOptions {
  readonly cells?: number;
  readonly sequences?: number;
  readonly batchTokens?: number;
  readonly separate?: boolean;
  /** Status to answer a decode with instead of running it; undefined runs it. */
  readonly fault?: (decode: number, batch: readonly BatchToken[]) => DecodeStatus | undefined;
  /** Runs while a decode is in flight. */
  readonly during?: (decode: number, model: FakeNativeModel) => Promise<void> | void;
  /** Told of every batch before it is decoded. */
  readonly watch?: (batch: readonly BatchToken[], hidden: boolean) => void;
  readonly notFinite?: (decode: number) => boolean;
}

/** The score of each token after `tokens`; the greatest is what greedy decoding writes. */
export function fakeScores(tokens: readonly number[]): number[] {
  let state = 2166136261;
  for (const token of tokens) state = Math.imul(state ^ token, 16777619) >>> 0;
  return Array.from({ length: fakeVocabulary }, (_, token) => {
    let bits = Math.imul(state ^ Math.imul(token + 1, 0x9e3779b9), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    // The end is rare, so that texts have some length.
    return ((bits >>> 8) / 2 ** 24) * 4 - (token === fakeEnd ? 1.5 : 0);
  });
}

export function fakeLogprobs(tokens: readonly number[]): number[] {
  const scores = fakeScores(tokens);
  const sum = Math.log(scores.reduce((total, score) => total + Math.exp(score), 0));
  return scores.map((score) => score - sum);
}

export function fakeGreedy(tokens: readonly number[]): number {
  const scores = fakeScores(tokens);
  return scores.indexOf(Math.max(...scores));
}

/** Tokens 0..25 are letters, 26 a line break, others digits and signs. */
export function fakePiece(token: number): string {
  if (token === fakeEnd) return "";
  return token === 26 ? "\n" : String.fromCharCode(token < 26 ? 97 + token : 20 + token);
}

/** Above temperature 0 every token is drawn alike. */
function fakeLaw({ temperature, tokens, bits }: LawRequest, logprobs: readonly number[]): RowLaw {
  const best = logprobs.indexOf(Math.max(...logprobs));
  const possible = temperature === 0 ? [best] : [...logprobs.keys()];
  const rest = possible.filter((token) => !tokens.includes(token));
  const outside = rest[bits % rest.length] ?? -1;
  return {
    probabilities: tokens.map((token) => (possible.includes(token) ? 1 / possible.length : 0)),
    outside,
    outsideLogprob: outside < 0 ? 0 : logprobs[outside]!,
  };
}

export class FakeNativeModel implements NativeModel {
  readonly info: NativeModelInfo;
  readonly #options: FakeOptions;
  /** Cells in use; a cell is an object, held by every sequence that shares it. */
  readonly #sequences = new Map<number, { token: number }[]>();
  #outputs: number[][] = [];
  #hiddenBatch = false;
  #aborted = false;
  decodes = 0;
  largestBatch = 0;
  closed = false;

  constructor(options: FakeOptions = {}) {
    this.#options = options;
    this.info = {
      description: "fake",
      metadata: {},
      chatTemplate: null,
      vocabularyHash: "fake",
      vocabularySize: fakeVocabulary,
      beginToken: null,
      addsBegin: false,
      endTokens: [fakeEnd],
      parameters: 1000,
      bytes: 4000,
      layers: 2,
      heads: 2,
      headSize: 4,
      kvHeads: 2,
      width: fakeWidth,
      trainedContext: 4096,
      cells: options.cells ?? 256,
      sequences: options.sequences ?? 8,
      batchTokens: options.batchTokens ?? 64,
      canTrim: true,
    };
  }

  /** Distinct cells that some sequence holds. */
  get usedCells(): number {
    return new Set([...this.#sequences.values()].flat()).size;
  }

  tokenize(text: string): number[] {
    return [...text].map((character) => {
      const code = character.charCodeAt(0);
      return character === "\n" ? 26 : code >= 97 ? code - 97 : code - 20;
    });
  }

  piece(token: number): Uint8Array {
    return new TextEncoder().encode(fakePiece(token));
  }

  async decode(batch: readonly BatchToken[], options: { hidden?: boolean } = {}): Promise<DecodeStatus> {
    const number = this.decodes++;
    this.largestBatch = Math.max(this.largestBatch, batch.length);
    if (batch.length === 0 || batch.length > this.info.batchTokens)
      throw new Error(`batch of ${batch.length}`);
    if (options.hidden) checkHiddenBatch(batch);
    this.#options.watch?.(batch, options.hidden ?? false);
    this.#aborted = false;
    await this.#options.during?.(number, this);
    const fault = this.#options.fault?.(number, batch) ?? (this.#aborted ? 2 : undefined);
    const room = this.info.cells * (this.#options.separate ? this.info.sequences : 1) - this.usedCells;
    const status = fault ?? (batch.length > room ? 1 : 0);
    // A failed decode may leave some of its cells behind, as libllama's do.
    const passed = status === 0 ? batch : batch.slice(0, Math.min(room, Math.floor(batch.length / 2)));
    const outputs: number[][] = [];
    for (const { token, position, sequences, output } of passed) {
      if (this.#options.separate && sequences.length > 1) throw new Error("streams cannot share a token");
      const cell = { token };
      for (const sequence of sequences) {
        const cells = this.#cells(sequence);
        if (sequence >= this.info.sequences) throw new Error(`sequence ${sequence}`);
        if (position !== cells.length) throw new Error(`position ${position} after ${cells.length} cells`);
        cells.push(cell);
      }
      if (output) outputs.push(this.#cells(sequences[0]!).map(({ token }) => token));
    }
    if (status === 0) {
      this.#outputs = outputs;
      this.#hiddenBatch = options.hidden ?? false;
    }
    return status;
  }

  readRows(requests: readonly RowRequest[]): Row[] {
    const finite = !(this.#options.notFinite?.(this.decodes - 1) ?? false);
    return requests.map(({ output, draw, topK, tokens, row, law }) => {
      const logprobs = fakeLogprobs(this.#outputs[output]!);
      const order = logprobs.map((_, token) => token).sort((a, b) => logprobs[b]! - logprobs[a]!);
      const token = draw === null ? -1 : draw.temperature === 0 ? order[0]! : draw.bits % fakeVocabulary;
      return {
        finite,
        token,
        logprob: token < 0 ? 0 : logprobs[token]!,
        entropy: -logprobs.reduce((sum, logprob) => sum + Math.exp(logprob) * logprob, 0),
        topK: order.slice(0, topK).map((token) => ({ token, logprob: logprobs[token]! })),
        tokens: tokens.map((token) => logprobs[token]!),
        row: row ? Float32Array.from(logprobs) : null,
        ...(law ? { law: fakeLaw(law, logprobs) } : {}),
      };
    });
  }

  readHidden(output: number): Float32Array {
    if (!this.#hiddenBatch) throw new Error("the last decode did not ask for hidden states");
    return Float32Array.from(fakeScores(this.#outputs[output]!).slice(0, this.info.width));
  }

  removeCells(sequence: number, from: number, to: number): boolean {
    if (to !== -1) throw new Error("only tails are removed");
    this.#cells(sequence).splice(from);
    return true;
  }

  shareCells(from: number, to: number): void {
    if (this.#cells(to).length > 0) throw new Error(`sequence ${to} is not empty`);
    const cells = this.#cells(from);
    this.#sequences.set(to, this.#options.separate ? cells.map(({ token }) => ({ token })) : [...cells]);
  }

  abort(): void {
    this.#aborted = true;
  }

  close(): void {
    this.closed = true;
  }

  #cells(sequence: number): { token: number }[] {
    let cells = this.#sequences.get(sequence);
    if (!cells) {
      cells = [];
      this.#sequences.set(sequence, cells);
    }
    return cells;
  }
}
