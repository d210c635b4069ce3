/** What a person should see of a run: which steps are being written, which were decided and how. */
import type { RunEvent } from "../core/trace-event.js";

export interface BoardStep {
  readonly node: string;
  readonly origin: string;
  /** 1 for the first step. */
  readonly number: number;
  readonly text: string;
  readonly reward: number | null;
}

export type BoardChange =
  /** Something provisional is different: see `provisional`. */
  | { readonly kind: "provisional" }
  | { readonly kind: "rejected" | "settled"; readonly step: BoardStep }
  | { readonly kind: "notice"; readonly text: string };

type Mutable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

export class StepBoard {
  /** Steps that are not decided yet, in the order in which they were begun. */
  readonly #open = new Map<string, Mutable<BoardStep>>();

  /** Steps that may still be taken back, the ones being written among them. */
  get provisional(): readonly BoardStep[] {
    return [...this.#open.values()];
  }

  take(event: RunEvent): readonly BoardChange[] {
    switch (event.type) {
      case "text-written":
        this.#begin(event.node, event.role).text += event.text;
        return [{ kind: "provisional" }];
      case "step-written": {
        // What a method quotes in another conversation is nobody's step.
        if (isBeside(event.node) && event.usage.decodeTokens === 0) return [];
        const step = this.#begin(event.node, event.role);
        step.origin = event.origin;
        step.text = event.text;
        return [{ kind: "provisional" }];
      }
      case "step-scored": {
        const step = this.#open.get(event.node);
        if (step) step.reward = event.value;
        return step ? [{ kind: "provisional" }] : [];
      }
      case "reward-failed":
        return [{ kind: "notice", text: rewardFailure(event.policy, event.error.message) }];
      case "step-pruned":
        return this.#close([event.node], "rejected");
      case "step-committed":
        return this.#close(pathTo(event.node), "settled");
      case "run-finished":
        return this.#close(pathTo(event.node), "settled");
      default:
        return [];
    }
  }

  #begin(node: string, origin: string): Mutable<BoardStep> {
    let step = this.#open.get(node);
    if (!step) {
      const number = node.split(".").length - (isBeside(node) ? 1 : 0);
      step = { node, origin, number, text: "", reward: null };
      this.#open.set(node, step);
    }
    return step;
  }

  #close(nodes: readonly string[], kind: "rejected" | "settled"): BoardChange[] {
    return nodes.flatMap((node): BoardChange[] => {
      const step = this.#open.get(node);
      this.#open.delete(node);
      return step ? [{ kind, step }] : [];
    });
  }
}

/** True for a node under a prompt that the method began itself: "~1.0". */
function isBeside(node: string): boolean {
  return node.startsWith("~");
}

/** "0.1.0" is below "0.1", that below "0". */
function pathTo(node: string): string[] {
  const parts = node === "" ? [] : node.split(".");
  return parts.map((_, index) => parts.slice(0, index + 1).join("."));
}

function rewardFailure(policy: string, message: string): string {
  const consequence: Readonly<Record<string, string>> = {
    fail: "the run ends",
    accept: "the step is taken unscored",
    "target-only": "the target writes the step",
  };
  return `the reward failed (${message}): ${consequence[policy] ?? policy}`;
}
