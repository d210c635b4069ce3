import { describe, expect, it } from "vitest";
import { noUsage } from "../core/model.js";
import type { RunEvent } from "../core/trace-event.js";
import { StepBoard } from "./step-board.js";

function written(node: string, role: "draft" | "target", text: string): RunEvent {
  return {
    type: "step-written",
    node,
    parent: node.split(".").slice(0, -1).join("."),
    role,
    origin: role,
    text,
    tokens: [],
    vocabulary: "v",
    logprobs: [],
    entropies: [],
    stop: "delimiter",
    finish: null,
    usage: noUsage,
  };
}

describe("step board", () => {
  it("follows a rejected draft, its rewrite and the end of the run", () => {
    const board = new StepBoard();
    const kinds = (event: RunEvent) =>
      board
        .take(event)
        .map((change) =>
          "step" in change ? `${change.kind} ${change.step.origin} ${change.step.number}` : change.kind,
        );

    expect(kinds({ type: "text-written", node: "0", role: "draft", text: "a" })).toEqual(["provisional"]);
    expect(kinds({ type: "text-written", node: "0", role: "draft", text: "b" })).toEqual(["provisional"]);
    expect(board.provisional).toMatchObject([{ text: "ab", reward: null }]);
    expect(kinds(written("0", "draft", "ab\n\n"))).toEqual(["provisional"]);
    expect(kinds({ type: "step-scored", node: "0", value: 0.1, usage: noUsage })).toEqual(["provisional"]);
    expect(kinds({ type: "step-pruned", node: "0", role: "draft", tokens: 2 })).toEqual(["rejected draft 1"]);
    expect(board.provisional).toEqual([]);
    expect(kinds(written("1", "target", "c\n\n"))).toEqual(["provisional"]);
    expect(kinds({ type: "step-committed", node: "1", elapsed: 0 })).toEqual(["settled target 1"]);
    expect(kinds(written("1.0", "draft", "d"))).toEqual(["provisional"]);
    const ledger = { total: { flops: 0, generatedFlops: 0, seconds: 0 } };
    expect(
      kinds({ type: "run-finished", finish: "stop", node: "1.0", text: "c\n\nd", ledger, elapsed: 0 }),
    ).toEqual(["settled draft 2"]);
  });

  it("settles all steps above a committed one, in their order", () => {
    const board = new StepBoard();
    board.take(written("0", "draft", "a"));
    board.take(written("0.1", "draft", "b"));
    board.take(written("0.1.0", "draft", "c"));
    const changes = board.take({ type: "step-committed", node: "0.1.0", elapsed: 0 });
    expect(changes.map((change) => "step" in change && change.step.text)).toEqual(["a", "b", "c"]);
  });

  it("numbers the steps of another conversation from 1, and leaves out what is only quoted there", () => {
    const board = new StepBoard();
    const quoted = written("~1.0", "target", "a step to grade");
    expect(board.take(quoted)).toEqual([]);
    board.take({
      ...written("~2.0", "draft", "second attempt"),
      usage: { ...noUsage, decodeTokens: 2 },
    } as RunEvent);
    expect(board.provisional).toMatchObject([{ number: 1, text: "second attempt" }]);
    expect(board.take({ type: "step-pruned", node: "~1.0", role: "target", tokens: 0 })).toEqual([]);
  });

  it("says what follows from a failed reward", () => {
    const changes = new StepBoard().take({
      type: "reward-failed",
      node: "0",
      policy: "target-only",
      error: { code: "reward-failed", message: "not a number" },
    });
    expect(changes).toEqual([
      { kind: "notice", text: "the reward failed (not a number): the target writes the step" },
    ]);
  });
});
