import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Output } from "../../src/cli/host.js";
import { createView } from "../../src/cli/live-view.js";
import { styleFor } from "../../src/cli/style.js";
import { columnsOf } from "../../src/cli/terminal-text.js";
import { noUsage } from "../../src/core/model.js";
import type { RunEvent } from "../../src/core/trace-event.js";
import { Screen } from "./screen.js";

function watch(columns: number, rows = 24) {
  const screen = new Screen(columns);
  const output: Output = { write: (text) => screen.write(text), isTerminal: true, columns, rows };
  return { screen, view: createView(output, styleFor(output, {}), true) };
}

function piece(node: string, role: "draft" | "target", text: string): RunEvent {
  return { type: "text-written", node, role, text };
}

function written(node: string, role: "draft" | "target", text: string): RunEvent {
  const parent = node.split(".").slice(0, -1).join(".");
  return {
    ...{ type: "step-written", node, parent, role, origin: role, text },
    ...{
      tokens: [],
      vocabulary: "v",
      logprobs: [],
      entropies: [],
      stop: "delimiter",
      finish: null,
      usage: noUsage,
    },
  };
}

const scored = (node: string, value: number): RunEvent => ({
  type: "step-scored",
  node,
  value,
  usage: noUsage,
});
const pruned = (node: string): RunEvent => ({ type: "step-pruned", node, role: "draft", tokens: 1 });
const committed = (node: string): RunEvent => ({ type: "step-committed", node, elapsed: 0 });
const frame = () => sleep(50);

describe("the live view", () => {
  it("shows text as it is written, folds a rejected step away, and keeps what was decided", async () => {
    const { screen, view } = watch(60);
    view.take(piece("0", "draft", "7 * 12 "));
    await frame();
    expect(screen.lines).toEqual(["  1 draft        ┆ 7 * 12"]);
    view.take(piece("0", "draft", "= 85\n\n"));
    view.take(written("0", "draft", "7 * 12 = 85\n\n"));
    view.take(scored("0", 0.125));
    await frame();
    expect(screen.lines).toEqual(["  1 draft   0.13 ┆ 7 * 12 = 85"]);
    view.take(pruned("0"));
    view.take(piece("1", "target", "7 * 12 = 84"));
    await frame();
    expect(screen.lines).toEqual(["  1 draft   0.13 ✗ 7 * 12 = 85", "  1 target       ┆ 7 * 12 = 84"]);
    view.take(written("1", "target", "7 * 12 = 84\n\n"));
    view.take(committed("1"));
    view.close();
    expect(screen.lines).toEqual(["  1 draft   0.13 ✗ 7 * 12 = 85", "  1 target       │ 7 * 12 = 84"]);
  });

  it("takes provisional text off the screen when the run is cut", async () => {
    const { screen, view } = watch(60);
    view.take(piece("0", "draft", "begun"));
    await frame();
    view.close();
    expect(screen.lines).toEqual([]);
  });

  it("shows the end of a long step within the screen, and all of it once it is decided", async () => {
    const { screen, view } = watch(40, 10);
    const text = Array.from({ length: 60 }, (_, index) => `word${index}`).join(" ");
    view.take(piece("0", "draft", text));
    await frame();
    expect(screen.lines).toHaveLength(6);
    expect(screen.lines[0]).toContain("  1 draft        …");
    expect(screen.lines.at(-1)).toContain("word59");
    view.take(written("0", "draft", text));
    view.take(committed("0"));
    view.close();
    const shown = screen.lines
      .map((line) => line.slice(19))
      .join(" ")
      .split(/\s+/);
    expect(shown).toEqual(text.split(" "));
  });

  it("never lets several undecided steps fill the screen", async () => {
    const { screen, view } = watch(40, 10);
    for (let child = 0; child < 12; child++)
      view.take(piece(String(child), "draft", `step ${child}\n`.repeat(9)));
    await frame();
    expect(screen.lines.length).toBeLessThanOrEqual(8);
    view.close();
    expect(screen.lines).toEqual([]);
  });

  it("obeys no escape codes of the model", async () => {
    const { screen, view } = watch(60);
    view.take(written("0", "draft", "a\x1b[2Jb\rc\u202ed"));
    view.take(committed("0"));
    view.close();
    expect(screen.lines).toEqual(["  1 draft        │ a␛[2Jb␍c<U+202E>d"]);
  });

  it("leaves exactly the decided steps, whatever the texts and widths", () => {
    const text = fc.string({
      unit: fc.constantFrom("a", "b", " ", "\n", "数", "🍞", "é", "\x1b"),
      minLength: 1,
      maxLength: 80,
    });
    fc.assert(
      fc.property(fc.array(text, { maxLength: 8 }), fc.integer({ min: 30, max: 120 }), (texts, columns) => {
        const { screen, view } = watch(columns);
        let parent = "";
        for (const step of texts) {
          const rejected = parent === "" ? "0" : `${parent}.0`;
          const kept = parent === "" ? "1" : `${parent}.1`;
          for (const character of step) view.take(piece(rejected, "draft", character));
          view.take(written(rejected, "draft", step));
          view.take(pruned(rejected));
          view.take(written(kept, "target", step));
          view.take(committed(kept));
          parent = kept;
        }
        view.close();
        const numbers = screen.lines.filter((line) => /^ {2}\d/.test(line)).map((line) => line.slice(2, 11));
        expect(numbers).toEqual(
          texts.flatMap((_, index) => [`${index + 1} draft  `, `${index + 1} target `]),
        );
        for (const line of screen.lines) expect(columnsOf(line)).toBeLessThanOrEqual(columns);
      }),
      { numRuns: 60 },
    );
  });
});
