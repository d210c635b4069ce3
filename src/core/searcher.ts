/** Carries out what a method asks of `Search`: keeps the tree, and puts every call through payment and record. */
import { Calls } from "./calls.js";
import type { Clock } from "./clock.js";
import { Contexts } from "./contexts.js";
import { StepwrightError } from "./errors.js";
import { keyedUniform } from "./random.js";
import type { Recorder } from "./recorder.js";
import { type ScoredEvent, StepScorer } from "./scoring.js";
import type { Node, Outcome, Search, StepRequest } from "./search.js";
import { type ContextKind, contextKinds, nextChild, SearchNode } from "./search-node.js";
import type { SearchSettings } from "./search-settings.js";
import { nodeOf, StepWriter, type Written } from "./writing.js";

/** How long a run that ends waits for back ends to give up calls in flight. */
const patienceSeconds = 2;

export class Searcher implements Search {
  readonly question: string;
  readonly root = new SearchNode(null);
  readonly #settings: SearchSettings;
  readonly #recorder: Recorder;
  readonly #calls: Calls;
  readonly #writer: StepWriter;
  readonly #scorer: StepScorer;
  #committed: SearchNode = this.root;
  #dropped = false;
  /** Per kind of context, the deepest decided node that holds one. */
  readonly #deepest = { draft: this.root, target: this.root, scorer: this.root };

  constructor(settings: SearchSettings, recorder: Recorder, clock: Clock, signal?: AbortSignal) {
    this.question = settings.question;
    this.#settings = settings;
    this.#recorder = recorder;
    this.#calls = new Calls(recorder, clock, signal);
    const contexts = new Contexts(settings);
    this.#writer = new StepWriter(settings, contexts, recorder.ledger, (event) => recorder.show(event));
    this.#scorer = new StepScorer(contexts, recorder.ledger, settings.rewardFailure);
    this.root.state = "committed";
  }

  get signal(): AbortSignal {
    return this.#calls.signal;
  }

  /** Why calls are refused, if they are. */
  get halted() {
    return this.#calls.halted;
  }

  /** The deepest node that is decided for: the best answer so far. */
  get committed(): SearchNode {
    return this.#committed;
  }

  extend(node: Node, request: StepRequest): Promise<Node> {
    return heard(this.#extend(node, request));
  }

  extendAll(requests: readonly (StepRequest & { readonly node: Node })[]): Promise<Node[]> {
    return heard(Promise.all(requests.map(({ node, ...request }) => this.extend(node, request))));
  }

  score(node: Node): Promise<number> {
    return heard(this.#scoreOnce(node));
  }

  scoreAll(nodes: readonly Node[]): Promise<number[]> {
    return heard(Promise.all(nodes.map((node) => this.score(node))));
  }

  commit(node: Node): Node {
    const chosen = this.#own(node);
    const path: SearchNode[] = [];
    for (let at: SearchNode = chosen; at !== this.#committed; at = at.parent!) path.unshift(at);
    for (const step of path) {
      for (const sibling of step.parent!.children) if (sibling !== step) this.#discard(sibling);
      step.state = "committed";
      this.#recorder.emit({ type: "step-committed", node: step.id, elapsed: this.#recorder.elapsed() });
    }
    // What was made at the node decided for before was made after that decision.
    for (const kind of contextKinds) this.#letGoAbove([this.#committed, ...path], kind);
    this.#committed = chosen;
    return chosen;
  }

  prune(node: Node): Node {
    const pruned = this.#own(node);
    if (pruned.state === "committed") throw misuse(`prunes node "${pruned.id}", which is decided for`);
    this.#discard(pruned);
    return pruned.parent!;
  }

  coin(node: Node, probability: number, purpose = "accept"): boolean {
    const tossed = this.#own(node);
    if (Number.isNaN(probability)) throw misuse("tosses a coin whose probability is not a number");
    const heads = tossed.verdict ?? this.#toss(tossed, probability, purpose);
    this.#recorder.emit({ type: "coin-tossed", node: tossed.id, purpose, probability, heads });
    return heads;
  }

  uniform(node: Node, purpose: string, index = 0): number {
    return keyedUniform(this.#settings.seed, node.id, index, purpose);
  }

  finish(node: Node): Outcome {
    const last = this.#own(node);
    this.commit(last);
    for (const child of last.children) this.#discard(child);
    // A method that stops where no model did has reached a limit of its own.
    return { node: last, finish: last.finish ?? "length" };
  }

  /** Cuts off calls in flight and waits until they are gone; those that were through by then still count. */
  settle(): Promise<void> {
    return this.#calls.close(patienceSeconds);
  }

  /** Frees everything that is held open. The tree itself stays readable. */
  drop(): void {
    this.#dropped = true;
    for (const node of this.root.subtree()) node.drop();
  }

  async #extend(node: Node, request: StepRequest): Promise<Node> {
    const parent = this.#own(node);
    if (parent.finish) throw misuse(`extends node "${parent.id}", where the answer is over`);
    const place = nextChild(parent, request.role);
    const written = await this.#calls.make<Written>({
      claim: () => this.#writer.claim(parent, request),
      recorded: () => {
        const event = this.#recorder.recording?.written(place.id);
        return event && { node: nodeOf(place, event), event };
      },
      work: (call) => this.#writer.write(place, request, call),
      deliver: (result) => this.#attach(result),
    });
    return written.node;
  }

  #attach({ node, event }: Written): void {
    const parent = node.parent!;
    parent.children.push(node);
    this.#recorder.emit(event);
    const late = parent.state === "pruned" || (parent.state === "committed" && parent !== this.#committed);
    if (late) this.#discard(node);
    if (parent.state === "pruned") parent.drop();
    if (this.#dropped) node.drop();
  }

  async #scoreOnce(node: Node): Promise<number> {
    const scored = this.#own(node);
    if (!scored.parent) throw misuse("scores the root, which has no step");
    scored.scoring ??= this.#score(scored);
    return scored.scoring;
  }

  async #score(node: SearchNode): Promise<number> {
    const event = await this.#calls.make<ScoredEvent>({
      claim: () => this.#scorer.claim(node),
      recorded: () => this.#recorder.recording?.scored(node.id),
      work: (call) => this.#scorer.score(node, call),
      deliver: (scored) => {
        if (node.state === "pruned") node.drop();
        this.#recorder.emit(scored);
      },
    });
    if (event.type === "step-scored") {
      node.reward = event.value;
      return event.value;
    }
    if (event.policy === "fail") {
      throw new StepwrightError("reward-failed", `the reward failed: ${event.error.message}`, {
        subject: "reward",
        remedy: "repair the reward, or choose what a failure means: --reward-failure accept or target-only",
        cause: event.error,
      });
    }
    node.verdict = event.policy === "accept";
    return node.verdict ? 1 : 0;
  }

  #toss(node: SearchNode, probability: number, purpose: string): boolean {
    if (probability <= 0) return false;
    return probability >= 1 || this.uniform(node, `coin:${purpose}`) < probability;
  }

  /** Gives up a subtree that is not given up yet, and frees what it holds. */
  #discard(top: SearchNode): void {
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

  /** Of one kind of context, only the deepest on the way to the decided node is ever needed again. */
  #letGoAbove(path: readonly SearchNode[], kind: ContextKind): void {
    for (const node of path) {
      if (!node.held(kind)?.peek() || node === this.#deepest[kind]) continue;
      this.#deepest[kind].letGo(kind);
      this.#deepest[kind] = node;
    }
  }

  /** The node as ours, if a method may still use it: not given up, and not above what is decided. */
  #own(node: Node): SearchNode {
    if (!(node instanceof SearchNode)) throw misuse("passes a node that it did not get from this search");
    if (node.state === "pruned") throw misuse(`uses node "${node.id}", which it gave up`);
    if (node.state === "committed" && node !== this.#committed) {
      throw misuse(`uses node "${node.id}", above what it has decided for`);
    }
    return node;
  }
}

/** A method may leave a call behind; that the call then fails with the run must not take the program down. */
function heard<Result>(call: Promise<Result>): Promise<Result> {
  call.catch(() => {});
  return call;
}

function misuse(what: string): StepwrightError {
  return new StepwrightError("internal", `the method ${what}`, {
    remedy: "report this to the method's author",
  });
}
