/** How one step gets its reward. What is not a number in [0, 1] is the reward's failure, and is never taken for a score. */
import type { Call } from "./calls.js";
import type { Contexts } from "./contexts.js";
import { StepwrightError } from "./errors.js";
import { Held } from "./held.js";
import type { Claim, Ledger } from "./ledger.js";
import { type Model, noUsage } from "./model.js";
import type { StepReader } from "./reading.js";
import type { Score, Scorer, StepLikelihood } from "./reward.js";
import type { Writer } from "./search.js";
import type { SearchNode } from "./search-node.js";
import type { RewardFailurePolicy, TraceEvent } from "./trace-event.js";

export type ScoredEvent = Extract<TraceEvent, { type: "step-scored" | "reward-failed" }>;

type LikelihoodOptions = { readonly states?: boolean };

export class StepScorer {
  readonly #contexts: Contexts;
  readonly #reader: StepReader;
  readonly #ledger: Ledger;
  readonly #policy: RewardFailurePolicy;

  constructor(contexts: Contexts, reader: StepReader, ledger: Ledger, policy: RewardFailurePolicy) {
    this.#contexts = contexts;
    this.#reader = reader;
    this.#ledger = ledger;
    this.#policy = policy;
  }

  /** What a pass costs in FLOPs is told by the scorer, once there is one. */
  claim(node: SearchNode): Claim | null {
    const claim = { role: "reward", tokens: 0, passes: 1, flops: 0 } as const;
    if (this.#ledger.limits.flops === undefined) return claim;
    const flops = node.parent!.scorer?.peek()?.flopsBound?.(node.step!);
    return flops === undefined ? null : { ...claim, flops };
  }

  async score(node: SearchNode, call: Call): Promise<ScoredEvent> {
    if (call.exact && !this.#ledger.passAllowed(0)) throw call.exhausted();
    try {
      const { value, usage } = await this.#pass(node, call);
      return { type: "step-scored", node: node.id, value, usage };
    } catch (error) {
      if (call.signal.aborted) throw error;
      return {
        type: "reward-failed",
        node: node.id,
        policy: this.#policy,
        error: StepwrightError.from(error, "reward-failed").toJSON(),
      };
    }
  }

  async #pass(node: SearchNode, call: Call): Promise<Score> {
    const scorer = await this.#contexts.scorerAt(node.parent!).use((chain) => chain.fork());
    try {
      const bound = scorer.flopsBound?.(node.step!) ?? 0;
      if (call.exact && !this.#ledger.passAllowed(bound)) throw call.exhausted();
      const likelihood = (model: Model, options: LikelihoodOptions = {}) =>
        this.#likelihood(node, model, options, call);
      const score = checked(await scorer.append(node.step!, { signal: call.signal, likelihood }));
      // Nobody goes on from here once the run is being cut off.
      if (call.signal.aborted) scorer.drop();
      else this.#keep(node, scorer);
      return score;
    } catch (error) {
      scorer.drop();
      throw error;
    }
  }

  /** Only on the question's own prompt: what is scored elsewhere is scored as an answer to the question. */
  #likelihood(
    node: SearchNode,
    model: Model,
    { states = false }: LikelihoodOptions,
    call: Call,
  ): Promise<StepLikelihood> | undefined {
    const role = this.#contexts.roleOf(model);
    if (role === undefined || node.tree.id !== "") return undefined;
    if (node.role === role) return this.#ownLikelihood(node, role, states, call);
    return this.#reader.likelihood(node, role, call, { states });
  }

  /** Who wrote the step knows; only states that did not come with it (a recording has none) are read. */
  async #ownLikelihood(node: SearchNode, role: Writer, states: boolean, call: Call): Promise<StepLikelihood> {
    const { logprobs, entropies, states: own } = node.step!;
    const known = { logprobs, entropies };
    if (own) return { ...known, states: own, usage: noUsage };
    if (!states) return { ...known, usage: noUsage };
    return { ...(await this.#reader.likelihood(node, role, call, { states })), ...known };
  }

  /** The chain with this step read: its children's scores go on from here. */
  #keep(node: SearchNode, scorer: Scorer): void {
    node.scorer?.drop();
    node.scorer = new Held(scorer);
  }
}

function checked(score: Score | undefined): Score {
  const value = score?.value;
  if (typeof value !== "number" || !(value >= 0 && value <= 1)) {
    throw new StepwrightError("reward-failed", `the reward gave ${String(value)}, which is not in [0, 1]`);
  }
  for (const figure of Object.values(score!.usage ?? { missing: Number.NaN })) {
    if (!(figure >= 0 && Number.isFinite(figure))) {
      throw new StepwrightError("reward-failed", "the reward reported a cost that is not a number");
    }
  }
  return score!;
}
