/** What a method may ask about a node beside going on from it. Each question is asked once; asked again, it is free. */
import { noAdvice, thresholdWithin } from "./advised-threshold.js";
import { type AnswerRules, type Check, plainAnswers } from "./answer-rules.js";
import type { Calls } from "./calls.js";
import type { Contexts } from "./contexts.js";
import { StepwrightError } from "./errors.js";
import type { Claim } from "./ledger.js";
import { type CandidatesEvent, StepReader } from "./reading.js";
import type { Recorder } from "./recorder.js";
import { type ScoredEvent, StepScorer } from "./scoring.js";
import { type Outlook, pathText, type Writer } from "./search.js";
import { misuse } from "./search-forest.js";
import type { SearchNode } from "./search-node.js";
import type { SearchSettings } from "./search-settings.js";
import type { TraceEvent } from "./trace-event.js";

type ReadEvent = Extract<TraceEvent, { type: "step-read" }>;
type AdvisedEvent = Extract<TraceEvent, { type: "threshold-advised" }>;

/** What asks the task costs nothing. */
const free: Claim = { role: "reward", tokens: 0, passes: 0, flops: 0 };

export class Inquiries {
  readonly #settings: SearchSettings;
  readonly #calls: Calls;
  readonly #recorder: Recorder;
  readonly #contexts: Contexts;
  readonly #reader: StepReader;
  readonly #scorer: StepScorer;
  readonly #answers: AnswerRules & typeof plainAnswers;
  readonly #compared = new Map<string, Promise<boolean>>();

  constructor(settings: SearchSettings, contexts: Contexts, calls: Calls, recorder: Recorder) {
    this.#settings = settings;
    this.#calls = calls;
    this.#recorder = recorder;
    this.#contexts = contexts;
    this.#reader = new StepReader(contexts);
    this.#scorer = new StepScorer(contexts, this.#reader, recorder.ledger, settings.rewardFailure);
    this.#answers = { ...plainAnswers, ...settings.answers };
  }

  async score(node: SearchNode): Promise<number> {
    if (!node.parent) throw misuse("scores the root, which has no step");
    return this.#once(node, "score", () => this.#score(node));
  }

  async candidates(node: SearchNode, role: Writer, count: number): Promise<Outlook> {
    return this.#once(node, `candidates:${role}:${count}`, async () => {
      const { tokens, entropy } = await this.#calls.make<CandidatesEvent>({
        claim: () => this.#claim(node, role, 1),
        recorded: () => this.#recorder.recording?.find("candidates-read", node.id, role, count),
        work: (call) => this.#reader.candidates(node, role, count, call),
        deliver: (event) => this.#deliver(node, event),
      });
      return { tokens, entropy };
    });
  }

  async likelihood(node: SearchNode, role: Writer): Promise<readonly number[]> {
    const { step } = node;
    if (!step) throw misuse("asks for the likelihood of the root, which has no step");
    // Who drew the tokens has said how likely they were; a forced text was drawn by nobody.
    if (node.role === role && node.decodeTokens > 0 && step.logprobs.length > 0) return step.logprobs;
    return this.#once(node, `likelihood:${role}`, async () => {
      const { logprobs } = await this.#calls.make<ReadEvent>({
        claim: () => this.#claim(node, role, 1),
        recorded: () => this.#recorder.recording?.find("step-read", node.id, role),
        work: async (call) => {
          const { logprobs, usage } = await this.#reader.likelihood(node, role, call);
          return { type: "step-read", node: node.id, role, logprobs, usage };
        },
        deliver: (event) => this.#deliver(node, event),
      });
      return logprobs;
    });
  }

  async threshold(node: SearchNode, writer: Writer): Promise<number> {
    const { value } = await this.#once(node, `threshold:${writer}`, () =>
      this.#calls.make<AdvisedEvent>({
        // What is left can be told when every call ahead is paid for.
        claim: () => null,
        recorded: () => this.#recorder.recording?.find("threshold-advised", node.id, writer),
        work: async () => this.#advise(node, writer),
        deliver: (event) => this.#recorder.emit(event),
      }),
    );
    return value;
  }

  async answer(node: SearchNode): Promise<string | null> {
    const type = "answer-read" as const;
    const { answer } = await this.#once(node, type, () =>
      this.#calls.make({
        claim: () => free,
        recorded: () => this.#recorder.recording?.find(type, node.id),
        work: async () => ({ type, node: node.id, answer: await this.#answers.extract(pathText(node)) }),
        deliver: (event) => this.#recorder.emit(event),
      }),
    );
    return answer;
  }

  async check(node: SearchNode): Promise<Check | null> {
    const type = "answer-checked" as const;
    const { check } = await this.#once(node, type, () =>
      this.#calls.make({
        claim: () => free,
        recorded: () => this.#recorder.recording?.find(type, node.id),
        work: async () => ({
          type,
          node: node.id,
          check: (await this.#answers.check?.(pathText(node))) ?? null,
        }),
        deliver: (event) => this.#recorder.emit(event),
      }),
    );
    return check;
  }

  async sameAnswer(first: string, second: string): Promise<boolean> {
    if (first === second) return true;
    const type = "answers-compared" as const;
    return once(this.#compared, JSON.stringify([first, second]), async () => {
      const { same } = await this.#calls.make({
        claim: () => free,
        recorded: () => this.#recorder.recording?.find(type, first, second),
        work: async () => ({ type, first, second, same: await this.#answers.same(first, second) }),
        deliver: (event) => this.#recorder.emit(event),
      });
      return same;
    });
  }

  #advise(node: SearchNode, writer: Writer): AdvisedEvent {
    const { reward, maxTokens } = this.#settings;
    if (!reward?.advice) throw noAdvice(reward?.name ?? "none");
    const tokensLeft = this.#recorder.ledger.tokensLeft(writer);
    const value = thresholdWithin(reward.advice, { written: node.tokens, maxTokens, tokensLeft });
    const type = "threshold-advised" as const;
    const isLimited = Number.isFinite(tokensLeft);
    return { type, node: node.id, writer, value, ...(isLimited && { tokensLeft: Math.max(0, tokensLeft) }) };
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

  /** The most that it costs to read up to the node, and so many tokens again for their laws. */
  #claim(node: SearchNode, role: Writer, again: number): Claim | null {
    const claim = { role, tokens: 0, passes: 0, flops: 0 } as const;
    if (this.#recorder.ledger.limits.flops === undefined) return claim;
    const flops = this.#contexts.mostFlops(node, role, again);
    return flops === null ? null : { ...claim, flops };
  }

  /** Keeps what a reading said; what it made at a node that was given up meanwhile is freed. */
  #deliver(node: SearchNode, event: TraceEvent): void {
    if (node.state === "pruned") node.drop();
    this.#recorder.emit(event);
  }

  #once<Result>(node: SearchNode, what: string, ask: () => Promise<Result>): Promise<Result> {
    return once(node.asking as Map<string, Promise<Result>>, what, ask);
  }
}

function once<Result>(
  asked: Map<string, Promise<Result>>,
  what: string,
  ask: () => Promise<Result>,
): Promise<Result> {
  const known = asked.get(what);
  if (known) return known;
  const answer = ask();
  asked.set(what, answer);
  return answer;
}
