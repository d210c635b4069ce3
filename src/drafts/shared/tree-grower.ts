/** Grows a tree of drafts with a draft model: what the drafters that differ only in where they draw next share. */
import { DraftTree, type Proposal, root } from "../../core/draft-tree.js";
import type { DraftRequest } from "../../core/speculation.js";
import type { Token } from "../../core/step.js";
import type { DraftPlace, DraftReader, RowOptions } from "./draft-reader.js";
import { type DrawOptions, draftUniform, Picker, placeLaw } from "./draws.js";

/** A place of the tree whose law is known, so that drafts can be drawn at it. */
export interface Sprout {
  readonly node: number;
  readonly place: DraftPlace;
  readonly picker: Picker;
  readonly depth: number;
  /** Ranks among siblings that lead here. */
  readonly ranks: readonly number[];
}

export interface Shoot {
  readonly node: number;
  readonly token: Token;
  readonly parent: Sprout;
  /** Under the law that it was drawn from. */
  readonly probability: number;
  /** False where an earlier draw at the same place gave the same token: no new node then. */
  readonly isNew: boolean;
  readonly ranks: readonly number[];
}

export interface GrowerOptions extends DrawOptions {
  readonly origin: string;
  /** How much of the draft's row the drafts are drawn from. */
  readonly head: number;
}

export class TreeGrower {
  readonly tree = new DraftTree();
  readonly request: DraftRequest;
  readonly #reader: DraftReader;
  readonly #options: GrowerOptions;
  readonly #rowOptions: RowOptions;
  readonly #ends: ReadonlySet<Token>;
  readonly #deepest: number;

  constructor(
    reader: DraftReader,
    request: DraftRequest,
    options: GrowerOptions,
    ends: ReadonlySet<Token> = new Set(),
  ) {
    this.request = request;
    this.#reader = reader;
    this.#options = options;
    this.#rowOptions = { topK: options.head, hidden: request.hidden, signal: request.signal };
    this.#ends = ends;
    this.#deepest = Math.min(request.depth, reader.room(request.tokens));
  }

  get isFull(): boolean {
    return this.tree.size >= this.request.nodes;
  }

  /** How many more nodes the tree may have. */
  get room(): number {
    return Math.max(0, this.request.nodes - this.tree.size);
  }

  /** Null where no draft fits. */
  async begin(): Promise<Sprout | null> {
    if (this.#deepest < 1 || this.isFull) return null;
    const place = await this.#reader.read(this.request.tokens, this.#rowOptions);
    return this.#sprout(root, place, 0, []);
  }

  /** One more draft at the place; null where the tree is full or the law has no token left. */
  draw(sprout: Sprout): Shoot | null {
    if (this.isFull) return null;
    const rank = sprout.picker.count;
    const draw = sprout.picker.next();
    return draw && this.#add(sprout, draw, rank);
  }

  /** A draft that was drawn elsewhere. */
  add(
    sprout: Sprout,
    draw: { readonly token: Token; readonly probability: number; readonly proposal: Proposal },
  ): Shoot {
    return this.#add(sprout, draw, this.tree.children(sprout.node).length);
  }

  /** Whether drafts may follow this one. */
  canGrow({ token, parent, isNew }: Shoot): boolean {
    return isNew && parent.depth + 1 < this.#deepest && !this.#ends.has(token);
  }

  /** Reads these drafts together; those that may not grow are left out. */
  async expand(shoots: readonly Shoot[]): Promise<Sprout[]> {
    const growing = shoots.filter((shoot) => this.canGrow(shoot));
    if (growing.length === 0) return [];
    const drafts = growing.map(({ parent, token }) => ({ place: parent.place, token }));
    const places = await this.#reader.expand(drafts, this.#rowOptions);
    return growing.map(({ node, parent, ranks }, index) =>
      this.#sprout(node, places[index]!, parent.depth + 1, ranks),
    );
  }

  /** Tells the controller of the layer's best draft; true: draft no deeper. */
  stopsAfter(shoots: readonly Shoot[]): boolean {
    const { shouldStop } = this.request;
    const [first] = shoots;
    if (!shouldStop || !first) return false;
    const best = shoots.reduce((a, b) => (this.#chance(b) > this.#chance(a) ? b : a), first);
    const { row, hidden } = best.parent.place;
    return shouldStop({
      depth: best.parent.depth + 1,
      probability: this.#chance(best),
      entropy: row.entropy,
      hidden,
    });
  }

  /** The draft model's own probability of it, at temperature 1. */
  #chance({ token, parent }: Shoot): number {
    const found = parent.place.row.topK.find((candidate) => candidate.token === token);
    return found ? Math.exp(found.logprob) : 0;
  }

  #add(
    sprout: Sprout,
    draw: { readonly token: Token; readonly probability: number; readonly proposal: Proposal },
    rank: number,
  ): Shoot {
    const { node: parent, ranks, place } = sprout;
    const { token, probability, proposal } = draw;
    const same = this.tree.children(parent).find((child) => this.tree.nodes[child]!.token === token);
    if (same !== undefined) this.tree.repeat(same);
    const { origin } = this.#options;
    const node = same ?? this.tree.add({ token, parent, proposal, origin, row: place.row });
    return {
      node,
      token,
      parent: sprout,
      probability,
      isNew: same === undefined,
      ranks: [...ranks, rank],
    };
  }

  #sprout(node: number, place: DraftPlace, depth: number, ranks: readonly number[]): Sprout {
    const { law, draws } = placeLaw(place.row, this.request.sampling, this.#options);
    const uniform = (rank: number) => draftUniform(this.request, [...ranks, rank]);
    return { node, place, depth, ranks, picker: new Picker(law, draws, uniform) };
  }
}
