/** Carries out what a method asks of `Search`: puts every call through payment and record, and keeps the trees. */
import type { Check } from "./answer-rules.js";
import { type Call, Calls } from "./calls.js";
import type { Clock } from "./clock.js";
import { Contexts } from "./contexts.js";
import { Inquiries } from "./inquiries.js";
import type { Claim } from "./ledger.js";
import type { ChatMessage } from "./model.js";
import { keyedUniform } from "./random.js";
import type { Recorder } from "./recorder.js";
import type {
  ForcedStep,
  Node,
  NodeRequest,
  Outcome,
  Outlook,
  Search,
  StepRequest,
  Writer,
} from "./search.js";
import { misuse, SearchForest } from "./search-forest.js";
import { type ChildPlace, nextChild, type SearchNode } from "./search-node.js";
import type { SearchSettings } from "./search-settings.js";
import { nodeOf, StepWriter, type Written } from "./writing.js";

/** How long a run that ends waits for back ends to give up calls in flight. */
const patienceSeconds = 2;

/** How a new node is made, and the most that it can cost. */
interface Making {
  readonly request: StepRequest | ForcedStep;
  readonly claim: (parent: SearchNode) => Claim | null;
  readonly work: (place: ChildPlace, call: Call) => Promise<Written>;
}

export class Searcher implements Search {
  readonly question: string;
  readonly #settings: SearchSettings;
  readonly #recorder: Recorder;
  readonly #calls: Calls;
  readonly #writer: StepWriter;
  readonly #inquiries: Inquiries;
  readonly #forest: SearchForest;

  constructor(settings: SearchSettings, recorder: Recorder, clock: Clock, signal?: AbortSignal) {
    this.question = settings.question;
    this.#settings = settings;
    this.#recorder = recorder;
    this.#calls = new Calls(recorder, clock, signal);
    const contexts = new Contexts(settings);
    this.#writer = new StepWriter(settings, contexts, recorder.ledger, (event) => recorder.show(event));
    this.#inquiries = new Inquiries(settings, contexts, this.#calls, recorder);
    this.#forest = new SearchForest(settings.prompt ?? this.#conversation(settings.question), recorder);
  }

  get root(): SearchNode {
    return this.#forest.root;
  }

  get signal(): AbortSignal {
    return this.#calls.signal;
  }

  /** Why calls are refused, if they are. */
  get halted() {
    return this.#calls.halted;
  }

  /** The answer of a run that was cut. */
  get best(): SearchNode {
    return this.#forest.best;
  }

  begin(prompt: string | readonly ChatMessage[]): Node {
    return this.#forest.begin(typeof prompt === "string" ? this.#conversation(prompt) : prompt);
  }

  extend(node: Node, request: StepRequest): Promise<Node> {
    return this.#child(node, {
      request,
      claim: (parent) => this.#writer.claim(parent, request),
      work: (place, call) => this.#writer.write(place, request, call),
    });
  }

  extendAll(requests: readonly NodeRequest[]): Promise<Node[]> {
    return all(requests, ({ node, ...request }) => this.extend(node, request));
  }

  extendFirst(requests: readonly NodeRequest[]): Promise<Node[]> {
    const race = new AbortController();
    return all(requests, ({ node, ...given }) => {
      const signal = given.signal ? AbortSignal.any([given.signal, race.signal]) : race.signal;
      const request = { ...given, signal };
      return this.#child(node, {
        request,
        claim: (parent) => this.#writer.claim(parent, request),
        work: async (place, call) => {
          const written = await this.#writer.write(place, request, call);
          // At once, not when the result is handed out: that waits for the calls ahead, which are to be cut.
          if (written.event.finish === "stop") race.abort();
          return written;
        },
      });
    });
  }

  append(node: Node, forced: ForcedStep): Promise<Node> {
    return this.#child(node, {
      request: forced,
      claim: (parent) => this.#writer.claimOfForce(parent, forced),
      work: (place, call) => this.#writer.force(place, forced, call),
    });
  }

  candidates(node: Node, role: Writer, count: number): Promise<Outlook> {
    return this.#ask(node, (own) => this.#inquiries.candidates(own, role, count));
  }

  likelihood(node: Node, role: Writer): Promise<readonly number[]> {
    return this.#ask(node, (own) => this.#inquiries.likelihood(own, role));
  }

  likelihoodAll(nodes: readonly Node[], role: Writer): Promise<(readonly number[])[]> {
    return all(nodes, (node) => this.likelihood(node, role));
  }

  score(node: Node): Promise<number> {
    return this.#ask(node, (own) => this.#inquiries.score(own));
  }

  scoreAll(nodes: readonly Node[]): Promise<number[]> {
    return all(nodes, (node) => this.score(node));
  }

  threshold(node: Node, writer: Writer): Promise<number> {
    return this.#ask(node, (own) => this.#inquiries.threshold(own, writer));
  }

  answer(node: Node): Promise<string | null> {
    return this.#ask(node, (own) => this.#inquiries.answer(own));
  }

  sameAnswer(first: string, second: string): Promise<boolean> {
    return heard(this.#inquiries.sameAnswer(first, second));
  }

  check(node: Node): Promise<Check | null> {
    return this.#ask(node, (own) => this.#inquiries.check(own));
  }

  commit(node: Node): Node {
    return this.#forest.commit(node);
  }

  prune(node: Node): Node {
    return this.#forest.prune(node);
  }

  offer(node: Node, value = 0): void {
    this.#forest.offer(node, value);
  }

  coin(node: Node, probability: number, purpose = "accept"): boolean {
    const tossed = this.#forest.own(node);
    if (Number.isNaN(probability)) throw misuse("tosses a coin whose probability is not a number");
    const heads = tossed.verdict ?? this.#toss(tossed, probability, purpose);
    this.#recorder.emit({ type: "coin-tossed", node: tossed.id, purpose, probability, heads });
    return heads;
  }

  uniform(node: Node, purpose: string, index = 0): number {
    return keyedUniform(this.#settings.seed, node.id, index, purpose);
  }

  finish(node: Node): Outcome {
    return this.#forest.finish(node);
  }

  /** Cuts off calls in flight and waits until they are gone; those that were through by then still count. */
  settle(): Promise<void> {
    return this.#calls.close(patienceSeconds);
  }

  /** Frees everything that is held open. The trees themselves stay readable. */
  drop(): void {
    this.#forest.drop();
  }

  #conversation(content: string): ChatMessage[] {
    const { system } = this.#settings;
    const user = { role: "user", content } as const;
    return system === null ? [user] : [{ role: "system", content: system }, user];
  }

  #child(node: Node, making: Making): Promise<Node> {
    return heard(this.#make(node, making));
  }

  async #make(node: Node, { request, claim, work }: Making): Promise<Node> {
    const parent = this.#forest.own(node);
    if (parent.finish) throw misuse(`extends node "${parent.id}", where the answer is over`);
    const place = nextChild(parent, request.role);
    const made = await this.#calls.make<Written>({
      claim: () => claim(parent),
      recorded: () => {
        const event = this.#recorder.recording?.find("step-written", place.id);
        const { whatIf } = this.#recorder;
        if (whatIf && !whatIf(place.id, requestText(place, request))) return undefined;
        return event && { node: nodeOf(place, request, event), event };
      },
      work: (call) => work(place, call),
      deliver: (written) => this.#forest.attach(written.node, written.event),
    });
    return made.node;
  }

  #ask<Answer>(node: Node, ask: (own: SearchNode) => Promise<Answer>): Promise<Answer> {
    return heard((async () => ask(this.#forest.own(node)))());
  }

  #toss(node: SearchNode, probability: number, purpose: string): boolean {
    if (probability <= 0) return false;
    return probability >= 1 || this.uniform(node, `coin:${purpose}`) < probability;
  }
}

/** All of a request that decides what is written. */
function requestText({ key }: ChildPlace, request: StepRequest | ForcedStep): string {
  return JSON.stringify({ ...request, signal: undefined, handsOver: undefined, key });
}

/** Calls made in one turn are one batch. */
function all<Item, Result>(items: readonly Item[], call: (item: Item) => Promise<Result>): Promise<Result[]> {
  return heard(Promise.all(items.map(call)));
}

/** A method may leave a call behind; that the call then fails with the run must not take the program down. */
function heard<Result>(call: Promise<Result>): Promise<Result> {
  call.catch(() => {});
  return call;
}
