/** How one step comes to be: room, branch, generation or forced text, and the check of what came back. */
import type { Call } from "./calls.js";
import { type Contexts, mostTokens } from "./contexts.js";
import { StepwrightError } from "./errors.js";
import { Held } from "./held.js";
import type { Claim, Ledger } from "./ledger.js";
import type { Branch, Extension, Model } from "./model.js";
import { StepReader } from "./reading.js";
import type { Finish, ForcedStep, StepRequest, Writer } from "./search.js";
import { type ChildPlace, SearchNode } from "./search-node.js";
import type { SearchSettings } from "./search-settings.js";
import type { Passage, StepStates } from "./step.js";
import { cutShort, extensionProblem, finishOf, noRoom, type StepRoom } from "./step-end.js";
import { completesStop, endingAtStops } from "./stop-strings.js";
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
  readonly #reader: StepReader;
  readonly #ledger: Ledger;
  readonly #show: (event: RunEvent) => void;

  constructor(settings: SearchSettings, contexts: Contexts, ledger: Ledger, show: (event: RunEvent) => void) {
    this.#settings = settings;
    this.#contexts = contexts;
    this.#reader = new StepReader(contexts);
    this.#ledger = ledger;
    this.#show = show;
  }

  /** The most that the step can cost: its whole prefix read anew, and every token it may have. */
  claim(parent: SearchNode, request: StepRequest): Claim | null {
    const tokens = this.#cap(parent, request);
    return this.#claim(parent, request.role, { passed: tokens, written: tokens });
  }

  /** The same for a forced step: of a text nothing is written. */
  claimOfForce(parent: SearchNode, forced: ForcedStep): Claim | null {
    const { role, content } = forced;
    const passed = typeof content === "string" ? mostTokens(content) : content.length;
    return this.#claim(parent, role, { passed, written: chosenTokens(forced) });
  }

  async write(place: ChildPlace, request: StepRequest, call: Call): Promise<Written> {
    const { parent } = place;
    const { role } = request;
    const cap = this.#cap(parent, request);
    const { extension, allowance, branch } = await this.#attempt(place, request, cap, call);
    const splitter = request.splitter ?? this.#settings.splitter;
    const { handsOver } = request;
    const room = { cap, allowance, splitter, isWhole: isWhole(request), handsOver };
    const finish = this.#finish(parent, extension, room);
    return this.#written(
      place,
      request,
      { ...extension, role, origin: request.origin ?? role, finish },
      branch,
    );
  }

  async force(place: ChildPlace, forced: ForcedStep, call: Call): Promise<Written> {
    const { parent } = place;
    const { role, origin = "forced" } = forced;
    const { splitter } = this.#settings;
    const chosen = chosenTokens(forced);
    if (this.#allowance(call, role, 0, chosen) < chosen) throw call.exhausted();
    const { extension, branch } = await this.#reader.force(parent, forced, splitter, call);
    const whatItTakes = extension.tokens.length;
    const room = { cap: whatItTakes, allowance: whatItTakes, splitter: null, isWhole: false };
    const finish = this.#finish(parent, extension, room);
    return this.#written(place, forced, { ...extension, role, origin, finish }, branch);
  }

  #finish(parent: SearchNode, extension: Extension, room: StepRoom): Finish | null {
    const stops = this.#stopsIn(parent);
    return completesStop(stops, parent, extension.text)
      ? "stop"
      : finishOf(parent, extension, room, this.#settings);
  }

  /** In prompts that a method begins it talks to itself. */
  #stopsIn({ tree }: SearchNode): readonly string[] {
    return tree.id === "" ? this.#settings.stop : [];
  }

  #written(
    place: ChildPlace,
    request: StepRequest | ForcedStep,
    step: Omit<WrittenEvent, "type" | "node" | "parent"> & Pick<Extension, "states">,
    branch: Branch | undefined,
  ): Written {
    const { role, origin, text, tokens, vocabulary, logprobs, entropies, stop, finish, usage } = step;
    const { speculation } = step;
    const event: WrittenEvent = {
      type: "step-written",
      node: place.id,
      parent: place.parent.id,
      ...{ role, origin, text, tokens, vocabulary, logprobs, entropies, stop, finish, usage },
      ...(speculation && { speculation }),
    };
    // For the run's reward alone: an event, and what keeps events, holds none.
    const node = nodeOf(place, request, event, step.states);
    if (branch) node.branches[role] = new Held(branch);
    return { node, event };
  }

  #claim(parent: SearchNode, role: Writer, tokens: { passed: number; written: number }): Claim | null {
    const claim = { role, tokens: tokens.written, passes: 0, flops: 0 };
    if (this.#ledger.limits.flops === undefined) return claim;
    const flops = this.#contexts.mostFlops(parent, role, tokens.passed);
    return flops === null ? null : { ...claim, flops };
  }

  #cap(parent: SearchNode, request: StepRequest): number {
    const { maxStepTokens, maxTokens } = this.#settings;
    return Math.min(request.maxTokens ?? maxStepTokens, maxTokens - parent.tokens);
  }

  async #attempt(place: ChildPlace, request: StepRequest, cap: number, call: Call): Promise<Attempt> {
    const { role } = request;
    const model = this.#contexts.model(role);
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
    const { role, signal } = request;
    const isCut = () => signal?.aborted === true && !call.signal.aborted;
    if (isCut()) return cutShort(branch.model.vocabulary);
    const options = {
      splitter: endingAtStops(request.splitter ?? splitter, this.#stopsIn(place.parent), place.parent),
      maxTokens,
      sampling: { ...sampling, ...request.sampling, seed },
      key: `${place.key}:${role}`,
      hints: hintsFor(role, place.parent),
      flops: call.flopsLeft(),
      states: this.#readsStatesOf(branch.model),
      onText: (text: string) => this.#show({ type: "text-written", node: place.id, role, text }),
      signal: signal ? AbortSignal.any([call.signal, signal]) : call.signal,
    };
    const extension = await branch.extend(options).catch((error: unknown) => {
      if (isCut()) return cutShort(branch.model.vocabulary);
      throw error;
    });
    checkExtension(extension, role, branch.model, maxTokens);
    if (extension.stop !== "cut" || !call.signal.aborted) return extension;
    // The run ends here. What was written is paid for, but it is no step of the tree.
    const { id, parent } = place;
    const { usage, speculation } = extension;
    const cut = { type: "step-cut", node: id, parent: parent.id, role, usage } as const;
    call.note(speculation ? { ...cut, speculation } : cut);
    throw call.signal.reason;
  }

  #readsStatesOf(model: Model): boolean {
    const { readsStatesOf = [] } = this.#settings.reward ?? {};
    return readsStatesOf.includes(model) && model.capabilities.has("hidden");
  }

  /** A call that runs beside others has its whole claim set aside, so only an exact one needs to ask. */
  #allowance(call: Call, role: Writer, position: number, wanted: number): number {
    return call.exact ? this.#ledger.allowance(role, position, wanted, call.pending) : wanted;
  }
}

export function nodeOf(
  place: ChildPlace,
  request: StepRequest | ForcedStep,
  event: WrittenEvent,
  states?: StepStates,
): SearchNode {
  const { text, tokens, vocabulary, origin, stop, logprobs, entropies } = event;
  return new SearchNode(place, {
    step: { text, tokens, vocabulary, origin, stop, logprobs, entropies, ...(states && { states }) },
    role: event.role,
    finish: event.finish,
    decodeTokens: Math.min(event.usage.decodeTokens, tokens.length),
    isWhole: isWhole(request),
  });
}

const mostHints = 4;

/** Steps that others wrote here before: what this role is about to write is often much like them. The latest first. */
function hintsFor(role: Writer, { children }: SearchNode): Passage[] {
  return children
    .flatMap((child) => (child.step && child.role !== role ? child.step : []))
    .slice(-mostHints)
    .reverse();
}

/** Tokens that the method chose from a law, which count as written. */
function chosenTokens({ content }: ForcedStep): number {
  return typeof content === "string" ? 0 : content.length;
}

/** Pieces of a step, which a method's own splitter ends, do not count to the limit of steps. */
function isWhole(request: StepRequest | ForcedStep): boolean {
  return !("content" in request) && request.splitter === undefined;
}

function checkExtension(extension: Extension, role: Writer, model: Model, allowance: number): void {
  const problem = extensionProblem(extension, allowance);
  if (!problem) return;
  throw new StepwrightError("decode-failed", `the ${role} ${model.name} ${problem}`, { subject: role });
}
