/** How one step gets written: room, branch, generation, and the check of what came back. */
import type { Call } from "./calls.js";
import type { Contexts } from "./contexts.js";
import { StepwrightError } from "./errors.js";
import { Held } from "./held.js";
import type { Claim, Ledger } from "./ledger.js";
import { type Branch, type Extension, type Model, spanFlops } from "./model.js";
import type { StepRequest, Writer } from "./search.js";
import { type ChildPlace, SearchNode } from "./search-node.js";
import type { SearchSettings } from "./search-settings.js";
import { extensionProblem, finishOf, noRoom } from "./step-end.js";
import type { RunEvent, TraceEvent } from "./trace-event.js";

export type WrittenEvent = Extract<TraceEvent, { type: "step-written" }>;

export interface Written {
  readonly node: SearchNode;
  readonly event: WrittenEvent;
}

interface Attempt {
  readonly extension: Extension;
  /** How many tokens the budget allowed it. */
  readonly allowance: number;
  readonly branch: Branch | undefined;
}

export class StepWriter {
  readonly #settings: SearchSettings;
  readonly #contexts: Contexts;
  readonly #ledger: Ledger;
  readonly #show: (event: RunEvent) => void;

  constructor(settings: SearchSettings, contexts: Contexts, ledger: Ledger, show: (event: RunEvent) => void) {
    this.#settings = settings;
    this.#contexts = contexts;
    this.#ledger = ledger;
    this.#show = show;
  }

  /** The most that the step can cost: its whole prefix read anew, and every token it may have. */
  claim(parent: SearchNode, request: StepRequest): Claim | null {
    const { role } = request;
    const tokens = this.#cap(parent, request);
    const claim = { role, tokens, passes: 0, flops: 0 };
    if (this.#ledger.limits.flops === undefined) return claim;
    const prompt = this.#contexts.promptTokens[role];
    if (prompt === undefined) return null;
    const model = this.#model(role);
    let prefix = prompt;
    for (let at: SearchNode | null = parent; at?.step; at = at.parent) {
      const own = at.step.vocabulary === model.vocabulary;
      // In another vocabulary a step has at most a token for each byte, and one for a leading space.
      prefix += own ? at.step.tokens.length : Buffer.byteLength(at.step.text) + 1;
    }
    return { ...claim, flops: spanFlops(model.size, 0, prefix + tokens) };
  }

  async write(place: ChildPlace, request: StepRequest, call: Call): Promise<Written> {
    const { parent } = place;
    const { role } = request;
    const cap = this.#cap(parent, request);
    const { extension, allowance, branch } = await this.#attempt(place, request, cap, call);
    const event: WrittenEvent = {
      type: "step-written",
      node: place.id,
      parent: parent.id,
      role,
      origin: request.origin ?? role,
      text: extension.text,
      tokens: extension.tokens,
      vocabulary: extension.vocabulary,
      logprobs: extension.logprobs,
      entropies: extension.entropies,
      stop: extension.stop,
      finish: finishOf(parent, extension, { cap, allowance }, this.#settings),
      usage: extension.usage,
    };
    const node = nodeOf(place, event);
    if (branch) node.branches[role] = new Held(branch);
    return { node, event };
  }

  #cap(parent: SearchNode, request: StepRequest): number {
    const { maxStepTokens, maxTokens } = this.#settings;
    return Math.min(request.maxTokens ?? maxStepTokens, maxTokens - parent.tokens);
  }

  #model(role: Writer): Model {
    const model = this.#settings.models[role];
    if (!model)
      throw new StepwrightError("missing-role", `the method asked for a ${role}, which it does not name`);
    return model;
  }

  async #attempt(place: ChildPlace, request: StepRequest, cap: number, call: Call): Promise<Attempt> {
    const { role } = request;
    const model = this.#model(role);
    // Before anything is read: a role that may not write needs no context.
    if (this.#allowance(call, role, 0, 1) < 1) throw call.exhausted();
    const none = { extension: noRoom(model.vocabulary), allowance: cap, branch: undefined };
    try {
      return await this.#contexts.branchAt(place.parent, role, call).use(async (base) => {
        if (base.length >= model.size.context) return none;
        const allowance = this.#allowance(call, role, base.length, cap);
        if (allowance < 1) throw call.exhausted();
        const branch = base.fork();
        try {
          const extension = await this.#extend(branch, place, request, allowance, call);
          return { extension, allowance, branch };
        } catch (error) {
          branch.drop();
          throw error;
        }
      });
    } catch (error) {
      // The question fitted, so this is an answer that has outgrown the model.
      if (place.parent.parent && StepwrightError.is(error, "context-exceeded")) return none;
      throw error;
    }
  }

  async #extend(
    branch: Branch,
    place: ChildPlace,
    request: StepRequest,
    maxTokens: number,
    call: Call,
  ): Promise<Extension> {
    const { sampling, seed, splitter } = this.#settings;
    const { role } = request;
    const extension = await branch.extend({
      splitter: request.splitter ?? splitter,
      maxTokens,
      sampling: { ...sampling, ...request.sampling, seed },
      key: `${place.key}:${role}`,
      onText: (text) => this.#show({ type: "text-written", node: place.id, role, text }),
      signal: call.signal,
    });
    const problem = extensionProblem(extension, maxTokens);
    if (problem) {
      throw new StepwrightError("decode-failed", `the ${role} ${branch.model.name} ${problem}`, {
        subject: role,
      });
    }
    return extension;
  }

  /** A call that runs beside others has its whole claim set aside, so only an exact one needs to ask. */
  #allowance(call: Call, role: Writer, position: number, wanted: number): number {
    return call.exact ? this.#ledger.allowance(role, position, wanted, call.pending) : wanted;
  }
}

export function nodeOf(place: ChildPlace, event: WrittenEvent): SearchNode {
  const { text, tokens, vocabulary, origin, stop, logprobs, entropies } = event;
  return new SearchNode(place, {
    step: { text, tokens, vocabulary, origin, stop, logprobs, entropies },
    role: event.role,
    finish: event.finish,
    decodeTokens: event.usage.decodeTokens,
  });
}
