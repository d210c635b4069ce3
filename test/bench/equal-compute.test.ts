/** What plain decoding reaches with a method's FLOPs, and how near a row came to the machine's limits. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { MachineRates } from "../../src/bench/physical-limit.js";
import { summarise } from "../../src/bench/summary.js";
import { csvOf, markdownOf } from "../../src/bench/tables.js";
import { type ModelSize, spanFlops } from "../../src/core/model.js";
import { benchRoles, runBenchWorld } from "../../src/testing/bench-world.js";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "stepwright-equal-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const { draft, target } = benchRoles();
const sizes = { draft: draft.size, target: target.size };

async function world(name: string, { samples = 9, temperature = 1 } = {}) {
  const folder = join(root, name);
  await mkdir(folder, { recursive: true });
  return runBenchWorld(folder, { questions: 24, temperature, baselines: { samples, temperature: 1 } });
}

describe("equal compute", () => {
  test("compares each method with greedy and voted plain decoding of both models", async () => {
    const { plan, results } = await world("sampled", { samples: 4 });
    // Three rows, and for each model one greedy run and four samples.
    expect(results).toHaveLength(24 * (3 + 2 * 5));
    const summary = summarise("sums", plan, results, { sizes });
    expect(summary).toMatchObject({ n: 24, baseline: { samples: 4, temperature: 1 } });
    const rsd = summary.rows.find(({ label }) => label === "rsd")!;
    expect(rsd.equalCompute.map(({ writer, kind }) => `${writer} ${kind}`)).toEqual([
      "draft greedy",
      "draft majority",
      "target greedy",
      "target majority",
    ]);
    const [, voted] = rsd.equalCompute;
    const pool = results.filter(({ method }) => method === "draft, sampled");
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const whole = mean(pool.map(({ ledger }) => ledger.total.flops));
    const prompt = mean(pool.map(({ ledger }) => spanFlops(draft.size, 0, ledger.draft!.read.prompt)));
    const affordable = Math.floor(((1.05 * rsd.flops) / 24 - prompt) / (whole - prompt));
    expect(affordable).toBeGreaterThan(4);
    expect(voted).toMatchObject({ samples: 4, isLimited: true });
    expect(voted!.flopsRatio).toBeLessThan(1);
    expect(voted!.difference!.difference).toBeCloseTo(rsd.accuracy - voted!.accuracy!, 12);
    const markdown = markdownOf(summary);
    expect(markdown).toContain("| rsd | ");
    expect(markdown).toMatch(/% of 4\+: /);
    expect(markdown).toContain("that baseline is a lower bound");
  });

  test("gives no baseline over a twentieth more FLOPs than the method had", async () => {
    const { plan, results } = await world("budget");
    const { rows } = summarise("sums", plan, results, { sizes });
    for (const { equalCompute, label } of rows) {
      for (const { kind, flopsRatio, samples, accuracy, writer } of equalCompute) {
        if (kind === "majority") expect(flopsRatio).toBeLessThanOrEqual(1.05);
        // The draft's row cannot pay for one sample of a target ten times its size.
        if (kind === "majority" && label === "draft" && writer === "target") {
          expect({ samples, accuracy }).toEqual({ samples: 0, accuracy: null });
        }
      }
    }
  });

  test("takes a greedy row for the greedy baseline instead of running it again", async () => {
    const { plan, results } = await world("greedy", { temperature: 0 });
    expect(results.filter(({ method }) => method.endsWith("greedy"))).toEqual([]);
    const { rows } = summarise("sums", plan, results, { sizes });
    const [draftRow, , rsd] = rows;
    expect(rsd!.equalCompute[0]).toMatchObject({ kind: "greedy", accuracy: draftRow!.accuracy });
    // A row is not compared with itself.
    expect(draftRow!.equalCompute.map(({ writer, kind }) => `${writer} ${kind}`)).not.toContain(
      "draft greedy",
    );
  });

  test("is absent where it was not asked for", async () => {
    const { plan, results } = await runBenchWorld(root, { questions: 2 });
    const summary = summarise("sums", plan, results);
    expect(summary.baseline).toBeNull();
    expect(summary.rows.every(({ equalCompute }) => equalCompute.length === 0)).toBe(true);
    expect(markdownOf(summary)).not.toContain("same FLOPs");
  });
});

describe("the machine's limits", () => {
  const size: ModelSize = {
    parameters: 1e6,
    multiplied: 9e5,
    layers: 2,
    attentionWidth: 64,
    vocabulary: 100,
    context: 512,
    bytes: 5e5,
  };
  const rates: MachineRates = {
    bandwidth: 1e9,
    roles: {
      target: { flopsPerSecond: 1e10, writeSeconds: 2e-3, readSeconds: 1e-3, cacheBytesPerToken: 256 },
    },
  };

  test("are shares of bandwidth and multiply rate over the row's seconds", async () => {
    const { plan, results } = await runBenchWorld(await mkdtemp(join(root, "limits-")), {
      questions: 4,
      methods: "target",
    });
    const known = results.map((result) => {
      const spent = result.ledger.target!;
      const tokens = spent.prefillTokens + spent.decodeTokens;
      // Ten tokens read at once and ten written one by one, at mean position 9.5.
      const own = {
        ...spent,
        prefillTokens: 10,
        decodeTokens: 10,
        weightReads: 11,
        flops: 2 * 9e5 * 20 + 4 * 2 * 64 * 190,
      };
      expect(tokens).toBeGreaterThan(0);
      return {
        ...result,
        ledger: { ...result.ledger, target: own, total: { ...result.ledger.total, seconds: 0.1 } },
      };
    });
    const [row] = summarise("sums", plan, known, { sizes: { target: size }, rates }).rows;
    expect(row!.bytesMoved).toBeCloseTo(4 * (11 * 5e5 + 256 * 9.5 * 10), 3);
    expect(row!.memoryFraction).toBeCloseTo(row!.bytesMoved! / (0.4 * 1e9), 9);
    expect(row!.computeFraction).toBeCloseTo((4 * (2 * 9e5 * 20 + 4 * 2 * 64 * 190)) / 1e10 / 0.4, 9);
    expect(row!.expectedSeconds).toBeCloseTo(4 * (10 * 2e-3 + 10 * 1e-3), 9);
  });

  test("are null, and said to be missing, without calibration or counts of passes", async () => {
    const { plan, results } = await runBenchWorld(await mkdtemp(join(root, "limits-")), {
      questions: 2,
      methods: "target",
    });
    const summary = summarise("sums", plan, results, { sizes: { target: size } });
    expect(summary.rows[0]).toMatchObject({ bytesMoved: null, memoryFraction: null, computeFraction: null });
    expect(markdownOf(summary)).toContain("stepwright calibrate was not run");
    expect(csvOf(summary)).toContain("bytes_moved,memory_fraction");
  });
});
