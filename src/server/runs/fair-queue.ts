/** What waits to start, shared fairly between owners by predicted cost: deficit round robin (Shreedhar and Varghese, 1995). */

interface Waiting<Item> {
  readonly cost: number;
  readonly item: Item;
}

interface Lane<Item> {
  readonly owner: string;
  readonly items: Waiting<Item>[];
  /** What the owner may spend before the next one has its turn. */
  deficit: number;
}

export class FairQueue<Item> {
  /** What an owner may spend per turn: about one usual answer. */
  readonly #quantum: number;
  /** Owners with something waiting; the first has its turn. */
  readonly #ring: Lane<Item>[] = [];
  /** The first owner has got what it may spend in this turn. */
  #hasTurn = false;

  constructor(quantum: number) {
    this.#quantum = quantum;
  }

  get size(): number {
    return this.#ring.reduce((sum, { items }) => sum + items.length, 0);
  }

  /** Items of one owner leave in the order in which they came. */
  push(owner: string, cost: number, item: Item): void {
    let lane = this.#ring.find((one) => one.owner === owner);
    if (!lane) {
      lane = { owner, items: [], deficit: 0 };
      this.#ring.push(lane);
    }
    lane.items.push({ cost, item });
  }

  /** The next item, if there is room for its cost: a dear one is waited for, not passed over until it starves. */
  take(room: number): Item | undefined {
    const lane = this.#turn();
    if (!lane || lane.items[0]!.cost > room) return undefined;
    const { cost, item } = lane.items.shift()!;
    lane.deficit -= cost;
    // Who has nothing waiting saves nothing up.
    this.#dropIfEmpty(lane);
    return item;
  }

  remove(item: Item): boolean {
    for (const lane of this.#ring) {
      const at = lane.items.findIndex((waiting) => waiting.item === item);
      if (at < 0) continue;
      lane.items.splice(at, 1);
      this.#dropIfEmpty(lane);
      return true;
    }
    return false;
  }

  /** The first lane whose turn pays for its first item. */
  #turn(): Lane<Item> | undefined {
    for (let visited = 1; this.#ring.length > 0; visited++) {
      const lane = this.#ring[0]!;
      if (!this.#hasTurn) lane.deficit += this.#quantum;
      this.#hasTurn = lane.deficit >= lane.items[0]!.cost;
      if (this.#hasTurn) return lane;
      this.#ring.push(this.#ring.shift()!);
      if (visited % this.#ring.length === 0) this.#skipRounds();
    }
    return undefined;
  }

  #dropIfEmpty(lane: Lane<Item>): void {
    if (lane.items.length > 0) return;
    const at = this.#ring.indexOf(lane);
    if (at === 0) this.#hasTurn = false;
    this.#ring.splice(at, 1);
  }

  /** Rounds in which nobody could pay, all at once. */
  #skipRounds(): void {
    const rounds = this.#ring.map(({ items, deficit }) =>
      Math.ceil((items[0]!.cost - deficit) / this.#quantum),
    );
    const fruitless = Math.max(0, Math.min(...rounds) - 1);
    for (const lane of this.#ring) lane.deficit += fruitless * this.#quantum;
  }
}
