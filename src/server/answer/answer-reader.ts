/** Reads one run's events and says what of them is the answer, as soon as that is sure. */
import { Ledger, type LedgerData } from "../../core/ledger.js";
import type { Method } from "../../core/method.js";
import type { Finish, Role } from "../../core/search.js";
import { isRootId, type RunEvent, type TraceEvent } from "../../core/trace-event.js";
import { ApiError } from "../api-error.js";
import { StopGate } from "./stop-gate.js";

export type WrittenStep = Extract<TraceEvent, { type: "step-written" }>;

/** Of the steps that are not decided for; for clients that ask for them. */
export type Aside =
  | { readonly type: "provisional"; readonly node: string; readonly role: Role; readonly text: string }
  | { readonly type: "reward"; readonly node: string; readonly reward: number }
  | { readonly type: "retracted"; readonly node: string }
  | { readonly type: "accepted"; readonly node: string; readonly origin: string };

export interface AnswerPart {
  /** Final text of the answer. */
  readonly text?: string;
  /** The steps that this text completes: for their tokens. */
  readonly steps?: readonly WrittenStep[];
  readonly aside?: Aside;
}

export interface AnswerEnd {
  readonly finish: Finish;
  /** Of the run, which may have begun for an earlier request. */
  readonly seed: number;
  readonly ledger: LedgerData;
  /** Tokens of the answer's steps, each in its writer's tokens. */
  readonly completionTokens: number;
  /** Of these, the ones that the draft wrote. */
  readonly draftTokens: number;
}

export class AnswerReader {
  readonly #gate: StopGate;
  readonly #tokenwise: boolean;
  readonly #stepwise: boolean;
  readonly #asides: boolean;
  readonly #steps = new Map<string, WrittenStep>();
  /** Live text of steps that are being written. */
  readonly #live = new Map<string, string>();
  /** The answer's text as far as it was handed to the gate. */
  #given = "";
  #seed = 0;
  #cutTokens = 0;
  readonly #decided: WrittenStep[] = [];
  readonly #ledger = new Ledger();
  end: AnswerEnd | undefined;

  constructor(
    { kind, settles = "steps" }: Pick<Method, "kind" | "settles">,
    stops: readonly string[],
    asides: boolean,
  ) {
    this.#gate = new StopGate(stops);
    // With one writer and no choice, what is written is decided.
    this.#tokenwise = kind === "plain";
    this.#stepwise = settles === "steps" && !this.#tokenwise;
    this.#asides = asides;
  }

  /** What there is of a run that came to no end. */
  get soFar(): AnswerEnd {
    return this.end ?? this.#ending("abort", this.#ledger.toJSON(), this.#decided);
  }

  /** Throws an `ApiError` where the events contradict each other. */
  take(event: RunEvent): AnswerPart[] {
    if (event.type !== "text-written") this.#ledger.charge(event);
    switch (event.type) {
      case "run-started":
        this.#seed = event.seed;
        return [];
      case "text-written":
        this.#live.set(event.node, (this.#live.get(event.node) ?? "") + event.text);
        if (this.#tokenwise) return this.#release(event.text, []);
        return this.#aside({ type: "provisional", node: event.node, role: event.role, text: event.text });
      case "step-written": {
        this.#steps.set(event.node, event);
        const live = this.#live.get(event.node) ?? "";
        this.#live.delete(event.node);
        const rest = event.text.slice(live.length);
        if (this.#tokenwise) this.#decided.push(event);
        if (this.#tokenwise) return this.#release(rest, [event]);
        if (rest === "") return [];
        return this.#aside({ type: "provisional", node: event.node, role: event.role, text: rest });
      }
      case "step-cut":
        if (this.#tokenwise) this.#cutTokens += event.usage.decodeTokens;
        return [];
      case "step-scored":
        return this.#aside({ type: "reward", node: event.node, reward: event.value });
      case "step-pruned":
        return this.#aside({ type: "retracted", node: event.node });
      case "step-committed":
        return this.#committed(event.node);
      case "run-finished":
        return this.#finished(event);
      default:
        return [];
    }
  }

  #committed(node: string): AnswerPart[] {
    const step = this.#steps.get(node);
    // What a method decides for in a prompt of its own making is no part of the answer.
    if (!step || node.startsWith("~")) return [];
    if (this.#stepwise) this.#decided.push(step);
    return [
      ...this.#aside({ type: "accepted", node, origin: step.origin }),
      ...(this.#stepwise ? this.#release(step.text, [step]) : []),
    ];
  }

  #finished(event: Extract<RunEvent, { type: "run-finished" }>): AnswerPart[] {
    const path = this.#path(event.node);
    const whole = path.map(({ text }) => text).join("");
    if (!this.#tokenwise && !whole.startsWith(this.#given)) {
      throw new ApiError(500, "answer_changed", "the run took back what it had decided for");
    }
    const given = this.#given.length;
    const parts = this.#release(whole.slice(given), this.#stepwise || this.#tokenwise ? [] : path);
    const rest = this.#gate.end();
    if (rest !== "") parts.push({ text: rest });
    this.end = this.#ending(event.finish, event.ledger, path);
    return parts;
  }

  #ending(finish: Finish, ledger: LedgerData, path: readonly WrittenStep[]): AnswerEnd {
    const count = (steps: readonly WrittenStep[]) =>
      steps.reduce((sum, { tokens }) => sum + tokens.length, 0);
    return {
      finish,
      seed: this.#seed,
      ledger,
      completionTokens: count(path) + this.#cutTokens,
      draftTokens: count(path.filter(({ role }) => role === "draft")),
    };
  }

  #path(last: string): WrittenStep[] {
    const path: WrittenStep[] = [];
    for (let node = last; !isRootId(node); ) {
      const step = this.#steps.get(node);
      if (!step) throw new ApiError(500, "internal_error", "the run's events do not lead to its answer");
      path.unshift(step);
      node = step.parent;
    }
    return path;
  }

  #release(text: string, steps: readonly WrittenStep[]): AnswerPart[] {
    this.#given += text;
    const through = this.#gate.take(text);
    if (through === "" && steps.length === 0) return [];
    return [{ ...(through !== "" && { text: through }), ...(steps.length > 0 && { steps }) }];
  }

  #aside(aside: Aside): AnswerPart[] {
    return this.#asides ? [{ aside }] : [];
  }
}
