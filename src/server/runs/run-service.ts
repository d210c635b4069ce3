/** The runs of a server: admitted, carried out, kept, found again, taken up again. */
import { StepwrightError } from "../../core/errors.js";
import { replay } from "../../core/run.js";
import type { TraceContents } from "../../core/trace.js";
import { standing, type TraceEvent } from "../../core/trace-event.js";
import { methods } from "../../methods/index.js";
import { ApiError } from "../api-error.js";
import type { ServiceLimits } from "../limits.js";
import type {
  NumberedEvent,
  RunChoice,
  RunHandle,
  RunOrder,
  RunService,
  ServedModels,
  ServiceState,
} from "../types.js";
import { Admission } from "./admission.js";
import { readRecords } from "./event-log.js";
import { IdempotencyTable } from "./idempotency.js";
import { LiveRun, type RunObserver } from "./live-run.js";
import { ServerMetrics } from "./metrics.js";
import { Recovery } from "./recovery.js";
import { resumedRequest } from "./resumed-request.js";
import { choiceId, newFacts, newRunId, type RunFacts } from "./run-facts.js";
import { RemovedRuns, RunStore } from "./run-store.js";
import { ServedRequest } from "./served-request.js";

export interface RunServiceOptions {
  readonly models: ServedModels;
  readonly limits: ServiceLimits;
  /** Where runs are kept; null keeps none. */
  readonly folder: string | null;
  /** Told what went wrong and was got over. */
  readonly onNotice?: ((notice: string) => void) | undefined;
}

/** What an earlier life of a run left. */
interface Earlier {
  readonly facts: RunFacts;
  readonly contents: TraceContents;
}

/** Runs without a place on disk that a retry may still ask for. */
const rememberedRequests = 256;

/** Throws `locked` or `storage-failed` where the folder cannot be used. */
export async function openRunService(options: RunServiceOptions): Promise<LiveRunService> {
  const { folder, limits, onNotice = () => {} } = options;
  const removed = new RemovedRuns();
  const store =
    folder === null
      ? undefined
      : await RunStore.open(
          { folder, onNotice, keepDays: limits.keepDays, keepBytes: limits.keepBytes },
          removed,
        );
  return new LiveRunService({ ...options, onNotice }, store, removed);
}

export class LiveRunService implements RunService {
  readonly metrics = new ServerMetrics();
  readonly limits: ServiceLimits;
  readonly models: ServedModels;
  readonly #store: RunStore | undefined;
  readonly #removed: RemovedRuns;
  readonly #admission: Admission;
  readonly #recovery: Recovery;
  readonly #keys = new IdempotencyTable();
  /** Requests some of whose answers are under way; with no store, those that are over and may be asked for again. */
  readonly #requests = new Map<string, ServedRequest>();
  readonly #live = new Map<string, LiveRun>();
  /** Requests being read back from disk. */
  readonly #returning = new Map<string, Promise<ServedRequest | RunHandle | undefined>>();
  #isDraining = false;
  #idle: (() => void)[] = [];

  constructor(
    options: RunServiceOptions & { readonly onNotice: (notice: string) => void },
    store: RunStore | undefined,
    removed: RemovedRuns,
  ) {
    this.limits = options.limits;
    this.models = options.models;
    this.#store = store;
    this.#removed = removed;
    this.#recovery = new Recovery({ onReady: () => this.#admission.dispatch(), onNotice: options.onNotice });
    this.#admission = new Admission(options.limits, () => this.#recovery.isReady);
    for (const { owner, idempotency, request, choice, status } of store?.runs ?? []) {
      const counts = choice === 0 && (status === "finished" || status === "interrupted");
      if (idempotency && counts) this.#keys.set(owner, idempotency, request);
    }
  }

  get state(): ServiceState {
    if (this.#isDraining) return "draining";
    return this.#recovery.isReady ? "ready" : "restarting";
  }

  /** Answers that wait and work. */
  get load(): Admission["state"] {
    return this.#admission.state;
  }

  async submit(order: RunOrder): Promise<RunHandle> {
    this.#refuseWhileDraining();
    const { owner, idempotency, signal } = order;
    const known = idempotency && this.#keys.find(owner, idempotency);
    if (known) {
      const request = this.#requests.get(known);
      if (request) return request.join(signal, true);
      const returned = await this.#return(known, order);
      if (returned) return returned instanceof ServedRequest ? returned.join(signal, true) : returned;
      this.#keys.forget(owner, idempotency, known);
    }
    return this.#begin(newRunId(), order).join(signal, false);
  }

  /** The runs of this owner, the newest first. */
  *runs(owner: string): Iterable<RunFacts> {
    for (const run of [...this.#live.values()].reverse()) if (run.owner === owner) yield run.facts;
    const kept = this.#store ? [...this.#store.runs] : [];
    for (const facts of kept.reverse()) if (facts.owner === owner && !this.#live.has(facts.id)) yield facts;
  }

  /** Throws 404 `run_not_found` for an unknown id and for another owner's, 410 `run_expired` for one that is not kept. */
  facts(id: string, owner: string): RunFacts {
    const facts = this.#live.get(id)?.facts ?? this.#store?.get(id);
    if (facts?.owner === owner) return facts;
    if (this.#removed.has(id, owner)) {
      throw new ApiError(410, "run_expired", "this run is not kept any more");
    }
    throw notFound();
  }

  /** What was asked, whole. Errors as `facts`. */
  async question(id: string, owner: string): Promise<string> {
    const { question } = this.facts(id, owner);
    const live = this.#live.get(id);
    if (live) return live.request.question;
    const first = await this.#store?.readStart(id);
    return first?.type === "run-started" ? first.question : question;
  }

  /** Its events so far and to come; errors as `facts`. */
  async events(id: string, owner: string, after: number | undefined): Promise<AsyncIterable<NumberedEvent>> {
    this.facts(id, owner);
    const run = this.#live.get(id);
    if (run) return run.read({ after });
    return readRecords((await this.#read(id)).contents.events, { after });
  }

  /** Its records so far. Errors as `facts`. */
  async records(id: string, owner: string): Promise<readonly TraceEvent[]> {
    this.facts(id, owner);
    return this.#live.get(id)?.log.records ?? (await this.#read(id)).contents.events;
  }

  /** The trace's file; null while only memory has it. Errors as `facts`. */
  tracePath(id: string, owner: string): string | null {
    this.facts(id, owner);
    return this.#store?.tracePath(id) ?? null;
  }

  /** Ends a run that waits or works: all answers of its request, if it is the first. Throws 404 also for one that is over. */
  cancel(id: string, owner: string): void {
    this.facts(id, owner);
    const run = this.#live.get(id);
    if (!run || run.isOver || run.isCancelled) throw notFound("the run is over");
    const request = this.#requests.get(id);
    if (request) request.cancel("cancelled by its owner");
    else this.#cancel(run, "cancelled by its owner", "cancelled");
  }

  /** Takes up a kept run that was cut or failed. Throws 409 `run_not_resumable` for one that is finished or under way. */
  async resume(id: string, owner: string): Promise<RunHandle> {
    this.#refuseWhileDraining();
    const facts = this.facts(id, owner);
    if (this.#live.has(id) || this.#returning.has(id) || facts.status === "finished") {
      throw new ApiError(409, "run_not_resumable", `the run is ${facts.status}`);
    }
    const resuming = this.#read(id).then(async (earlier) => {
      const request = await resumedRequest(facts, earlier.contents.events, this.models);
      const { model } = facts;
      const { method, question, maxTokens = 0 } = request;
      // One answer at its longest: what the method is wide was admitted when it was first asked for.
      const cost = question.length + maxTokens;
      const asked = { owner, model, method, choices: 1, cost, keep: true };
      return this.#begin(id, { ...asked, request: () => request }, [earlier]);
    });
    this.#returning.set(id, resuming);
    try {
      return (await resuming).join(undefined, true);
    } finally {
      this.#returning.delete(id);
    }
  }

  async drain(seconds: number): Promise<void> {
    this.#isDraining = true;
    if (this.#live.size > 0) {
      const over = new Promise<void>((resolve) => this.#idle.push(resolve));
      const timer = setTimeout(() => {
        for (const run of this.#live.values()) this.#cancel(run, "the server stops", "interrupted");
      }, seconds * 1000);
      await over;
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(0);
    this.#recovery[Symbol.dispose]();
    this.metrics[Symbol.dispose]();
    await this.#store?.[Symbol.asyncDispose]();
  }

  #refuseWhileDraining(): void {
    if (!this.#isDraining) return;
    throw new ApiError(503, "draining", "the server is stopping and takes no new requests", {
      remedy: "ask again when it is back",
      retryAfter: 5,
    });
  }

  #begin(id: string, order: RunOrder, earlier: readonly Earlier[] = []): ServedRequest {
    const choices = Array.from({ length: order.choices }, (_, choice) =>
      this.#newRun(id, choice, order, earlier[choice]),
    );
    this.#admission.enter(order.owner, choices, order.owner !== "local");
    for (const run of choices) {
      this.#store?.reopen(run.id);
      this.#live.set(run.id, run);
    }
    const request = new ServedRequest({
      id,
      order,
      choices,
      graceSeconds: this.limits.graceSeconds,
      cancel: (run, reason, status) => this.#cancel(run, reason, status),
    });
    this.#requests.set(id, request);
    if (order.idempotency) this.#keys.set(order.owner, order.idempotency, id);
    return request;
  }

  #newRun(request: string, choice: number, order: RunOrder, earlier: Earlier | undefined): LiveRun {
    const { owner, model, idempotency = null, cost } = order;
    const asked = order.request(choice);
    const place = { id: choiceId(request, choice), request, choice, owner, model, idempotency };
    const facts = newFacts(place, asked);
    const observer: RunObserver = {
      onStart: (run) => this.metrics.start(run),
      onEvent: (run, event) => this.metrics.event(run, event),
      onEnd: (run, error) => this.#ended(run, error, request),
    };
    return new LiveRun({
      facts: earlier ? { ...facts, ...lasting(earlier.facts) } : facts,
      request: asked,
      cost,
      store: this.#store,
      recorded: earlier?.contents,
      observer,
    });
  }

  /** `id`: of the request that it is an answer to. */
  #ended(run: LiveRun, error: unknown, id: string): void {
    this.metrics.end(run);
    this.#recovery.note(error, run.request.roles);
    this.#live.delete(run.id);
    if (!this.#store?.get(run.id)) this.#removed.add(run.id, run.owner);
    const request = this.#requests.get(id);
    if (request?.isOver) this.#over(request);
    if (this.#live.size > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Every answer of the request is over. */
  #over({ id, order, choices }: ServedRequest): void {
    const { owner, idempotency } = order;
    this.#admission.leave(owner);
    const isSpoilt = choices.some(({ facts: { status } }) => status === "failed" || status === "cancelled");
    if (idempotency && isSpoilt) this.#keys.forget(owner, idempotency, id);
    if (this.#store || !idempotency || isSpoilt) this.#requests.delete(id);
    if (this.#requests.size > rememberedRequests) this.#forgetOldest();
    void this.#store?.prune(this.#removed);
  }

  #forgetOldest(): void {
    for (const [id, { isOver, order }] of this.#requests) {
      if (!isOver) continue;
      this.#requests.delete(id);
      if (order.idempotency) this.#keys.forget(order.owner, order.idempotency, id);
      return;
    }
  }

  #cancel(run: LiveRun, reason: string, status?: "cancelled" | "interrupted"): void {
    run.cancel(reason, status);
    if (this.#admission.withdraw(run)) run.withdrawn();
  }

  /** A request of an earlier life of the server: its kept answers, or its runs taken up where they were cut. */
  #return(id: string, order: RunOrder): Promise<ServedRequest | RunHandle | undefined> {
    const ids = Array.from({ length: order.choices }, (_, choice) => choiceId(id, choice));
    const kept = ids.map((one) => this.#store?.get(one));
    if (kept.some((facts) => facts === undefined || facts.owner !== order.owner))
      return Promise.resolve(undefined);
    const returning = this.#returning.get(id) ?? this.#comeBack(id, ids, order);
    this.#returning.set(id, returning);
    return returning.finally(() => this.#returning.delete(id));
  }

  async #comeBack(
    id: string,
    ids: readonly string[],
    order: RunOrder,
  ): Promise<ServedRequest | RunHandle | undefined> {
    // What cannot be read back is done anew.
    const earlier = await Promise.all(ids.map((one) => this.#read(one))).catch(() => undefined);
    if (!earlier) return undefined;
    if (earlier.some(({ facts }) => facts.status !== "finished")) {
      // A seed that the server drew is in the trace, not in the request.
      const requests = await Promise.all(
        earlier.map(({ facts, contents }) => resumedRequest(facts, contents.events, this.models)),
      );
      return this.#begin(id, { ...order, request: (choice) => requests[choice]! }, earlier);
    }
    const created = Math.floor(earlier[0]!.facts.created);
    const choices = earlier.map(keptChoice);
    return { id, created, joined: true, choices, leave: () => {}, cancel: () => {} };
  }

  async #read(id: string): Promise<Earlier> {
    const facts = this.#store?.get(id);
    if (!this.#store || !facts) throw notFound();
    return { facts, contents: await this.#store.read(id) };
  }
}

/** An answer that is over, read back from its trace. */
function keptChoice({ facts: { id }, contents: { events } }: Earlier): RunChoice {
  const kept = standing(events);
  const result = (async () => {
    const first = kept[0];
    if (first?.type !== "run-started") throw new StepwrightError("trace-invalid", "the run's trace is empty");
    return replay(kept, await methods.get(first.method));
  })();
  result.catch(() => {});
  return { id, events: (after) => readRecords(events, { after, text: "whole" }), result };
}

/** What a run that is taken up again keeps of its facts. */
function lasting({ request, choice, created, idempotency }: RunFacts) {
  return { request, choice, created, idempotency };
}

function notFound(message = "there is no such run"): ApiError {
  return new ApiError(404, "run_not_found", message, { remedy: "GET /v1/runs lists the runs of your key" });
}
