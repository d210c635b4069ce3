/** Graphs by shape: the same ones are asked for token after token. */
import { ForwardGraph, type ForwardParts, type ForwardShape, shapeKey } from "./forward-graph.js";

/** Kept graphs, and the bytes of their intermediate results together. */
const mostGraphs = 32;
const mostBytes = 256 * 2 ** 20;

export class GraphCache {
  readonly #parts: ForwardParts;
  /** The one not used for longest first. */
  readonly #graphs = new Map<string, ForwardGraph>();
  #bytes = 0;

  constructor(parts: ForwardParts) {
    this.#parts = parts;
  }

  /** The graph of that shape; it stays valid until the next call. */
  get(shape: ForwardShape): ForwardGraph {
    const key = shapeKey(shape);
    const found = this.#graphs.get(key);
    if (found) {
      this.#graphs.delete(key);
      this.#graphs.set(key, found);
      return found;
    }
    const graph = new ForwardGraph(this.#parts, shape);
    this.#bytes += graph.bytes;
    for (const [oldest, old] of this.#graphs) {
      if (this.#graphs.size < mostGraphs && this.#bytes <= mostBytes) break;
      this.#bytes -= old.bytes;
      old.free();
      this.#graphs.delete(oldest);
    }
    this.#graphs.set(key, graph);
    return graph;
  }

  free(): void {
    for (const graph of this.#graphs.values()) graph.free();
    this.#graphs.clear();
  }
}
