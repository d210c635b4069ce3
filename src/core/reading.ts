/** Calls that read without writing: forced continuations, candidates for the next token, likelihoods of steps. */
import type { Call } from "./calls.js";
import { type Contexts, inVocabulary, tooLong } from "./contexts.js";
import { StepwrightError } from "./errors.js";
import { Held } from "./held.js";
import {
  type Capability,
  type Extension,
  type Model,
  noUsage,
  offers,
  type Reading,
  spanFlops,
  type Usage,
} from "./model.js";
import type { StepLikelihood } from "./reward.js";
import type { ForcedStep, NextToken, Writer } from "./search.js";
import type { SearchNode } from "./search-node.js";
import type { Passage, Splitter, StopReason } from "./step.js";
import { stepEnds } from "./step.js";
import { noRoom } from "./step-end.js";
import type { TraceEvent } from "./trace-event.js";

export type CandidatesEvent = Extract<TraceEvent, { type: "candidates-read" }>;

const mostCandidates = 256;
/** Stands for the log-probability of what cannot come. */
const impossible = -1e6;

export class StepReader {
  readonly #contexts: Contexts;

  constructor(contexts: Contexts) {
    this.#contexts = contexts;
  }

  /** Reads a step that another role wrote, or its own where hidden states are wanted that did not come with it. */
  async likelihood(
    node: SearchNode,
    role: Writer,
    call: Call,
    { states = false } = {},
  ): Promise<StepLikelihood> {
    const model = this.#modelWith("likelihood", role);
    const passage = await inVocabulary([node.step!], model);
    const { tokens } = passage;
    if (tokens.length === 0) return { logprobs: [], usage: noUsage };
    return this.#contexts.branchAt(node.parent!, role, call).use(async (base) => {
      if (base.length + tokens.length >= model.size.context)
        throw tooLong(role, model, base.length + tokens.length);
      // The token before the step is passed again, for the law of its first.
      call.spend(spanFlops(model.size, base.length - 1, tokens.length + 1));
      const branch = base.fork();
      try {
        const options = { logprobs: true, states, signal: call.signal };
        const { logprobs, ...read } = await branch.append(passage, options);
        const finite = checked(role, model, logprobs, tokens.length);
        // Nobody goes on from here once the run is being cut off.
        if (node.branches[role] || call.signal.aborted) branch.drop();
        else node.branches[role] = new Held(branch);
        return { ...read, logprobs: finite };
      } catch (error) {
        branch.drop();
        throw error;
      }
    });
  }

  async candidates(node: SearchNode, role: Writer, count: number, call: Call): Promise<CandidatesEvent> {
    const model = this.#modelWith("candidates", role);
    if (!Number.isInteger(count) || count < 1 || count > mostCandidates) {
      throw new StepwrightError(
        "internal",
        `the method asked for ${count} candidates, not 1 to ${mostCandidates}`,
      );
    }
    return this.#contexts.branchAt(node, role, call).use(async (base) => {
      call.spend(spanFlops(model.size, base.length - 1, 1));
      const nothing: Passage = { text: "", tokens: [], vocabulary: model.vocabulary };
      const { topK, entropy, usage } = await base.append(nothing, { topK: count, signal: call.signal });
      const logprobs = checked(
        role,
        model,
        topK?.map(({ logprob }) => logprob),
      );
      const tokens = await Promise.all(
        topK!.map(async ({ token }, index): Promise<NextToken> => {
          const end = model.endTokens?.has(token) ?? false;
          const text = end ? "" : await model.detokenize([token]);
          return { token, text, logprob: logprobs[index]!, end };
        }),
      );
      return { type: "candidates-read", node: node.id, role, count, tokens, entropy: entropy ?? 0, usage };
    });
  }

  /** Reads a forced continuation in: the step as if it had been written, and the branch that holds it. */
  async force(parent: SearchNode, forced: ForcedStep, splitter: Splitter, call: Call) {
    const { role } = forced;
    const model = this.#contexts.model(role);
    const content = await forcedContent(forced, model);
    if (content.tokens.length === 0) throw new StepwrightError("internal", "the method appends nothing");
    return this.#contexts.branchAt(parent, role, call).use(async (base) => {
      const { length } = content.tokens;
      if (base.length + length >= model.size.context) return { extension: noRoom(model.vocabulary) };
      call.spend(spanFlops(model.size, base.length, length));
      const branch = base.fork();
      try {
        const { usage }: Reading = await branch.append(content, { signal: call.signal });
        const extension: Extension = {
          ...content,
          stop: forcedStop(content, splitter),
          entropies: content.tokens.map(() => 0),
          usage: typeof forced.content === "string" ? usage : asWritten(usage, length),
        };
        return { extension, branch };
      } catch (error) {
        branch.drop();
        throw error;
      }
    });
  }

  #modelWith(capability: Capability, role: Writer): Model {
    const model = this.#contexts.model(role);
    if (offers(model, capability)) return model;
    throw new StepwrightError(
      "missing-capability",
      `the method needs "${capability}" of its ${role}, which ${model.name} does not offer`,
      { subject: role, remedy: `${model.name} offers: ${[...model.capabilities].join(", ")}` },
    );
  }
}

/** A token that a method chose is written by the model whose law it was chosen from, whenever it is passed. */
function asWritten(usage: Usage, tokens: number): Usage {
  const prefillTokens = Math.max(0, usage.prefillTokens - tokens);
  return { ...usage, prefillTokens, decodeTokens: tokens };
}

interface Content extends Passage {
  readonly logprobs: readonly number[];
  readonly end: boolean;
}

async function forcedContent({ content }: ForcedStep, model: Model): Promise<Content> {
  const { vocabulary } = model;
  if (typeof content === "string") {
    const tokens = await model.tokenize(content);
    return { text: content, tokens, vocabulary, logprobs: tokens.map(() => 0), end: false };
  }
  const tokens = content.map(({ token }) => token);
  // Decoded together, since a character's bytes may be spread over several tokens.
  const text = await model.detokenize(content.filter(({ end }) => !end).map(({ token }) => token));
  const logprobs = content.map(({ logprob }) => logprob);
  return { text, tokens, vocabulary, logprobs, end: content.at(-1)?.end ?? false };
}

function forcedStop({ end, text, tokens }: Content, splitter: Splitter): StopReason {
  if (end) return "end";
  return stepEnds(splitter, text, tokens.length) ? "delimiter" : "cap";
}

/** As they are, but for a token that cannot come: it gets a number that JSON can hold. */
function checked(
  role: Writer,
  model: Model,
  logprobs: readonly number[] | undefined,
  count = logprobs?.length,
): number[] {
  if (logprobs?.length !== count || !logprobs?.every((value) => value <= 0)) {
    const message = `the ${role} ${model.name} gave no log-probabilities of its tokens`;
    throw new StepwrightError("decode-failed", message, { subject: role });
  }
  return logprobs.map((value) => Math.max(value, impossible));
}
