/**
 * Coalesces all calls on one model into shared decodes: every branch that writes contributes one token, every
 * branch that reads contributes a chunk. Admission is by KV cells; when they run out, idle branches lose theirs
 * first, then the call that came last is paused. What a branch holds is never lost: it is read again when needed.
 */
import { StepwrightError } from "../../core/errors.js";
import { GrowingStates } from "../../core/growing-states.js";
import { GrowingStep } from "../../core/growing-step.js";
import { addUsage } from "../../core/model.js";
import type { StopReason } from "../../core/step.js";
import type { NativeModel, Row, RowRequest } from "../../native/native-model.js";
import { batchOf, type Demand, mostOutputs, readsEnd, rowRequests } from "./demand.js";
import { HeldTree, type TreeEntry } from "./held-tree.js";
import {
  type Append,
  type BranchState,
  type Extend,
  isCall,
  noEngineUsage,
  type Operation,
  type ReadTree,
} from "./operation.js";
import { Planner } from "./planner.js";
import type { AppendAnswer, EngineUsage, Statistics } from "./protocol.js";
import { SequencePool } from "./sequence-pool.js";
import { takeTreeRows, treeProblem } from "./tree-call.js";

export interface SchedulerOptions {
  /** Each sequence has a KV stream of its own (`NativeModelOptions.separateStreams`). */
  readonly separate?: boolean;
  /** Greatest number of tokens in one decode; default: what the context takes. */
  readonly batchTokens?: number;
  /** Runs one decode at a time over all models of the process: two on the same cores only stall each other. */
  readonly lock?: <Result>(work: () => Promise<Result>) => Promise<Result>;
  /** Milliseconds; injectable for tests. */
  readonly now?: () => number;
  /** Opened prefixes that stay in the cache after their branch is dropped, for the next call with the same start. */
  readonly keptPrompts?: number;
}

export class Scheduler {
  readonly #native: NativeModel;
  readonly #lock: NonNullable<SchedulerOptions["lock"]>;
  readonly #now: () => number;
  readonly #pool: SequencePool;
  readonly #planner: Planner;
  readonly #context: number;
  readonly #endTokens: ReadonlySet<number>;
  /** What is not yet served and on which branch, in the order it came: the first has the right of way. */
  readonly #waiting = new Map<Operation, BranchState>();
  readonly #cancelled = new Set<number>();
  #clock = 0;
  #running = false;
  #failed: StepwrightError | null = null;
  #readingLong = false;
  #decodes = 0;
  #decodedTokens = 0;

  constructor(native: NativeModel, options: SchedulerOptions = {}) {
    this.#native = native;
    this.#lock = options.lock ?? ((work) => work());
    this.#now = options.now ?? (() => performance.now());
    this.#pool = new SequencePool(native, {
      separate: options.separate ?? false,
      keptPrompts: options.keptPrompts ?? 4,
    });
    const { cells, trainedContext, endTokens } = native.info;
    this.#context = Math.min(cells, trainedContext);
    this.#planner = new Planner(this.#pool, {
      outputs: mostOutputs(native.info),
      batchTokens: options.batchTokens ?? native.info.batchTokens,
      context: this.#context,
    });
    this.#endTokens = new Set(endTokens);
  }

  /** Throws `context-exceeded` if the tokens leave no room to write. */
  open(id: number, tokens: readonly number[]): void {
    if (tokens.length >= this.#context) throw contextExceeded(tokens.length, this.#context);
    this.#pool.branches.set(id, newBranch(id, tokens, tokens.length, id));
  }

  fork(id: number, child: number): void {
    const branch = newBranch(child, [], 0, this.#pool.branches.get(id)?.family ?? child);
    this.#pool.branches.set(child, branch);
    this.#enqueue(id, { kind: "fork", child: branch });
    // The child's own calls wait until its parent has got to the fork.
    branch.queue.push({ kind: "wait" });
  }

  trim(id: number, length: number): void {
    this.#enqueue(id, { kind: "trim", length });
  }

  drop(id: number): void {
    const branch = this.#pool.branches.get(id);
    if (branch) this.#enqueue(id, { kind: "drop" });
  }

  append(id: number, operation: Append): void {
    this.#enqueue(id, operation);
  }

  extend(id: number, operation: Extend): void {
    this.#enqueue(id, operation);
  }

  readTree(id: number, operation: ReadTree): void {
    this.#enqueue(id, operation);
  }

  keep(id: number, node: number): void {
    this.#enqueue(id, { kind: "keep", node });
  }

  /**
   * Ends a call: at once while it waits, else after the decode in flight. A call that has begun to write ends as
   * `cut`, any other fails with `aborted`.
   */
  cancel(call: number): void {
    for (const operation of this.#waiting.keys()) {
      if (isCall(operation) && operation.call === call) {
        this.#cancelled.add(call);
        // Only a long read is worth stopping half way: the others of its batch must be passed again.
        if (this.#readingLong) this.#native.abort();
        this.#start();
      }
    }
  }

  statistics(): Statistics {
    return {
      branches: this.#pool.branches.size,
      sequencesInUse: this.#pool.sequencesInUse,
      freeCells: this.#pool.availableCells,
      cells: this.#pool.cells,
      decodes: this.#decodes,
      decodedTokens: this.#decodedTokens,
      evictions: this.#pool.evictions,
    };
  }

  #enqueue(id: number, operation: Operation): void {
    const branch = this.#pool.branches.get(id);
    if (!branch) {
      if (isCall(operation)) operation.reject(droppedBranch());
      return;
    }
    branch.queue.push(operation);
    this.#waiting.set(operation, branch);
    this.#start();
  }

  #start(): void {
    if (this.#running) return;
    this.#running = true;
    // A turn of the event loop, so that calls made together share their first decode.
    setImmediate(() => void this.#loop());
  }

  async #loop(): Promise<void> {
    try {
      for (;;) {
        this.#settle();
        const active = this.#active();
        if (active.length === 0) break;
        const demands = this.#planner.plan(active);
        if (demands.length === 0) {
          // Either a prefix found in the cache left nothing to pass, or the oldest call has every cell there is.
          if (!this.#settle()) this.#outOfRoom(active[0]!);
          continue;
        }
        await this.#lock(() => this.#decode(demands));
        // Lets messages in: new calls join the next decode, cancels end theirs.
        await new Promise(setImmediate);
      }
    } catch (error) {
      this.#failAll(StepwrightError.from(error, "engine-failed"));
    } finally {
      this.#running = false;
    }
  }

  // ---- the queues ------------------------------------------------------------------------------------------------

  /** Does everything that needs no decode, in arrival order; true if anything was done. */
  #settle(): boolean {
    let any = false;
    for (const [operation, branch] of this.#waiting) {
      if (branch.queue[0] === operation && this.#settleHead(branch)) any = true;
    }
    return any;
  }

  /** Serves the head of the branch's queue if no decode is needed for it. */
  #settleHead(branch: BranchState): boolean {
    const operation = branch.queue[0]!;
    // What was not kept of a tree goes with the next call.
    if (branch.tree && operation.kind !== "keep" && !(operation.kind === "tree" && operation.progress)) {
      this.#pool.keep(branch, -1);
    }
    if (isCall(operation) && this.#cancelled.delete(operation.call)) {
      if (operation.kind === "extend" && operation.progress) {
        this.#endExtend(branch, operation, "cut");
        return true;
      }
      this.#finish(branch, () => operation.reject(new StepwrightError("aborted", "the call was aborted")));
      // What it had begun to read is not part of the branch.
      if (operation.kind === "tree") this.#pool.keep(branch, -1);
      else if (operation.progress) this.#pool.truncate(branch, operation.progress.start);
      return true;
    }
    if (this.#failed && isCall(operation)) {
      const failure = this.#failed;
      this.#pool.keep(branch, -1);
      this.#finish(branch, () => operation.reject(failure));
      return true;
    }
    switch (operation.kind) {
      case "wait":
        return false;
      case "trim":
        this.#pool.truncate(branch, operation.length);
        this.#finish(branch);
        return true;
      case "keep":
        this.#pool.keep(branch, operation.node);
        this.#finish(branch);
        return true;
      case "drop":
        this.#finish(branch);
        this.#rejectRest(branch);
        this.#pool.remove(branch);
        return true;
      case "fork":
        if (branch.cached < branch.tokens.length - 1 && !this.#failed) return false;
        this.#finish(branch);
        this.#shareWithChild(branch, operation.child);
        return true;
      case "append":
        return this.#beginAppend(branch, operation);
      case "extend":
        return this.#beginExtend(branch, operation);
      case "tree":
        return this.#beginTree(branch, operation);
    }
  }

  #finish(branch: BranchState, answer?: () => void): void {
    const operation = branch.queue.shift()!;
    this.#waiting.delete(operation);
    branch.lastUsed = this.#clock++;
    answer?.();
  }

  #beginAppend(branch: BranchState, operation: Append): boolean {
    if (!operation.progress) {
      const length = branch.tokens.length + operation.passage.length;
      if (length > this.#context) {
        this.#finish(branch, () => operation.reject(contextExceeded(length, this.#context)));
        return true;
      }
      const { want, passage } = operation;
      const start = branch.tokens.length;
      operation.progress = {
        ...{ start, usage: this.#takeDebt(branch), row: null, hidden: null },
        ...{ logprobs: [], entropies: [], states: new GrowingStates() },
      };
      for (const token of passage) branch.tokens.push(token);
      // The row after a token is gone once its decode is over: such a token is passed again.
      if (want?.logprobs) this.#pool.uncache(branch, Math.max(0, start - 1));
      if (want && readsEnd(want)) this.#pool.uncache(branch, length - 1);
    }
    return this.#endAppend(branch, operation);
  }

  /** Answers the call if nothing of it is left to pass. */
  #endAppend(branch: BranchState, operation: Append): boolean {
    const { want } = operation;
    const { start, usage, logprobs, entropies, row, hidden } = operation.progress!;
    const left = branch.tokens.length - branch.cached;
    // The last token is passed by the next call, unless something is read off after it.
    if (left > (want && readsEnd(want) ? 0 : 1)) return false;
    const states = want?.states && operation.progress!.states.over(operation.passage.length);
    const answer: AppendAnswer = {
      ...(want && want.topK > 0 ? { topK: row?.topK ?? [], entropy: row?.entropy ?? 0 } : {}),
      ...(want && want.tokens.length > 0 ? { tokens: row?.tokens.slice(0, want.tokens.length) ?? [] } : {}),
      ...(want?.row && row?.row ? { row: row.row } : {}),
      ...(want?.logprobs ? { logprobs: behind(start, logprobs), entropies: behind(start, entropies) } : {}),
      ...(states ? { states } : {}),
      ...(hidden ? { hidden } : {}),
      end: branch.tokens.length,
      usage,
    };
    this.#finish(branch, () => operation.resolve(answer));
    return true;
  }

  #beginExtend(branch: BranchState, operation: Extend): boolean {
    if (!operation.progress) {
      if (branch.tokens.length === 0) {
        this.#finish(branch, () =>
          operation.reject(
            new StepwrightError("invalid-option", "nothing to continue: the branch is empty", {
              remedy: "append a prompt first",
            }),
          ),
        );
        return true;
      }
      operation.progress = {
        start: branch.tokens.length,
        usage: this.#takeDebt(branch),
        written: new GrowingStep(operation),
        states: new GrowingStates(),
      };
      this.#pool.uncache(branch, branch.tokens.length - 1);
    }
    if (branch.tokens.length < this.#context) return false;
    this.#endExtend(branch, operation, "context");
    return true;
  }

  #endExtend(branch: BranchState, operation: Extend, stop: StopReason): void {
    const { usage, written, states: growing } = operation.progress!;
    written.close();
    const { tokens, text, logprobs, entropies } = written;
    const states = growing.over(tokens.length);
    const end = branch.tokens.length;
    const rest = written.takeUnsent();
    if (rest !== "") operation.onText?.(rest);
    const answer = { tokens, text, stop, logprobs, entropies, ...(states && { states }), end, usage };
    this.#finish(branch, () => operation.resolve(answer));
  }

  #beginTree(branch: BranchState, operation: ReadTree): boolean {
    if (operation.progress) return false;
    const tree = new HeldTree(operation.nodes);
    const problem = treeProblem(branch, tree, this.#pool, this.#context);
    if (problem) {
      this.#finish(branch, () => operation.reject(problem));
      return true;
    }
    operation.progress = { usage: this.#takeDebt(branch), rows: [] };
    this.#pool.uncache(branch, branch.tokens.length - 1);
    branch.tree = tree;
    return false;
  }

  #takeDebt(branch: BranchState): EngineUsage {
    const { debt } = branch;
    branch.debt = noEngineUsage;
    return debt;
  }

  #shareWithChild(parent: BranchState, child: BranchState): void {
    child.tokens = parent.tokens.slice();
    child.everCached = parent.everCached;
    child.debt = this.#takeDebt(parent);
    // Its `wait` goes; its own calls may start.
    child.queue.shift();
    this.#pool.share(parent, child);
  }

  /** Calls made on a branch after it was dropped. */
  #rejectRest(branch: BranchState): void {
    for (const operation of branch.queue) {
      this.#waiting.delete(operation);
      if (isCall(operation)) operation.reject(droppedBranch());
    }
  }

  // ---- one decode ------------------------------------------------------------------------------------------------

  /** The branches with a call to serve, first come first. */
  #active(): BranchState[] {
    const active: BranchState[] = [];
    for (const [operation, branch] of this.#waiting) {
      if (branch.queue[0] === operation && (isCall(operation) || operation.kind === "fork"))
        active.push(branch);
    }
    return active;
  }

  async #decode(demands: readonly Demand[]): Promise<void> {
    const batches = demands.map(batchOf);
    const batch = batches.flat();
    const hidden = demands.some((demand) => demand.hidden);
    this.#readingLong = batch.length > 64;
    const started = this.#now();
    const status = await this.#native.decode(batch, { hidden });
    this.#readingLong = false;
    if (status !== 0) {
      // Back to what it was before the decode, whatever libllama left behind.
      for (const [index, { branch }] of demands.entries()) this.#pool.undo(branch, batches[index]!);
      await this.#recover(status, demands);
      return;
    }
    this.#decodes++;
    this.#decodedTokens += batch.length;
    const rows = this.#readRows(demands);
    const share = 1 / batch.length;
    const seconds = ((this.#now() - started) / 1000) * share;
    let output = 0;
    for (const demand of demands) {
      const own = rows.slice(output, output + demand.outputs.length);
      const states = demand.hidden ? own.map((_, index) => this.#native.readHidden(output + index)) : [];
      output += own.length;
      this.#take(demand, own, states, { seconds, weightReads: share });
    }
  }

  #readRows(demands: readonly Demand[]): Row[] {
    const requests: RowRequest[] = [];
    for (const demand of demands) requests.push(...rowRequests(demand, requests.length));
    return requests.length === 0 ? [] : this.#native.readRows(requests);
  }

  /** Books what a decode did for one call, and ends the call if it is done. */
  #take(
    demand: Demand,
    rows: readonly Row[],
    hidden: readonly Float32Array[],
    perToken: { readonly seconds: number; readonly weightReads: number },
  ): void {
    const { branch, operation, from, count, entries } = demand;
    branch.cached = Math.min(from + count, branch.tokens.length);
    const draws = operation.kind === "extend" && demand.outputs.length > 0;
    // A pass whose token is not written has only read.
    const writes = draws && !(rows[0]!.finite && operation.progress!.written.pausesAt(rows[0]!.entropy));
    const usage: EngineUsage = {
      prefillTokens: count - (writes ? 1 : 0),
      recomputedTokens: Math.max(0, Math.min(branch.everCached, from + count - (writes ? 1 : 0)) - from),
      decodeTokens: writes ? 1 : 0,
      seconds: perToken.seconds * count,
      weightReads: perToken.weightReads * count,
      passes: count,
      positions: entries
        ? entries.reduce((sum, { position }) => sum + position, 0)
        : count * from + (count * (count - 1)) / 2,
    };
    branch.everCached = Math.max(branch.everCached, branch.cached);
    if (operation.kind === "fork") {
      branch.debt = addUsage(branch.debt, usage);
      return;
    }
    operation.progress!.usage = addUsage(operation.progress!.usage, usage);
    if (rows.some((row) => !row.finite)) {
      this.#failed = new StepwrightError(
        "model-not-finite",
        "the model computed a logit that is not a number",
        {
          remedy:
            "the file is damaged or this hardware computes it wrongly: load it again, or use another file",
        },
      );
      return;
    }
    if (operation.kind === "extend") {
      if (writes) this.#write(branch, operation, rows[0]!, hidden[0]);
      else if (draws) this.#endExtend(branch, operation, "delimiter");
      return;
    }
    if (operation.kind === "tree") {
      if (entries) this.#readTree(branch, operation, entries, rows, hidden);
      return;
    }
    this.#read(branch, operation, demand, rows, hidden);
  }

  #readTree(
    branch: BranchState,
    operation: ReadTree,
    entries: readonly TreeEntry[],
    rows: readonly Row[],
    hidden: readonly Float32Array[],
  ): void {
    takeTreeRows(operation, entries, rows, hidden);
    branch.tree!.pass(entries.length);
    if (!branch.tree!.isRead) return;
    const { usage, rows: read } = operation.progress!;
    this.#finish(branch, () => operation.resolve({ rows: read, usage }));
  }

  #write(branch: BranchState, operation: Extend, row: Row, state: Float32Array | undefined): void {
    const { written, states } = operation.progress!;
    if (state) states.add(state, row.logprob);
    branch.tokens.push(row.token);
    const stop = written.add(row, this.#native.piece(row.token), this.#endTokens.has(row.token));
    if (stop) {
      this.#endExtend(branch, operation, stop);
      return;
    }
    const text = operation.onText ? written.takeUnsent() : "";
    if (text !== "") operation.onText?.(text);
  }

  #read(
    branch: BranchState,
    operation: Append,
    demand: Demand,
    rows: readonly Row[],
    hidden: readonly Float32Array[],
  ): void {
    const { want } = operation;
    const progress = operation.progress!;
    for (const [index, output] of demand.outputs.entries()) {
      const row = rows[index]!;
      const state = hidden[index];
      if (demand.from + output === branch.tokens.length - 1) {
        progress.row = row;
        if (want?.hidden) progress.hidden = state ?? null;
      } else if (want?.logprobs) {
        const logprob = row.tokens.at(-1)!;
        progress.logprobs.push(logprob);
        progress.entropies.push(row.entropy);
        if (state) progress.states.add(state, logprob);
      }
    }
    this.#endAppend(branch, operation);
  }

  // ---- when a decode fails ---------------------------------------------------------------------------------------

  /**
   * 1, no room: idle branches give theirs, then the later half of the calls is paused, then a smaller stretch is
   * tried; one token alone ends its call.
   * 2, aborted: the cancelled calls end, the others are passed again.
   * Negative, failed: each call is tried alone, and the one that fails alone is failed.
   */
  async #recover(status: number, demands: readonly Demand[]): Promise<void> {
    if (status === 2) return;
    if (status === 1) {
      const needed = demands.map((demand) => demand.branch);
      if (this.#pool.evictIdle(needed)) return;
      const later = demands.slice(Math.ceil(demands.length / 2));
      for (const { branch } of later) {
        this.#pool.evict(branch);
      }
      const [first] = demands;
      if (later.length > 0) {
        for (const demand of demands.slice(0, -later.length)) await this.#again(demand);
      } else if (first!.count > 1) await this.#again(first!, Math.floor(first!.count / 2));
      else this.#outOfRoom(first!.branch);
      return;
    }
    if (demands.length === 1) {
      const { branch } = demands[0]!;
      this.#pool.release(branch);
      this.#failHead(
        branch,
        new StepwrightError(
          "decode-failed",
          `the engine could not process this call (llama_decode: ${status})`,
          {
            remedy: "try it again; if it fails again, run `stepwright doctor`",
          },
        ),
      );
      return;
    }
    for (const demand of demands) await this.#again(demand);
  }

  /** Passes one demand by itself, at most `limit` tokens of it. */
  async #again({ branch, operation }: Demand, limit?: number): Promise<void> {
    if (branch.queue[0] !== operation) return;
    const alone = this.#planner.alone(branch, limit);
    if (alone) await this.#decode([alone]);
  }

  /** One call, alone, and still no room: a writer stops where it is, a reader fails. */
  #outOfRoom(branch: BranchState): void {
    const operation = branch.queue[0]!;
    if (operation.kind === "extend") this.#endExtend(branch, operation, "context");
    else this.#failHead(branch, contextExceeded(branch.tokens.length, branch.cached));
  }

  /** A fork has no answer of its own: its child reads the prefix itself at its first call, and fails there. */
  #failHead(branch: BranchState, error: StepwrightError): void {
    const operation = branch.queue[0]!;
    this.#pool.keep(branch, -1);
    this.#finish(branch);
    if (isCall(operation)) operation.reject(error);
    else if (operation.kind === "fork") this.#shareWithChild(branch, operation.child);
  }

  #failAll(error: StepwrightError): void {
    this.#failed = error;
    this.#settle();
  }
}

/** Nothing stands before a branch's first token: its law is not known. */
function behind(start: number, figures: readonly number[]): readonly number[] {
  return start === 0 ? [Number.NaN, ...figures] : figures;
}

function newBranch(id: number, tokens: readonly number[], opened: number, family: number): BranchState {
  return {
    id,
    family,
    tokens: [...tokens],
    cached: 0,
    everCached: 0,
    sequence: -1,
    tree: null,
    opened,
    queue: [],
    lastUsed: 0,
    debt: noEngineUsage,
  };
}

function droppedBranch(): StepwrightError {
  return new StepwrightError("internal", "the branch was dropped before this call");
}

function contextExceeded(length: number, context: number): StepwrightError {
  return new StepwrightError("context-exceeded", `${length} tokens do not fit the context of ${context}`, {
    remedy: "shorten the question, or load the model with a larger --context",
  });
}
