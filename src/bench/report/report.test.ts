import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hostileText, reportWorld } from "../../testing/report-world.js";
import type { BenchRow } from "../row.js";
import { figuresOf } from "./figures.js";
import { htmlOf } from "./html.js";
import { paretoFront } from "./pareto-figure.js";
import { linearScale, logScale } from "./scale.js";
import { harmless } from "./svg.js";
import { sweepsOf } from "./sweep-figure.js";
import { standalone } from "./theme.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "stepwright-report-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const folder = () => mkdtemp(join(root, "bench-"));

describe("a report", () => {
  test("holds a figure for each question that a bench answers", async () => {
    const report = await reportWorld(await folder());
    expect(figuresOf(report).map(({ name }) => name)).toEqual([
      "accuracy-by-flops",
      "accuracy-by-seconds",
      "cost-by-role",
      "sweep-1-rsd-threshold",
      "accuracy-by-samples",
      "reliability-1-rsd-threshold-0-1",
    ]);
    const html = htmlOf(report);
    for (const row of report.summary.rows) expect(html).toContain(row.label);
    expect(html).not.toMatch(/NaN|undefined|Infinity|\[object/);
    expect(html).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);
  });

  test("shows hostile names, questions, answers and writers as text", async () => {
    const report = await reportWorld(await folder(), { hostile: true, questions: 4 });
    for (const markup of [htmlOf(report), ...figuresOf(report).map(({ draw }) => standalone(draw(720)))]) {
      expect(markup).not.toContain("<script");
      expect(markup).not.toContain("<img");
      expect(markup).not.toContain("\u0000");
    }
    expect(htmlOf(report)).toContain(harmless(hostileText));
  });

  test("of one question and one method is a report still", async () => {
    const report = await reportWorld(await folder(), { questions: 1 });
    const one = { ...report, summary: { ...report.summary, rows: report.summary.rows.slice(0, 1) } };
    expect(htmlOf(one)).not.toMatch(/NaN|Infinity/);
    const none = { ...report, results: [], summary: { ...report.summary, n: 0, rows: [] } };
    expect(htmlOf(none)).not.toMatch(/NaN|Infinity/);
  });
});

const row = (accuracy: number, flops: number, more: Partial<BenchRow> = {}) =>
  ({ label: `${accuracy}`, accuracy, flops, options: {}, ...more }) as BenchRow;

test("the front holds what nothing cheaper or equal beats", () => {
  const rows = [row(0.5, 2), row(0.4, 1), row(0.5, 3), row(0.9, 9), row(0.3, 4), row(0.45, 1)];
  const front = paretoFront(rows, { of: ({ flops }) => flops });
  expect(front.map(({ accuracy }) => accuracy)).toEqual([0.45, 0.5, 0.9]);
});

test("a sweep is one numeric option, at least three times, all else equal", () => {
  const named = (label: string, options: Record<string, unknown>) =>
    row(0.5, 1, { label, method: "rsd", options });
  const swept = [3, 1, 2].map((value) =>
    named(`rsd:threshold=${value}`, { threshold: value, weight: "step" }),
  );
  expect(sweepsOf(swept)).toMatchObject([
    { option: "threshold", points: [{ value: 1 }, { value: 2 }, { value: 3 }] },
  ]);
  expect(sweepsOf(swept.slice(0, 2))).toEqual([]);
  expect(sweepsOf(["a", "b", "c"].map((weight) => named(`rsd:weight=${weight}`, { weight })))).toEqual([]);
});

test("scales put their ends at their pixels and ticks between them", () => {
  const linear = linearScale([0, 1], [100, 0], String);
  expect([linear.at(0), linear.at(1)]).toEqual([100, 0]);
  expect(linear.ticks.map(({ value }) => Number(value.toFixed(6)))).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  const log = logScale([1e3, 1e6], [0, 300]);
  expect(log.at(1e4)).toBeCloseTo(100, 9);
  expect(log.ticks.map(({ label }) => label)).toContain("10.0 k");
});
