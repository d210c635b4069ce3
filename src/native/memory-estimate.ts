/** What a model will take of memory, before it is loaded. */

export interface MemoryRequest {
  /** Bytes of weights: the size of the file. */
  readonly weights: number;
  /** KV cells of the whole context: of all streams together where streams are separate. */
  readonly cells: number;
  readonly layers: number;
  readonly kvHeads: number;
  readonly headSize: number;
}

export interface MemoryEstimate {
  readonly weights: number;
  readonly cache: number;
  readonly total: number;
}

/** A key and a value per layer and cell, 16 bits each number. */
const bytesPerNumber = 2;

/** Bytes of the weights and the KV cache. Compute buffers (tens to hundreds of MB, by batch size) come on top. */
export function estimateMemory(request: MemoryRequest): MemoryEstimate {
  const cache = 2 * bytesPerNumber * request.cells * request.layers * request.kvHeads * request.headSize;
  return { weights: request.weights, cache, total: request.weights + cache };
}
