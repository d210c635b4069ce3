/** A tree of drafted tokens in the cache, beside the branch that it hangs on. Card speculative-sampling, F. */
import type { TreeToken } from "../../core/model.js";
import type { BatchToken } from "../../native/native-model.js";

/** One token of a pass over a tree. */
export interface TreeEntry extends BatchToken {
  /** Which of the tree's rows is read after it: 0 after the branch's end, then one per node; -1 none. */
  readonly row: number;
}

export interface Placing {
  /** The branch's own sequence first, one for each path. */
  readonly sequences: readonly number[];
  /** What the branch holds, and how much of it has been passed. */
  readonly tokens: readonly number[];
  readonly cached: number;
  /** Sequences cannot share a token: each passes it for itself. */
  readonly separate: boolean;
  /** Every token of the pass must be an output. */
  readonly hidden: boolean;
}

/**
 * Each path from the branch's end to a leaf has a sequence id, the first path the branch's own; a node's token carries
 * the ids of all paths through it. A chain thus needs no further id.
 */
export class HeldTree {
  readonly nodes: readonly TreeToken[];
  /** Paths to leaves; a tree without nodes has one, which ends where the branch does. */
  readonly paths: number;
  readonly depth: number;
  readonly #depths: number[] = [];
  /** For each node the paths through it, in order. */
  readonly #through: number[][];
  #sequences: readonly number[] | null = null;
  #entries: readonly TreeEntry[] = [];
  #passed = 0;

  /** Parents come before their children. */
  constructor(nodes: readonly TreeToken[]) {
    this.nodes = nodes;
    for (const { parent } of nodes) this.#depths.push(parent < 0 ? 1 : this.#depths[parent]! + 1);
    this.depth = this.#depths.reduce((most, depth) => Math.max(most, depth), 0);
    const parents = new Set(nodes.map(({ parent }) => parent));
    this.#through = nodes.map(() => []);
    let paths = 0;
    for (let leaf = 0; leaf < nodes.length; leaf++) {
      if (parents.has(leaf)) continue;
      for (let node = leaf; node >= 0; node = nodes[node]!.parent) this.#through[node]!.push(paths);
      paths++;
    }
    this.paths = Math.max(1, paths);
  }

  /** Cells that it takes beside those of the branch. */
  cells(separate: boolean): number {
    return separate ? this.#through.reduce((sum, paths) => sum + paths.length, 0) : this.nodes.length;
  }

  /** Ids of the sequences that hold it; null while it is not in the cache. */
  get sequences(): readonly number[] | null {
    return this.#sequences;
  }

  /** What is still to be passed, once it is placed. */
  get left(): readonly TreeEntry[] {
    return this.#entries.slice(this.#passed);
  }

  get isRead(): boolean {
    return this.#sequences !== null && this.#passed === this.#entries.length;
  }

  /** Lays out the pass: the tokens of the branch that were not passed, then the nodes. */
  place({ sequences, tokens, cached, separate, hidden }: Placing): void {
    const entries: TreeEntry[] = [];
    const add = (token: number, position: number, among: readonly number[], row: number) => {
      const groups = separate ? among.map((sequence) => [sequence]) : [among];
      for (const [index, group] of groups.entries()) {
        const read = index === 0 ? row : -1;
        entries.push({ token, position, sequences: group, output: read >= 0 || hidden, row: read });
      }
    };
    for (let position = cached; position < tokens.length; position++) {
      add(tokens[position]!, position, sequences, position === tokens.length - 1 ? 0 : -1);
    }
    for (const [node, { token }] of this.nodes.entries()) {
      const among = this.#through[node]!.map((path) => sequences[path]!);
      add(token, tokens.length + this.#depths[node]! - 1, among, node + 1);
    }
    this.#sequences = sequences;
    this.#entries = entries;
    this.#passed = 0;
  }

  /** `count` more of the entries have been passed. */
  pass(count: number): void {
    this.#passed += count;
  }

  /** It has lost its sequences, and is to be passed anew. */
  lose(): void {
    this.#sequences = null;
    this.#entries = [];
    this.#passed = 0;
  }

  /** Tokens from the branch's end to a node; none for -1. */
  pathTo(node: number): number[] {
    const path: number[] = [];
    for (let at = node; at >= 0; at = this.nodes[at]!.parent) path.unshift(this.nodes[at]!.token);
    return path;
  }

  /** The sequence of a path through the node, the branch's own for -1. */
  sequenceThrough(node: number): number | undefined {
    return this.#sequences?.[node < 0 ? 0 : this.#through[node]![0]!];
  }
}
