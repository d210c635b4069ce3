/** What the studio's reader makes of runs: the parts that need no browser. */
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { themeStyle } from "../../src/bench/report/theme.js";
import { targetAlone } from "../../src/cli/target-alone.js";
import type { TraceEvent } from "../../src/core/trace-event.js";
import { sentEvents } from "../../studio/src/reading/event-stream.js";
import { RunTree, treeOf } from "../../studio/src/reading/run-tree.js";
import { supposer } from "../../studio/src/reading/suppose.js";
import { runView, treeView } from "../../studio/src/reading/views.js";
import { visible } from "../../studio/src/words.js";
import { beamTrace, rsdTrace } from "./world.js";

const usage = { prefillTokens: 0, recomputedTokens: 0, decodeTokens: 1, flops: 1, seconds: 0 };

function written(node: string, parent: string): TraceEvent {
  return {
    ...{
      type: "step-written",
      node,
      parent,
      role: "draft",
      origin: "draft",
      text: `${node}\n\n`,
      tokens: [1],
    },
    ...{ vocabulary: "v", logprobs: [-0.1], entropies: [0.2], stop: "delimiter", finish: null, usage },
  } as TraceEvent;
}

const wanted = { from: 0, count: 200, tokens: false };

describe("a run as a tree", () => {
  test("has the answer's steps, and those that were rejected beside them", async () => {
    const events = await rsdTrace();
    const tree = treeOf(events);
    const view = runView(tree, wanted);
    const end = events.findLast((event) => event.type === "run-finished")!;
    expect(
      view.steps
        .map(({ text }) => text)
        .join("")
        .trimEnd(),
    ).toBe(end.text);
    expect(view.steps.flatMap(({ rejected }) => rejected).length).toBe(
      events.filter(({ type }) => type === "step-pruned").length,
    );
    expect(view.steps.some(({ rejected }) => rejected.length > 0)).toBe(true);
    expect(view.ledger.total.flops).toBe(end.ledger.total.flops);
  });

  test("estimates the target alone as the command line does", async () => {
    const events = await rsdTrace();
    const { alone } = runView(treeOf(events), wanted);
    expect(alone).not.toBeNull();
    expect(alone).toEqual(targetAlone(events));
  });

  test("is the same whether text came in pieces or not", async () => {
    const events = await rsdTrace();
    const tree = new RunTree();
    for (const event of events) {
      if (event.type === "step-written") {
        for (const piece of event.text.match(/[\s\S]{1,3}/g) ?? []) {
          tree.take({ type: "text-written", node: event.node, role: event.role, text: piece });
        }
      }
      tree.take(event);
    }
    expect(runView(tree, wanted)).toEqual(runView(treeOf(events), wanted));
  });

  test.each([
    ["a step that hangs from itself", [written("0", "0")]],
    ["a step under one that nobody wrote", [written("0.0", "0")]],
    ["a cycle", [written("0", ""), written("0.0", "0"), written("0", "0.0")]],
    ["a step that is written twice", [written("0", ""), written("0", "")]],
    ["a step at a root", [written("", "")]],
    ["a score of nothing", [{ type: "step-scored", node: "7", value: 1, usage }]],
    [
      "an end at nothing",
      [{ type: "run-finished", node: "9", finish: "stop", text: "", ledger: {}, elapsed: 0 }],
    ],
    ["a root that is none", [{ type: "root-begun", node: "0.1", messages: [] }]],
  ] as [string, TraceEvent[]][])("refuses %s", (_, events) => {
    expect(() => treeOf(events)).toThrow(/writes|hangs|speaks|begins/);
  });

  test("shows a part of a large one, the answer's path in any case", () => {
    const tree = new RunTree();
    const count = 20_000;
    for (let index = 0; index < count; index++) tree.take(written(String(index), ""));
    tree.take(written(`${count - 1}.0`, String(count - 1)));
    tree.take({ type: "step-committed", node: `${count - 1}`, elapsed: 0 });
    tree.take({ type: "step-committed", node: `${count - 1}.0`, elapsed: 0 });
    const view = runView(tree, wanted);
    expect(view.steps).toHaveLength(2);
    expect(view.steps[0]!.rejected.length + view.steps[0]!.more).toBe(count - 1);
    expect(JSON.stringify(view).length).toBeLessThan(20_000);
    const [top] = treeView(tree, null);
    expect(top!.children.length + top!.hidden).toBe(count);
    expect(top!.children.length).toBeLessThan(40);
    expect(top!.children.filter(({ chosen }) => chosen)).toMatchObject([{ children: [{ chosen: true }] }]);
  });

  test("cuts long texts, and says so", () => {
    const tree = new RunTree();
    tree.take({ ...written("0", ""), text: "x".repeat(1_000_000) } as TraceEvent);
    tree.take({ type: "step-committed", node: "0", elapsed: 0 });
    const [step] = runView(tree, wanted).steps;
    expect(step!.text.length).toBeLessThan(21_000);
    expect(step!.text).toContain("cut: 1000000 characters");
  });
});

describe("a recorded run supposed otherwise", () => {
  test("says which decision changes, and that the rest is unknown", async () => {
    const events = await rsdTrace();
    const { suppose, options, schema } = await supposer(events);
    expect(Object.keys((schema.properties ?? {}) as object)).toContain("threshold");
    expect(await suppose(options)).toMatchObject({ same: true, known: true, changed: null, problem: null });
    const lower = await suppose({ ...options, threshold: 0 });
    expect(lower).toMatchObject({ same: false, known: false, changed: { kept: true } });
    expect(lower.text).not.toBe("");
    expect(await suppose({ ...options, threshold: "high" })).toMatchObject({
      problem: expect.stringContaining("threshold"),
    });
  });

  test("works for a search, too", async () => {
    const { suppose, options } = await supposer(await beamTrace());
    expect(await suppose(options)).toMatchObject({ same: true, known: true });
  });
});

test("events are read however the network cuts them", async () => {
  const text = ': ping\n\nid: 1\ndata: {"a":\ndata: 1}\n\nevent: end\r\ndata: ü\r\n\r\ndata: lost';
  const bytes = new TextEncoder().encode(text);
  for (const size of [1, 2, 3, 7, 1000]) {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.slice(at, at + size));
    const found = [];
    for await (const event of sentEvents(ReadableStream.from(pieces) as ReadableStream<Uint8Array>))
      found.push(event);
    expect(found).toEqual([
      { id: "1", event: "message", data: '{"a":\n1}' },
      { id: "1", event: "end", data: "ü" },
    ]);
  }
});

test("characters that would act are shown as what they are", () => {
  expect(visible("a\u001b[31mb\u202ec\u0000\n\t")).toBe("a␛[31mb‹U+202E›c␀\n\t");
});

test("the studio's colours are the bench report's", async () => {
  const css = (await readFile(new URL("../../studio/src/styles/base.css", import.meta.url), "utf8")).replace(
    /\s/g,
    "",
  );
  const rules = [...themeStyle.matchAll(/(--[a-z0-9]+):(#[0-9a-f]+);/g)];
  const [light, dark] = [rules.slice(0, rules.length / 2), rules.slice(rules.length / 2)];
  for (const [index, [, name, onPaper]] of light.entries()) {
    expect(dark[index]![1]).toBe(name);
    expect(css).toContain(`${name}:light-dark(${onPaper},${dark[index]![2]});`);
  }
});
