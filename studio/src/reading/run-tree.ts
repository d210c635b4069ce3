/** A run as a tree of steps, grown event by event. Whatever comes may come from a stranger: what makes no tree is refused. */
import { Ledger } from "../../../src/core/ledger.js";
import { isRootId, type RunEvent, standing, type TraceEvent } from "../../../src/core/trace-event.js";

export type StepState = "writing" | "open" | "committed" | "pruned";
export type Written = Extract<TraceEvent, { type: "step-written" }>;
export type Started = Extract<TraceEvent, { type: "run-started" }>;

export interface StepNode {
  readonly id: string;
  readonly parent: StepNode | null;
  readonly depth: number;
  readonly children: StepNode[];
  /** Null for a root, and while the step is being written. */
  written: Written | null;
  /** As far as it is written. */
  text: string;
  origin: string;
  state: StepState;
  reward: number | null;
  /** The method's own figure for an answer that ends here. */
  offered: number | null;
  coin: { readonly probability: number; readonly heads: boolean } | null;
}

/** The trace says something that no run can say. */
export class NoRun extends Error {}

export class RunTree {
  readonly roots = new Map<string, StepNode>();
  started: Started | null = null;
  end: Extract<TraceEvent, { type: "run-finished" | "run-failed" }> | null = null;
  ledger = new Ledger();
  /** Steps that are not decided yet; the one touched last comes last. */
  readonly open = new Map<string, StepNode>();
  readonly notices: string[] = [];
  #nodes = new Map<string, StepNode>();
  /** Per tree, the deepest node decided for. */
  readonly #committed = new Map<string, StepNode>();

  constructor() {
    this.#addRoot("");
  }

  get size(): number {
    return this.#nodes.size - this.roots.size;
  }

  node(id: string): StepNode | undefined {
    return this.#nodes.get(id);
  }

  take(event: RunEvent): void {
    if (event.type !== "text-written") this.ledger.charge(event);
    switch (event.type) {
      case "run-started":
        if (this.started) throw new NoRun("begins a second run");
        this.started = event;
        return;
      case "root-begun":
        this.#addRoot(event.node);
        return;
      case "text-written": {
        const node = this.#nodes.get(event.node) ?? this.#add(event.node, event.role);
        if (node.state !== "writing") return;
        node.text += event.text;
        this.#touch(node);
        return;
      }
      case "step-written":
        this.#write(event);
        return;
      case "step-cut":
        this.#remove(event.node);
        return;
      case "step-scored":
        this.#known(event.node).reward = event.value;
        return;
      case "answer-offered":
        this.#known(event.node).offered = event.value;
        return;
      case "coin-tossed":
        this.#known(event.node).coin = { probability: event.probability, heads: event.heads };
        return;
      case "reward-failed":
        this.notices.push(`The reward failed: ${event.error.message}`);
        return;
      case "step-committed": {
        const node = this.#known(event.node);
        node.state = "committed";
        this.open.delete(node.id);
        this.#committed.set(rootOf(node).id, node);
        return;
      }
      case "step-pruned": {
        const node = this.#known(event.node);
        node.state = "pruned";
        this.open.delete(node.id);
        return;
      }
      case "run-finished":
      case "run-failed":
        if (event.type === "run-finished") this.#known(event.node);
        this.end = event;
        for (const [id, node] of this.open) if (node.state === "writing") this.#remove(id);
        return;
    }
  }

  /** From the first step to the last: the answer, or as far as it is decided. */
  chosenPath(): StepNode[] {
    let node: StepNode | undefined;
    if (this.end?.type === "run-finished") node = this.#nodes.get(this.end.node);
    node ??= this.#committed.get("") ?? [...this.#committed.values()].at(-1);
    const path: StepNode[] = [];
    for (let at: StepNode | null | undefined = node; at?.parent; at = at.parent) path.push(at);
    return path.reverse();
  }

  #write(event: Written): void {
    const { node: id, parent } = event;
    if (isRootId(id)) throw new NoRun(`writes a step at the root "${short(id)}"`);
    if (parentOf(id) !== parent) {
      throw new NoRun(`hangs step "${short(id)}" from "${short(parent)}", which is not above it`);
    }
    const known = this.#nodes.get(id);
    if (known?.written) throw new NoRun(`writes step "${short(id)}" a second time`);
    const node = known ?? this.#add(id, event.origin);
    node.written = event;
    node.text = event.text;
    node.origin = event.origin;
    node.state = "open";
    this.#touch(node);
  }

  #add(id: string, origin: string): StepNode {
    const parent = this.#nodes.get(parentOf(id));
    if (!parent || isRootId(id)) throw new NoRun(`speaks of step "${short(id)}" before the step above it`);
    const node = makeNode(id, parent, origin, "writing");
    parent.children.push(node);
    this.#nodes.set(id, node);
    return node;
  }

  #addRoot(id: string): void {
    if (!isRootId(id) || this.#nodes.has(id))
      throw new NoRun(`begins "${short(id)}", which is no new prompt`);
    const root = makeNode(id, null, "", "committed");
    this.roots.set(id, root);
    this.#nodes.set(id, root);
  }

  #remove(id: string): void {
    const node = this.#nodes.get(id);
    if (!node?.parent || node.children.length > 0) return;
    node.parent.children.splice(node.parent.children.indexOf(node), 1);
    this.#nodes.delete(id);
    this.open.delete(id);
  }

  #known(id: string): StepNode {
    const node = this.#nodes.get(id);
    if (!node) throw new NoRun(`speaks of step "${short(id)}", which nobody has written`);
    return node;
  }

  #touch(node: StepNode): void {
    this.open.delete(node.id);
    this.open.set(node.id, node);
  }
}

/** The tree of what stands of these events. */
export function treeOf(events: readonly TraceEvent[]): RunTree {
  const tree = new RunTree();
  for (const event of standing(events)) tree.take(event);
  return tree;
}

export function rootOf(node: StepNode): StepNode {
  let at = node;
  while (at.parent) at = at.parent;
  return at;
}

/** "0.1.0" is below "0.1", "0" below "", and "~1.0" below "~1". */
function parentOf(id: string): string {
  const dot = id.lastIndexOf(".");
  return dot < 0 ? "" : id.slice(0, dot);
}

function makeNode(id: string, parent: StepNode | null, origin: string, state: StepState): StepNode {
  return {
    id,
    parent,
    depth: parent ? parent.depth + 1 : 0,
    children: [],
    written: null,
    text: "",
    origin,
    state,
    reward: null,
    offered: null,
    coin: null,
  };
}

function short(id: string): string {
  return id.length > 60 ? `${id.slice(0, 60)}…` : id;
}
