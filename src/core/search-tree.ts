/** One prompt and the nodes below it: what is decided among them, and what is freed by that. */
import type { Prompt } from "./prompt.js";
import type { Recorder } from "./recorder.js";
import { type ContextKind, contextKinds, SearchNode } from "./search-node.js";

export class SearchTree {
  /** "" for the question's own tree, "~1", "~2", ... for those that a method begins. */
  readonly id: string;
  readonly prompt: Prompt;
  readonly root: SearchNode;
  /** Length of each role's prompt once it is rendered, in tokens. */
  readonly promptTokens: { draft?: number; target?: number } = {};
  readonly #recorder: Recorder;
  #committed: SearchNode;
  /** Per kind of context, the deepest decided node that holds one. */
  readonly #deepest: Record<ContextKind, SearchNode>;

  constructor(id: string, prompt: Prompt, recorder: Recorder) {
    this.id = id;
    this.prompt = prompt;
    this.root = new SearchNode(this);
    this.root.state = "committed";
    this.#recorder = recorder;
    this.#committed = this.root;
    this.#deepest = { draft: this.root, target: this.root, scorer: this.root };
  }

  /** The deepest node that is decided for. */
  get committed(): SearchNode {
    return this.#committed;
  }

  /** Decides for a node at or below the one decided for so far. */
  commit(chosen: SearchNode): void {
    const path: SearchNode[] = [];
    for (let at = chosen; at !== this.#committed; at = at.parent!) path.unshift(at);
    for (const step of path) {
      for (const sibling of step.parent!.children) if (sibling !== step) this.discard(sibling);
      step.state = "committed";
      this.#recorder.emit({ type: "step-committed", node: step.id, elapsed: this.#recorder.elapsed() });
    }
    // What was made at the node decided for before was made after that decision.
    for (const kind of contextKinds) this.#letGoAbove([this.#committed, ...path], kind);
    this.#committed = chosen;
  }

  /** Gives up what is below a node. */
  discardBelow(node: SearchNode): void {
    for (const child of node.children) this.discard(child);
  }

  /** Gives up a subtree that is not given up yet, and frees what it holds. */
  discard(top: SearchNode): void {
    if (top.state === "pruned") return;
    for (const node of top.subtree()) {
      if (node.state === "pruned") continue;
      node.state = "pruned";
      node.drop();
      this.#recorder.emit({
        type: "step-pruned",
        node: node.id,
        role: node.role!,
        tokens: node.decodeTokens,
      });
    }
  }

  drop(): void {
    for (const node of this.root.subtree()) node.drop();
  }

  /** Of one kind of context, only the deepest on the way to the decided node is ever needed again. */
  #letGoAbove(path: readonly SearchNode[], kind: ContextKind): void {
    for (const node of path) {
      if (!node.held(kind)?.peek() || node === this.#deepest[kind]) continue;
      this.#deepest[kind].letGo(kind);
      this.#deepest[kind] = node;
    }
  }
}
