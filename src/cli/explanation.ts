/** An answer with what a reward says of each of its steps, written by the draft or given as a text. */
import { z } from "zod";
import { StepwrightError } from "../core/errors.js";
import type { LedgerData } from "../core/ledger.js";
import { defineMethod } from "../core/method.js";
import { addUsage, type Model, noUsage, offers, type Usage } from "../core/model.js";
import type { Reward, RewardOccasion, Score, Scorer } from "../core/reward.js";
import { type RunRequest, startRun } from "../core/run.js";
import type { Writer } from "../core/search.js";
import { type Splitter, type Step, stepEnds } from "../core/step.js";
import { type FeaturePull, isExplained } from "../rewards/index.js";
import { LikelihoodChain } from "../rewards/likelihood-chain.js";
import { LikelihoodPrompt } from "../rewards/likelihood-prompt.js";

export interface ExplainedStep {
  readonly text: string;
  readonly tokens: number;
  readonly score: number;
  /** Null where the reward does not tell. */
  readonly pulls: readonly FeaturePull[] | null;
}

export interface ExplainedAnswer {
  readonly steps: readonly ExplainedStep[];
  /** Of the run that wrote the answer; of a given text what its reading cost, by who read. */
  readonly cost: LedgerData | { readonly figures: Usage; readonly reward: Usage };
}

/** Plain decoding in which each step is scored. */
const scoredDraft = defineMethod({
  name: "explain",
  essence: "plain decoding with the draft, every step scored",
  kind: "plain",
  source: "stepwright reward explain",
  needs: { draft: ["text"], reward: true },
  schema: z.object({}),
  async run(search) {
    let node = search.root;
    while (!node.finish) {
      const step = await search.extend(node, { role: "draft" });
      await search.score(step);
      node = search.commit(step);
    }
    return search.finish(node);
  },
});

/** Throws what the run throws. */
export async function explainDraft(
  request: Omit<RunRequest, "method" | "options"> & { readonly roles: { readonly reward: Reward } },
): Promise<ExplainedAnswer> {
  const steps: ExplainedStep[] = [];
  const reward = watched(request.roles.reward, (step, score) => steps.push(explained(step, score)));
  const roles = { ...request.roles, reward };
  const { ledger, finish } = await startRun({ ...request, roles, method: scoredDraft }).result;
  if (finish === "abort") throw new StepwrightError("aborted", "the answer was cut off");
  return { steps, cost: ledger };
}

export interface GivenAnswer {
  readonly question: string;
  readonly occasion: RewardOccasion;
  readonly solution: string;
  readonly splitter: Splitter;
  /** Who could have written it, for the figures that a writer would have told. */
  readonly writer: { readonly role: Writer; readonly model: Model } | undefined;
  readonly signal: AbortSignal;
}

/** Reads the text once with its supposed writer where the reward looks at what a writer tells. */
export async function explainGiven(reward: Reward, given: GivenAnswer): Promise<ExplainedAnswer> {
  const { question, occasion, signal, writer } = given;
  const texts = textSteps(given.solution, given.splitter);
  const states = writer !== undefined && (reward.readsStatesOf?.includes(writer.model) ?? false);
  const reads = (states || reward.readsFigures === true) && writer && offers(writer.model, "likelihood");
  const reader = reads
    ? new LikelihoodChain(new LikelihoodPrompt(writer.model, question, occasion.system ?? null))
    : null;
  const scorer = await reward.open(question, occasion);
  try {
    const steps: ExplainedStep[] = [];
    let cost = { figures: noUsage, reward: noUsage };
    for (const [index, text] of texts.entries()) {
      const stop = index === texts.length - 1 ? "end" : "delimiter";
      const bare = {
        text,
        tokens: [],
        vocabulary: "",
        origin: "given",
        stop,
        logprobs: [],
        entropies: [],
      } as const;
      let step: Step = bare;
      if (reader) {
        const {
          usage,
          logprobs,
          entropies = [],
          states: seen,
        } = await reader.append(bare, { signal, states });
        const { vocabulary } = writer!.model;
        const tokens = await writer!.model.tokenize(text);
        step = {
          ...bare,
          tokens,
          vocabulary,
          origin: writer!.role,
          logprobs,
          entropies,
          ...(seen && { states: seen }),
        };
        cost = { ...cost, figures: addUsage(cost.figures, usage) };
      }
      const score = await scorer.append(step, { signal });
      if (!(score.value >= 0 && score.value <= 1)) {
        throw new StepwrightError(
          "reward-failed",
          `the reward of step ${index + 1} is not a number in [0, 1]`,
        );
      }
      steps.push(explained(step, score));
      cost = { ...cost, reward: addUsage(cost.reward, score.usage) };
    }
    return { steps, cost };
  } finally {
    reader?.drop();
    scorer.drop();
  }
}

/** A text in the steps that it would have been written in. Throws `invalid-option` for steps that only tokens tell apart. */
export function textSteps(text: string, splitter: Splitter): string[] {
  if (splitter.kind === "tokens") {
    throw new StepwrightError("invalid-option", "a text given as a solution has no tokens to count", {
      subject: "--step",
      remedy: "write --step blank-line, line or sentence",
    });
  }
  const steps: string[] = [];
  let begun = "";
  for (const character of text.trim()) {
    begun += character;
    if (!stepEnds(splitter, begun, 0)) continue;
    steps.push(begun);
    begun = "";
  }
  // Blank lines before a step belong to it; what is blank to the end is no step.
  if (begun.trim() !== "") steps.push(begun);
  if (steps.length > 0) return steps;
  throw new StepwrightError("invalid-option", "the solution is empty", { subject: "--solution" });
}

function explained({ text, tokens }: Step, score: Score): ExplainedStep {
  const pulls = isExplained(score) ? score.pulls() : [];
  return { text, tokens: tokens.length, score: score.value, pulls: pulls.length > 0 ? pulls : null };
}

/** The same reward; `seen` is told each score as it is given. */
function watched(reward: Reward, seen: (step: Step, score: Score) => void): Reward {
  const watch = (scorer: Scorer): Scorer => ({
    async append(step, options) {
      const score = await scorer.append(step, options);
      seen(step, score);
      return score;
    },
    skip: (step) => scorer.skip(step),
    ...(scorer.flopsBound && { flopsBound: (step: Step) => scorer.flopsBound!(step) }),
    fork: () => watch(scorer.fork()),
    drop: () => scorer.drop(),
  });
  return { ...reward, open: async (...asked) => watch(await reward.open(...asked)) };
}
