/** What the server counts, for Prometheus: fed by the runs' own events, so that it is the sum of what they report. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Ledger, type LedgerData } from "../../core/ledger.js";
import type { TraceEvent } from "../../core/trace-event.js";
import { type AnswerEnd, AnswerReader } from "../answer/answer-reader.js";
import { predictions, verifications } from "../answer/usage.js";
import type { LiveRun } from "./live-run.js";
import { Counter, exposition, Gauge, Histogram, type Labels, type Metric } from "./prometheus.js";

const longTimes = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const shortTimes = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const tenths = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

/** What is read off at the moment of asking. */
export type GaugeName = keyof typeof gaugeHelp;
export type Gauges = Readonly<Record<GaugeName, Iterable<readonly [Labels, number]>>>;

const gaugeHelp = {
  ready: "1 while new runs may start, 0 while models load, the engine restarts or the server drains",
  runs_waiting: "answers that wait for their start",
  runs_running: "answers that are worked on",
  tokens_admitted: "predicted tokens of the answers that are worked on",
  streams_open: "event streams that are open",
  kv_cells: "cells of a model's KV cache",
  kv_cells_free: "cells of a model's KV cache that hold nothing",
  branches: "branches of a model that are open",
} as const;

/** One run's part, kept until it is over. */
interface Account {
  readonly ledger: Ledger;
  lastStep: number;
  steps: number;
}

export class ServerMetrics implements Disposable {
  readonly #accounts = new Map<LiveRun, Account>();
  readonly #loop = monitorEventLoopDelay({ resolution: 10 });

  readonly #requests = new Counter("stepwright_requests_total", "HTTP requests answered");
  readonly #runs = new Counter("stepwright_runs_total", "runs that are over, by method and how they ended");
  readonly #tokens = new Counter("stepwright_tokens_total", "tokens read and written, by role and purpose");
  readonly #flops = new Counter("stepwright_flops_total", "FLOPs of all forward passes, by role");
  readonly #busy = new Counter("stepwright_busy_seconds_total", "shares of the engine's busy time, by role");
  readonly #steps = new Counter("stepwright_steps_total", "steps written, by the role that wrote them");
  readonly #committed = new Counter("stepwright_steps_committed_total", "steps decided for, by method");
  readonly #drafts = new Counter(
    "stepwright_drafts_total",
    "drafts judged: blocks that a target read, steps that a reward scored",
  );
  readonly #draftTokens = new Counter("stepwright_draft_tokens_total", "tokens drafted for a target");
  readonly #acceptedTokens = new Counter(
    "stepwright_accepted_tokens_total",
    "drafted tokens that are in the answer",
  );
  readonly #rewardFailures = new Counter(
    "stepwright_reward_failures_total",
    "steps that the reward failed to score",
  );
  readonly #rewards = new Histogram("stepwright_reward", "rewards of scored steps", tenths);
  readonly #waiting = new Histogram("stepwright_queue_seconds", "time from request to start", longTimes);
  readonly #firstStep = new Histogram(
    "stepwright_first_step_seconds",
    "time from request to the first step decided for",
    longTimes,
  );
  readonly #betweenSteps = new Histogram(
    "stepwright_step_interval_seconds",
    "time between steps decided for",
    shortTimes,
  );
  readonly #duration = new Histogram("stepwright_run_seconds", "time from start to end of a run", longTimes);

  constructor() {
    this.#loop.enable();
  }

  [Symbol.dispose](): void {
    this.#loop.disable();
  }

  countRequest(route: string, status: number): void {
    this.#requests.add(1, { route, status: String(status) });
  }

  start(run: LiveRun): void {
    const now = Date.now() / 1000;
    this.#waiting.observe(now - run.asked);
    const ledger = new Ledger();
    // Of a run that is taken up again only what is new counts; its beginning says who is in it.
    const first = run.log.records[0];
    if (first) ledger.charge(first);
    this.#accounts.set(run, { ledger, lastStep: now, steps: 0 });
  }

  event(run: LiveRun, event: TraceEvent): void {
    const account = this.#accounts.get(run);
    if (!account) return;
    account.ledger.charge(event);
    if (event.type === "step-written") this.#steps.add(1, { role: event.role });
    if (event.type === "step-scored") this.#rewards.observe(event.value);
    if (event.type === "reward-failed") this.#rewardFailures.add(1);
    if (event.type === "step-committed") this.#step(run, account);
  }

  end(run: LiveRun): void {
    const { method, status, started, ended } = run.facts;
    this.#runs.add(1, { method, status });
    const account = this.#accounts.get(run);
    if (!account) return;
    this.#accounts.delete(run);
    this.#duration.observe((ended ?? 0) - (started ?? 0));
    this.#charge(account.ledger.toJSON());
    const answer = answerEnd(run);
    if (answer) this.#draft(run, answer);
  }

  /** The text that Prometheus reads. */
  text(gauges: Gauges): string {
    const metrics: Metric[] = Object.entries(gaugeHelp).map(
      ([name, help]) => new Gauge(`stepwright_${name}`, help, () => gauges[name as GaugeName]),
    );
    return exposition([...metrics, ...this.#counted(), ...this.#ofProcess()]);
  }

  #step(run: LiveRun, account: Account): void {
    const now = Date.now() / 1000;
    this.#committed.add(1, { method: run.facts.method });
    if (account.steps++ === 0) this.#firstStep.observe(now - run.asked);
    else this.#betweenSteps.observe(now - account.lastStep);
    account.lastStep = now;
  }

  /** The figures of the answer's own usage. */
  #draft({ request: { method } }: LiveRun, end: AnswerEnd): void {
    const { accepted, rejected } = predictions(method, end);
    const labels = { method: method.name };
    if (accepted + rejected === 0) return;
    this.#drafts.add(verifications(method, end), labels);
    this.#draftTokens.add(accepted + rejected, labels);
    this.#acceptedTokens.add(accepted, labels);
  }

  #charge(ledger: LedgerData): void {
    for (const role of ["draft", "target", "reward"] as const) {
      const spent = ledger[role];
      if (!spent) continue;
      const { read, decodeTokens, discardedTokens, flops, seconds } = spent;
      const kinds = { prompt: read.prompt, catch_up: read.catchUp, recomputed: read.recomputed };
      for (const [kind, count] of Object.entries({
        ...kinds,
        reward: read.reward,
        written: decodeTokens,
        discarded: discardedTokens,
      })) {
        if (count > 0) this.#tokens.add(count, { role, kind });
      }
      this.#flops.add(flops, { role });
      this.#busy.add(seconds, { role });
    }
  }

  #counted(): Metric[] {
    return [
      ...[this.#requests, this.#runs, this.#tokens, this.#flops, this.#busy, this.#steps, this.#committed],
      ...[this.#drafts, this.#draftTokens, this.#acceptedTokens, this.#rewards, this.#rewardFailures],
      ...[this.#waiting, this.#firstStep, this.#betweenSteps, this.#duration],
    ];
  }

  /** Event-loop delays are of the time since the last reading. */
  #ofProcess(): Metric[] {
    const delays = [0.5, 0.99].map(
      (quantile) => [{ quantile: String(quantile) }, this.#loop.percentile(quantile * 100) / 1e9] as const,
    );
    this.#loop.reset();
    return [
      new Gauge("stepwright_event_loop_delay_seconds", "how late timers fire", () => delays),
      new Gauge("stepwright_resident_bytes", "memory of the server's process", () => [
        [{}, process.memoryUsage.rss()],
      ]),
      new Gauge(
        "stepwright_cpu_seconds",
        "processor time of the server's process, the engine's not among it",
        () => {
          const { user, system } = process.cpuUsage();
          return [[{}, (user + system) / 1e6]];
        },
      ),
      new Gauge("stepwright_uptime_seconds", "since the server's process started", () => [
        [{}, process.uptime()],
      ]),
    ];
  }
}

/** What its answer says of itself; undefined for a run without one, and for one that was counted in part before. */
function answerEnd({ request, log, isResumed }: LiveRun): AnswerEnd | undefined {
  if (isResumed) return undefined;
  const reader = new AnswerReader(request.method, [], false);
  try {
    for (const event of log.records) reader.take(event);
  } catch {
    // Its reader was told; there is no answer to count.
    return undefined;
  }
  return reader.end;
}
