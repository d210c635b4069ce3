/** The nodes behind `Search`: what a method sees of a state, and what it holds open. */
import type { Held } from "./held.js";
import type { Branch } from "./model.js";
import type { Scorer } from "./reward.js";
import type { Finish, Node, Writer } from "./search.js";
import type { SearchTree } from "./search-tree.js";
import type { Step } from "./step.js";

export const contextKinds = ["draft", "target", "scorer"] as const;
export type ContextKind = (typeof contextKinds)[number];
export type NodeState = "open" | "committed" | "pruned";

export class SearchNode implements Node {
  readonly id: string;
  readonly parent: SearchNode | null;
  readonly tree: SearchTree;
  readonly step: Step | null;
  readonly role: Writer | null;
  readonly depth: number;
  readonly tokens: number;
  /** Steps from the root that count to the limit of steps: those that the run's own splitter ended. */
  readonly wholeSteps: number;
  readonly key: string;
  readonly finish: Finish | null;
  /** What writing the step cost, in tokens. */
  readonly decodeTokens: number;
  reward: number | null = null;

  state: NodeState = "open";
  readonly children: SearchNode[] = [];
  /** Children asked for so far, delivered or not: they number the children. */
  asked = 0;
  readonly askedOf = { draft: 0, target: 0 };
  readonly branches: { draft?: Held<Branch>; target?: Held<Branch> } = {};
  scorer: Held<Scorer> | undefined;
  /** Calls about this node that are made once, by what they ask. */
  readonly asking = new Map<string, Promise<unknown>>();
  /** Set when the reward failed here: the policy's answer to every coin. */
  verdict: boolean | undefined;

  /** A child at its place, or the root of a tree. */
  constructor(place: ChildPlace | SearchTree, written?: WrittenStep) {
    const parent = "parent" in place ? place.parent : null;
    this.parent = parent;
    this.tree = "parent" in place ? place.parent.tree : place;
    this.id = place.id;
    this.key = "parent" in place ? place.key : place.id;
    this.step = written?.step ?? null;
    this.role = written?.role ?? null;
    this.finish = written?.finish ?? null;
    this.decodeTokens = written?.decodeTokens ?? 0;
    this.depth = parent ? parent.depth + 1 : 0;
    this.tokens = parent ? parent.tokens + (written?.step.tokens.length ?? 0) : 0;
    this.wholeSteps = parent ? parent.wholeSteps + (written?.isWhole ? 1 : 0) : 0;
  }

  /** This node and all below it, a node before its children. */
  subtree(): SearchNode[] {
    const found: SearchNode[] = [];
    const waiting: SearchNode[] = [this];
    for (let node = waiting.pop(); node; node = waiting.pop()) {
      found.push(node);
      for (let index = node.children.length - 1; index >= 0; index--) waiting.push(node.children[index]!);
    }
    return found;
  }

  /** True if more than one continuation is still in play. */
  branchesOut(): boolean {
    let alive = 0;
    for (const child of this.children) if (child.state !== "pruned" && ++alive > 1) return true;
    return false;
  }

  /** Drops what this node alone holds. */
  drop(): void {
    for (const kind of contextKinds) this.letGo(kind);
  }

  letGo(kind: ContextKind): void {
    this.held(kind)?.drop();
    if (kind === "scorer") this.scorer = undefined;
    else delete this.branches[kind];
  }

  held(kind: ContextKind): Held<Branch> | Held<Scorer> | undefined {
    return kind === "scorer" ? this.scorer : this.branches[kind];
  }
}

export interface WrittenStep {
  readonly step: Step;
  readonly role: Writer;
  readonly finish: Finish | null;
  readonly decodeTokens: number;
  readonly isWhole: boolean;
}

export interface ChildPlace {
  readonly parent: SearchNode;
  readonly id: string;
  readonly key: string;
}

/**
 * Numbers the next child. The first child that a role writes goes on with its parent's stream of random numbers,
 * so that a chain draws what plain decoding draws; further ones branch off, and their key says where.
 */
export function nextChild(parent: SearchNode, role: Writer): ChildPlace {
  const number = parent.asked++;
  const sibling = parent.askedOf[role]++;
  return {
    parent,
    id: parent.id === "" ? String(number) : `${parent.id}.${number}`,
    key: sibling === 0 ? parent.key : `${parent.key}/${parent.depth}.${sibling}`,
  };
}
