/**
 * The seams of the server: between HTTP and the runs behind it, and between both and the models.
 * HTTP checks a request and makes an order of it; the run service queues, carries out, stores and resumes.
 */
import type { HttpBindings } from "@hono/node-server";
import type { Context, Hono } from "hono";
import type { Method } from "../core/method.js";
import type { Model } from "../core/model.js";
import type { Reward } from "../core/reward.js";
import type { RunRequest, RunResult } from "../core/run.js";
import type { RunEvent } from "../core/trace-event.js";

/** What every route knows of a request: `c.get("owner")`, `c.get("requestId")`. */
export interface ServerEnvironment {
  readonly Bindings: HttpBindings;
  readonly Variables: {
    /** Who asks: a digest of the key, `local` where the server asks for none, `studio` for the studio. */
    owner: string;
    /** Sent as `x-request-id`; where the request becomes a run, it is replaced by the run's id. */
    requestId: string;
  };
}

export type ServerApp = Hono<ServerEnvironment>;
export type ServerContext = Context<ServerEnvironment>;

/** Models that answer together, opened once for the life of the server. */
export interface Pair {
  readonly name: string;
  /** What was named when the server started; kept in traces, so that a run can be taken up after a restart. */
  readonly references: Readonly<Record<string, unknown>>;
  readonly draft?: Model | undefined;
  readonly target?: Model | undefined;
  readonly reward?: Reward | undefined;
}

/** A method over a pair, under the name that clients ask for: `rsd/default`. */
export interface Preset {
  readonly id: string;
  readonly pair: string;
  readonly method: Method;
  /** The method's options, checked, defaults filled in. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly description?: string;
}

export type ModelState = "loading" | "ready" | "failed";

/** The models that the server was started with, and the presets over them. */
export interface ServedModels extends AsyncDisposable {
  readonly presets: readonly Preset[];
  readonly pairNames: readonly string[];
  readonly state: ModelState;
  /** Why loading failed. */
  readonly failure: Error | undefined;
  /** Resolves when all models are open; rejects where one cannot be opened. */
  readonly opened: Promise<void>;
  /** By a preset's id, a pair's name (its default method), or `draft` and `target` of the default pair. */
  find(model: string): Preset | undefined;
  /** Throws `model_not_found`; 503 while loading. */
  pair(name: string): Pair;
}

/** A run that may start: everything in it is checked. */
export interface RunOrder {
  readonly owner: string;
  /** As the client named it. */
  readonly model: string;
  readonly method: Method;
  /** How many answers are asked for; each is a run of its own, with a seed of its own. */
  readonly choices: number;
  /** Predicted tokens of one choice: prompt and answer, times the width of the method. */
  readonly cost: number;
  readonly idempotency?: { readonly key: string; readonly digest: string } | undefined;
  /** Wall seconds from now, waiting included. */
  readonly deadlineSeconds?: number | undefined;
  /** True: goes on when nobody reads it any more. */
  readonly keep?: boolean | undefined;
  /** Fires when the client is gone. */
  readonly signal?: AbortSignal | undefined;
  /** Pure; called when the choice may start. */
  request(choice: number): Omit<RunRequest, "signal" | "sink" | "id" | "recording">;
}

/** Why a reader goes: its answer is whole, its socket closed, or it took nothing for too long. */
export type LeaveReason = "done" | "closed" | "stalled";

export interface NumberedEvent {
  /** The event's number in the trace; null for a live piece of text. */
  readonly index: number | null;
  readonly event: RunEvent;
}

export interface RunChoice {
  /** The run's id; the first choice's is the handle's. */
  readonly id: string;
  /**
   * From the beginning, or after this number. Any number of readers; the run waits for none. No reader misses text
   * that another one had: pieces of a step that it did not take in time reach it joined.
   */
  events(after?: number): AsyncIterable<NumberedEvent>;
  /** Rejects with a `StepwrightError` when the run fails. */
  readonly result: Promise<RunResult>;
}

export interface RunHandle {
  /** Also `x-request-id` and the answer's `id`. */
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
  /** True where an idempotency key led to a run that was there already. */
  readonly joined: boolean;
  readonly choices: readonly RunChoice[];
  /** Each reader says once that it goes. With the last one gone before the end, the run is cancelled, unless it is kept. */
  leave(reason: LeaveReason): void;
  cancel(reason: string): void;
}

export type ServiceState = "ready" | "restarting" | "draining";

export interface RunService extends AsyncDisposable {
  readonly state: ServiceState;
  /** Throws an `ApiError` at once where the order is refused (queue, quota, cost, idempotency); queueing is inside the handle. */
  submit(order: RunOrder): RunHandle | Promise<RunHandle>;
  /** Takes nothing new, lets what runs finish for so long, then cancels it. */
  drain(seconds: number): Promise<void>;
}
