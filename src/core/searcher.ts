/** Carries out what a method asks of `Search`: keeps the trees, and puts every call through payment and record. */
import { type AnswerRules, type Check, plainAnswers } from "./answer-rules.js";
import { type Call, Calls } from "./calls.js";
import type { Clock } from "./clock.js";
import { Contexts } from "./contexts.js";
import { StepwrightError } from "./errors.js";
import type { Claim } from "./ledger.js";
import type { ChatMessage } from "./model.js";
import { keyedUniform } from "./random.js";
import { type CandidatesEvent, type ReadEvent, StepReader } from "./reading.js";
import type { Recorder } from "./recorder.js";
import { type ScoredEvent, StepScorer } from "./scoring.js";
import {
  type ForcedStep,
  type Node,
  type NodeRequest,
  type Outcome,
  type Outlook,
  pathText,
  type Search,
  type StepRequest,
  type Writer,
} from "./search.js";
import { type ChildPlace, nextChild, SearchNode } from "./search-node.js";
import type { SearchSettings } from "./search-settings.js";
import { SearchTree } from "./search-tree.js";
import type { TraceEvent } from "./trace-event.js";
import { nodeOf, StepWriter, type Written } from "./writing.js";

/** How long a run that ends waits for back ends to give up calls in flight. */
const patienceSeconds = 2;

interface Offer {
  readonly node: SearchNode;
  readonly value: number;
}

/** What asks the task costs nothing. */
const free: Claim = { role: "reward", tokens: 0, passes: 0, flops: 0 };

export class Searcher implements Search {
  readonly question: string;
  readonly #settings: SearchSettings;
  readonly #recorder: Recorder;
  readonly #calls: Calls;
  readonly #reader: StepReader;
  readonly #writer: StepWriter;
  readonly #scorer: StepScorer;
  readonly #answers: AnswerRules & typeof plainAnswers;
  /** The question's own first. */
  readonly #trees: SearchTree[] = [];
  readonly #offers: Offer[] = [];
  readonly #compared = new Map<string, Promise<boolean>>();
  #dropped = false;

  constructor(settings: SearchSettings, recorder: Recorder, clock: Clock, signal?: AbortSignal) {
    this.question = settings.question;
    this.#settings = settings;
    this.#recorder = recorder;
    this.#calls = new Calls(recorder, clock, signal);
    const contexts = new Contexts(settings);
    this.#reader = new StepReader(contexts);
    const show = recorder.show.bind(recorder);
    this.#writer = new StepWriter(settings, contexts, this.#reader, recorder.ledger, show);
    this.#scorer = new StepScorer(contexts, recorder.ledger, settings.rewardFailure);
    this.#answers = { ...plainAnswers, ...settings.answers };
    this.#trees.push(new SearchTree("", this.#conversation(settings.question), recorder));
  }

  get signal(): AbortSignal {
    return this.#calls.signal;
  }

  get root(): SearchNode {
    return this.#trees[0]!.root;
  }

  /** Why calls are refused, if they are. */
  get halted() {
    return this.#calls.halted;
  }

  /** The answer of a run that was cut: the best offer that still stands, else what is decided for. */
  get best(): SearchNode {
    let best: Offer | undefined;
    for (const offer of this.#offers) {
      if (isUsable(offer.node) && !(best && best.value >= offer.value)) best = offer;
    }
    return best?.node ?? this.#trees[0]!.committed;
  }

  begin(prompt: string | readonly ChatMessage[]): Node {
    const messages = typeof prompt === "string" ? this.#conversation(prompt) : prompt;
    const tree = new SearchTree(`~${this.#trees.length}`, messages, this.#recorder);
    this.#trees.push(tree);
    this.#recorder.emit({ type: "root-begun", node: tree.id, messages });
    return tree.root;
  }

  extend(node: Node, request: StepRequest): Promise<Node> {
    return heard(
      this.#child(node, request, {
        claim: (parent) => this.#writer.claim(parent, request),
        work: (place, call) => this.#writer.write(place, request, call),
      }),
    );
  }

  extendAll(requests: readonly NodeRequest[]): Promise<Node[]> {
    return heard(Promise.all(requests.map(({ node, ...request }) => this.extend(node, request))));
  }

  extendFirst(requests: readonly NodeRequest[]): Promise<Node[]> {
    const race = new AbortController();
    const run = ({ node, ...given }: NodeRequest) => {
      const signal = given.signal ? AbortSignal.any([given.signal, race.signal]) : race.signal;
      const request = { ...given, signal };
      return this.#child(node, request, {
        claim: (parent) => this.#writer.claim(parent, request),
        work: async (place, call) => {
          const written = await this.#writer.write(place, request, call);
          // At once, not when the result is handed out: that waits for the calls ahead, which are to be cut.
          if (written.event.finish === "stop") race.abort();
          return written;
        },
      });
    };
    return heard(Promise.all(requests.map(run)));
  }

  append(node: Node, forced: ForcedStep): Promise<Node> {
    return heard(
      this.#child(node, forced, {
        claim: (parent) => this.#writer.claimOfForce(parent, forced),
        work: (place, call) => this.#writer.force(place, forced, call),
      }),
    );
  }

  candidates(node: Node, role: Writer, count: number): Promise<Outlook> {
    return heard(this.#candidates(node, role, count));
  }

  likelihood(node: Node, role: Writer): Promise<readonly number[]> {
    return heard(this.#likelihood(node, role));
  }

  likelihoodAll(nodes: readonly Node[], role: Writer): Promise<(readonly number[])[]> {
    return heard(Promise.all(nodes.map((node) => this.likelihood(node, role))));
  }

  score(node: Node): Promise<number> {
    return heard(this.#scoreOnce(node));
  }

  scoreAll(nodes: readonly Node[]): Promise<number[]> {
    return heard(Promise.all(nodes.map((node) => this.score(node))));
  }

  answer(node: Node): Promise<string | null> {
    return heard(
      this.#ask(node, "answer-read", async (text, about) => ({
        ...about,
        answer: await this.#answers.extract(text),
      })).then(({ answer }) => answer),
    );
  }

  check(node: Node): Promise<Check | null> {
    return heard(
      this.#ask(node, "answer-checked", async (text, about) => ({
        ...about,
        check: (await this.#answers.check?.(text)) ?? null,
      })).then(({ check }) => check),
    );
  }

  sameAnswer(first: string, second: string): Promise<boolean> {
    if (first === second) return Promise.resolve(true);
    const pair = JSON.stringify([first, second]);
    let answer = this.#compared.get(pair);
    if (!answer) {
      answer = heard(this.#compare(first, second));
      this.#compared.set(pair, answer);
    }
    return answer;
  }

  commit(node: Node): Node {
    const chosen = this.#own(node);
    chosen.tree.commit(chosen);
    return chosen;
  }

  prune(node: Node): Node {
    const pruned = this.#own(node);
    if (pruned.state === "committed") throw misuse(`prunes node "${pruned.id}", which is decided for`);
    pruned.tree.discard(pruned);
    return pruned.parent!;
  }

  offer(node: Node, value = 0): void {
    const offered = this.#own(node);
    if (!Number.isFinite(value)) throw misuse(`offers node "${offered.id}" at a value that is not a number`);
    this.#offers.push({ node: offered, value });
    this.#recorder.emit({ type: "answer-offered", node: offered.id, value });
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
    last.tree.discardBelow(last);
    for (const tree of this.#trees) if (tree !== last.tree) tree.discardBelow(tree.root);
    // A method that stops where no model did has reached a limit of its own.
    return { node: last, finish: last.finish ?? "length" };
  }

  /** Cuts off calls in flight and waits until they are gone; those that were through by then still count. */
  settle(): Promise<void> {
    return this.#calls.close(patienceSeconds);
  }

  /** Frees everything that is held open. The trees themselves stay readable. */
  drop(): void {
    this.#dropped = true;
    for (const tree of this.#trees) tree.drop();
  }

  #conversation(content: string): ChatMessage[] {
    const { system } = this.#settings;
    const user = { role: "user", content } as const;
    return system === null ? [user] : [{ role: "system", content: system }, user];
  }

  /** One more node below `node`: written, or forced. */
  async #child(
    node: Node,
    request: StepRequest | ForcedStep,
    making: {
      readonly claim: (parent: SearchNode) => Claim | null;
      readonly work: (place: ChildPlace, call: Call) => Promise<Written>;
    },
  ): Promise<Node> {
    const parent = this.#own(node);
    if (parent.finish) throw misuse(`extends node "${parent.id}", where the answer is over`);
    const place = nextChild(parent, request.role);
    const written = await this.#calls.make<Written>({
      claim: () => making.claim(parent),
      recorded: () => {
        const event = this.#recorder.recording?.find("step-written", place.id);
        return event && { node: nodeOf(place, request, event), event };
      },
      work: (call) => making.work(place, call),
      deliver: (result) => this.#attach(result),
    });
    return written.node;
  }

  #attach({ node, event }: Written): void {
    const { tree } = node;
    const parent = node.parent!;
    parent.children.push(node);
    this.#recorder.emit(event);
    const late = parent.state === "pruned" || (parent.state === "committed" && parent !== tree.committed);
    if (late) tree.discard(node);
    if (parent.state === "pruned") parent.drop();
    if (this.#dropped) node.drop();
  }

  /** Keeps what a reading said; what it made at a node that was given up meanwhile is freed. */
  #deliver(node: SearchNode, event: TraceEvent): void {
    if (node.state === "pruned") node.drop();
    this.#recorder.emit(event);
  }

  async #likelihood(node: Node, role: Writer): Promise<readonly number[]> {
    const read = this.#own(node);
    if (!read.step) throw misuse("asks for the likelihood of the root, which has no step");
    // Who drew the tokens has said how likely they were; a forced text was drawn by nobody.
    if (read.role === role && read.decodeTokens > 0) return read.step.logprobs;
    return this.#once(read, `likelihood:${role}`, async () => {
      const passed = read.step!.tokens.length + 1;
      const { logprobs } = await this.#calls.make<ReadEvent>({
        claim: () => this.#writer.claimOfPass(read, role, passed, 0),
        recorded: () => this.#recorder.recording?.find("step-read", read.id, role),
        work: (call) => this.#reader.likelihood(read, role, call),
        deliver: (event) => this.#deliver(read, event),
      });
      return logprobs;
    });
  }

  async #candidates(node: Node, role: Writer, count: number): Promise<Outlook> {
    const asked = this.#own(node);
    return this.#once(asked, `candidates:${role}:${count}`, async () => {
      const { tokens, entropy } = await this.#calls.make<CandidatesEvent>({
        claim: () => this.#writer.claimOfPass(asked, role, 1, 0),
        recorded: () => this.#recorder.recording?.find("candidates-read", asked.id, role, count),
        work: (call) => this.#reader.candidates(asked, role, count, call),
        deliver: (read) => this.#deliver(asked, read),
      });
      return { tokens, entropy };
    });
  }

  async #scoreOnce(node: Node): Promise<number> {
    const scored = this.#own(node);
    if (!scored.parent) throw misuse("scores the root, which has no step");
    return this.#once(scored, "score", () => this.#score(scored));
  }

  async #score(node: SearchNode): Promise<number> {
    const event = await this.#calls.make<ScoredEvent>({
      claim: () => this.#scorer.claim(node),
      recorded: () => this.#recorder.recording?.find("step-scored", node.id),
      work: (call) => this.#scorer.score(node, call),
      deliver: (scored) => this.#deliver(node, scored),
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

  /** Asks the task about the text up to a node. */
  async #ask<
    Type extends "answer-read" | "answer-checked",
    Event extends Extract<TraceEvent, { type: Type }>,
  >(
    node: Node,
    type: Type,
    work: (text: string, about: { readonly type: Type; readonly node: string }) => Promise<Event>,
  ): Promise<Event> {
    const asked = this.#own(node);
    return this.#once(asked, type, () =>
      this.#calls.make<Event>({
        claim: () => free,
        recorded: () => this.#recorder.recording?.find(type, asked.id) as Event | undefined,
        work: () => work(pathText(asked), { type, node: asked.id }),
        deliver: (event) => this.#recorder.emit(event),
      }),
    );
  }

  async #compare(first: string, second: string): Promise<boolean> {
    const type = "answers-compared" as const;
    const { same } = await this.#calls.make({
      claim: () => free,
      recorded: () => this.#recorder.recording?.find(type, first, second),
      work: async () => ({ type, first, second, same: await this.#answers.same(first, second) }),
      deliver: (event) => this.#recorder.emit(event),
    });
    return same;
  }

  /** A call whose answer is kept with its node: asked again, it is free. */
  #once<Result>(node: SearchNode, what: string, ask: () => Promise<Result>): Promise<Result> {
    let answer = node.asking.get(what) as Promise<Result> | undefined;
    if (!answer) {
      answer = ask();
      node.asking.set(what, answer);
    }
    return answer;
  }

  #toss(node: SearchNode, probability: number, purpose: string): boolean {
    if (probability <= 0) return false;
    return probability >= 1 || this.uniform(node, `coin:${purpose}`) < probability;
  }

  /** The node as ours, if a method may still use it. */
  #own(node: Node): SearchNode {
    if (!(node instanceof SearchNode)) throw misuse("passes a node that it did not get from this search");
    if (node.state === "pruned") throw misuse(`uses node "${node.id}", which it gave up`);
    if (!isUsable(node)) throw misuse(`uses node "${node.id}", above what it has decided for`);
    return node;
  }
}

/** Not given up, and not above what is decided. */
function isUsable(node: SearchNode): boolean {
  return node.state === "open" || (node.state === "committed" && node === node.tree.committed);
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
