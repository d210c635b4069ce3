/** The runs of a server: admitted, carried out, kept, found again, taken up again. */
import { ApiError } from "../api-error.js";
import type { ServiceLimits } from "../limits.js";
import type { RunHandle, RunOrder, RunService, ServedModels, ServiceState } from "../types.js";
import { Admission } from "./admission.js";
import { type EarlierRun, keptChoice, lastingFacts, resumedRequest } from "./earlier-run.js";
import { IdempotencyTable } from "./idempotency.js";
import { LiveRun, type RunObserver } from "./live-run.js";
import { ServerMetrics } from "./metrics.js";
import { Recovery } from "./recovery.js";
import { choiceId, newFacts, newRunId } from "./run-facts.js";
import { RunLibrary, runNotFound } from "./run-library.js";
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
  /** Those that are there, to look at. */
  readonly runs: RunLibrary;
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
    this.runs = new RunLibrary(this.#live, store, removed);
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

  /** Ends a run that waits or works: all answers of its request, if it is the first. Throws 404 also for one that is over. */
  cancel(id: string, owner: string): void {
    this.runs.facts(id, owner);
    const run = this.#live.get(id);
    if (!run || run.isOver || run.isCancelled) throw runNotFound("the run is over");
    const request = this.#requests.get(id);
    if (request) request.cancel("cancelled by its owner");
    else this.#cancel(run, "cancelled by its owner", "cancelled");
  }

  /** Takes up a kept run that was cut or failed. Throws 409 `run_not_resumable` for one that is finished or under way. */
  async resume(id: string, owner: string): Promise<RunHandle> {
    this.#refuseWhileDraining();
    const facts = this.runs.facts(id, owner);
    if (this.#live.has(id) || this.#returning.has(id) || facts.status === "finished") {
      throw new ApiError(409, "run_not_resumable", `the run is ${facts.status}`);
    }
    const resuming = this.runs.read(id).then(async (earlier) => {
      const request = await resumedRequest(earlier, this.models);
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

  #begin(id: string, order: RunOrder, earlier: readonly EarlierRun[] = []): ServedRequest {
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

  #newRun(request: string, choice: number, order: RunOrder, earlier: EarlierRun | undefined): LiveRun {
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
      facts: earlier ? { ...facts, ...lastingFacts(earlier) } : facts,
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
    const earlier = await Promise.all(ids.map((one) => this.runs.read(one))).catch(() => undefined);
    if (!earlier) return undefined;
    if (earlier.some(({ facts }) => facts.status !== "finished")) {
      // A seed that the server drew is in the trace, not in the request.
      const requests = await Promise.all(earlier.map((one) => resumedRequest(one, this.models)));
      return this.#begin(id, { ...order, request: (choice) => requests[choice]! }, earlier);
    }
    const created = Math.floor(earlier[0]!.facts.created);
    const choices = earlier.map(keptChoice);
    return { id, created, joined: true, choices, leave: () => {}, cancel: () => {} };
  }
}
