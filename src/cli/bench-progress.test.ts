import { expect, test } from "vitest";
import type { BenchResult } from "../bench/result.js";
import { createBenchProgress } from "./bench-progress.js";
import type { Output } from "./host.js";

function outputOf(isTerminal: boolean, columns = 80): { output: Output; text(): string } {
  let text = "";
  const write = (piece: string) => {
    text += piece;
  };
  return { output: { write, isTerminal, columns, rows: 24 }, text: () => text };
}

const result = (question: string, method: string, correct: boolean, seed = 0): BenchResult => ({
  ...{ question, method, seed, runSeed: 1, finish: "stop", text: "", answer: "", correct, strict: correct },
  steps: [],
  candidates: { seen: 1, right: 0 },
  ledger: { total: { flops: 1, generatedFlops: 1, seconds: 1 } },
});

test("writes a line for every question where nobody watches", () => {
  const { output, text } = outputOf(false);
  const earlier = [result("a", "draft", true), result("a", "target", true)];
  {
    using progress = createBenchProgress(output, { runs: 6, earlier, runsPerQuestion: 2 });
    progress.take(result("b", "target", true));
    progress.take(result("b", "draft", false));
    progress.take(result("c", "draft", false));
    progress.take(result("c", "target", true));
  }
  const lines = text().split("\n");
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^4\/6 · \d+ s left · 0 tokens · draft 50% \(9-91\) · target 100% \(34-100\)$/);
  expect(lines[1]).toMatch(/^6\/6 · 0 tokens · draft 33% /);
});

test("counts a question once, whatever its seeds", () => {
  const { output, text } = outputOf(false);
  const earlier = [0, 1, 2].map((seed) => result("a", "draft", true, seed));
  using progress = createBenchProgress(output, { runs: 4, earlier, runsPerQuestion: 4 });
  progress.take(result("a", "draft", true, 3));
  expect(text()).toContain("4/4 · 0 tokens · draft 100% (21-100)");
});

test("draws one line anew on a terminal, no wider than it", () => {
  const { output, text } = outputOf(true, 30);
  {
    using progress = createBenchProgress(output, { runs: 2, earlier: [], runsPerQuestion: 1 });
    progress.take(result("a", "draft", true));
    progress.take(result("b", "draft", true));
  }
  const frames = text().split("\r\x1b[K").slice(1);
  expect(frames.length).toBeGreaterThan(0);
  expect(frames.at(-1)).toMatch(/^2\/2 · 0 tokens · draft/);
  for (const frame of frames) expect(frame.trimEnd().length).toBeLessThan(30);
  expect(text().endsWith("\n")).toBe(true);
});

test("names what failed at once, on a line of its own", () => {
  const error = { code: "decode-failed", message: "no \u001b[31mluck" } as const;
  const failed = { ...result("b", "draft", false), finish: "failed", error } as const;
  for (const isTerminal of [false, true]) {
    const { output, text } = outputOf(isTerminal);
    {
      using progress = createBenchProgress(output, { runs: 3, earlier: [], runsPerQuestion: 1 });
      progress.take(result("a", "draft", true));
      progress.take(failed);
      progress.take(result("c", "draft", true));
    }
    const lines = text().split("\n");
    const line = lines.find((found) => found.includes("failed: question b, draft, seed 0: no "));
    expect(line).toBeDefined();
    expect(line).not.toContain("\u001b[31m");
    expect(lines.at(-2)).toMatch(/3\/3 · 0 tokens · draft/);
  }
});
