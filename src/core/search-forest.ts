/** The trees of a run: one for the question, one for every other prompt that the method began. Nothing here costs anything. */
import { StepwrightError } from "./errors.js";
import type { ChatMessage } from "./model.js";
import type { Prompt } from "./prompt.js";
import type { Recorder } from "./recorder.js";
import type { Node, Outcome } from "./search.js";
import { SearchNode } from "./search-node.js";
import { SearchTree } from "./search-tree.js";
import type { WrittenEvent } from "./writing.js";

interface Offer {
  readonly node: SearchNode;
  readonly value: number;
}

export class SearchForest {
  readonly #recorder: Recorder;
  /** The question's own first. */
  readonly #trees: SearchTree[];
  readonly #offers: Offer[] = [];
  #dropped = false;

  constructor(prompt: Prompt, recorder: Recorder) {
    this.#recorder = recorder;
    this.#trees = [new SearchTree("", prompt, recorder)];
  }

  get root(): SearchNode {
    return this.#trees[0]!.root;
  }

  /** The answer of a run that was cut: the best offer that still stands, else what is decided for. */
  get best(): SearchNode {
    let best: Offer | undefined;
    for (const offer of this.#offers) {
      if (isUsable(offer.node) && !(best && best.value >= offer.value)) best = offer;
    }
    return best?.node ?? this.#trees[0]!.committed;
  }

  begin(messages: readonly ChatMessage[]): SearchNode {
    const tree = new SearchTree(`~${this.#trees.length}`, messages, this.#recorder);
    this.#trees.push(tree);
    this.#recorder.emit({ type: "root-begun", node: tree.id, messages });
    return tree.root;
  }

  /** The node as ours, if a method may still use it. */
  own(node: Node): SearchNode {
    if (!(node instanceof SearchNode)) throw misuse("passes a node that it did not get from this search");
    if (node.state === "pruned") throw misuse(`uses node "${node.id}", which it gave up`);
    if (!isUsable(node)) throw misuse(`uses node "${node.id}", above what it has decided for`);
    return node;
  }

  /** Hangs a new node in. Where its parent was given up meanwhile, so is the node. */
  attach(node: SearchNode, event: WrittenEvent): void {
    const { tree } = node;
    const parent = node.parent!;
    parent.children.push(node);
    this.#recorder.emit(event);
    if (!isUsable(parent)) tree.discard(node);
    if (parent.state === "pruned") parent.drop();
    if (this.#dropped) node.drop();
  }

  commit(node: Node): SearchNode {
    const chosen = this.own(node);
    chosen.tree.commit(chosen);
    return chosen;
  }

  prune(node: Node): SearchNode {
    const pruned = this.own(node);
    if (pruned.state === "committed") throw misuse(`prunes node "${pruned.id}", which is decided for`);
    pruned.tree.discard(pruned);
    return pruned.parent!;
  }

  offer(node: Node, value: number): void {
    const offered = this.own(node);
    if (!Number.isFinite(value)) throw misuse(`offers node "${offered.id}" at a value that is not a number`);
    this.#offers.push({ node: offered, value });
    this.#recorder.emit({ type: "answer-offered", node: offered.id, value });
  }

  finish(node: Node): Outcome {
    const last = this.commit(node);
    last.tree.discardBelow(last);
    for (const tree of this.#trees) if (tree !== last.tree) tree.discardBelow(tree.root);
    // A method that stops where no model did has reached a limit of its own.
    return { node: last, finish: last.finish ?? "length" };
  }

  /** Frees everything that is held open. The trees themselves stay readable. */
  drop(): void {
    this.#dropped = true;
    for (const tree of this.#trees) tree.drop();
  }
}

/** Not given up, and not above what is decided. */
function isUsable(node: SearchNode): boolean {
  return node.state === "open" || (node.state === "committed" && node === node.tree.committed);
}

export function misuse(what: string): StepwrightError {
  return new StepwrightError("internal", `the method ${what}`, {
    remedy: "report this to the method's author",
  });
}
