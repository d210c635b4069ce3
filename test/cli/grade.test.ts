import { describe, expect, it } from "vitest";
import { run } from "./captured-host.js";

const lines = (...values: unknown[]) =>
  values.map((value) => (typeof value === "string" ? value : JSON.stringify(value))).join("\n");
const parsed = (out: string) =>
  out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("grade", () => {
  it("prints one grade a line, in order", async () => {
    const { code, out } = await run(["grade"], {
      input: lines(
        { prediction: "\\boxed{\\frac12}", reference: "0.5" },
        { prediction: "The answer is (C).", reference: "B", task: "aqua" },
        { prediction: "\\boxed{7}", reference: 7 },
      ),
    });
    expect(code).toBe(0);
    expect(parsed(out)).toEqual([
      { correct: true, strict: true, extracted: "\\frac{1}{2}" },
      { correct: false, strict: false, extracted: "C" },
      { correct: true, strict: true, extracted: "7" },
    ]);
  });

  it("names bad lines by number, grades the rest and fails at the end", async () => {
    const { code, out, talk } = await run(["grade"], {
      input: lines(
        { prediction: "1", reference: "1" },
        "{not json",
        "",
        { prediction: 1, reference: "1" },
        "[]",
        { prediction: "2", reference: "3" },
        { prediction: "def f(): pass", reference: "no tests", task: "human-eval" },
      ),
    });
    expect(code).toBe(1);
    expect(parsed(out)).toMatchObject([
      { correct: true },
      { error: { line: 2, code: "invalid-option" } },
      { error: { line: 4, code: "invalid-option" } },
      { error: { line: 5, code: "invalid-option" } },
      { correct: false },
      { error: { line: 7, code: "task-invalid" } },
    ]);
    expect(talk).toContain("4 lines could not be read.");
  });

  it("takes empty input for no pairs", async () => {
    const { code, out } = await run(["grade"], { input: "" });
    expect({ code, out }).toEqual({ code: 0, out: "" });
  });

  it("refuses operands and unknown flags", async () => {
    expect((await run(["grade", "pairs.jsonl"])).code).toBe(2);
    expect((await run(["grade", "--strict"])).code).toBe(2);
  });

  it("splits lines wherever the text comes in pieces", async () => {
    const input = `${lines({ prediction: "\\boxed{é}", reference: "é" }, { prediction: "1", reference: "2" })}\r\n`;
    const { out } = await run(["grade"], { input });
    expect(parsed(out)).toMatchObject([{ correct: true }, { correct: false }]);
  });
});
