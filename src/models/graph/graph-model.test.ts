import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type TinyFamily, tinyFamilyContent } from "../../testing/tiny-families.js";
import { halfBits, writeGguf } from "../gguf/write.js";
import type { ForwardOptions, ForwardToken } from "./forward.js";
import type { ForwardPlan } from "./forward-plan.js";
import { GraphModel, type GraphModelOptions } from "./graph-model.js";

const folder = mkdtempSync(join(tmpdir(), "stepwright-graph-model-"));
const opened: GraphModel[] = [];
afterAll(() => {
  for (const model of opened) model.close();
  rmSync(folder, { recursive: true });
});

async function open(
  family: TinyFamily = "llama",
  options: Partial<GraphModelOptions> = {},
): Promise<GraphModel> {
  const path = join(folder, `${family}.gguf`);
  await writeGguf(path, tinyFamilyContent(family));
  const model = await GraphModel.open(path, { rows: 256, sequences: 6, ...options });
  opened.push(model);
  return model;
}

const text = (count: number, salt = 0) =>
  Array.from({ length: count }, (_, index) => (index * 37 + 11 + 101 * salt) % 250);

function passage(tokens: readonly number[], sequences: number | number[], from = 0): ForwardToken[] {
  return tokens.map((token, index) => ({
    token,
    position: from + index,
    sequences: [sequences].flat(),
    output: true,
  }));
}

/** Runs a pass; the logits after each of its tokens. */
async function read(
  model: GraphModel,
  batch: readonly ForwardToken[],
  options?: ForwardOptions,
): Promise<Float32Array[]> {
  expect(await model.forward(batch, options)).toBe("done");
  return batch.map((_, output) => model.logits(output).floats.slice());
}

/** Tokens one by one, so that the same kernels compute them whatever comes with them. */
async function readSingly(model: GraphModel, batch: readonly ForwardToken[], options?: ForwardOptions) {
  const rows: Float32Array[] = [];
  for (const token of batch) rows.push(...(await read(model, [token], options)));
  return rows;
}

function expectNear(left: Float32Array, right: Float32Array, tolerance: number): void {
  expect(left.length).toBe(right.length);
  const difference = left.reduce((most, value, index) => Math.max(most, Math.abs(value - right[index]!)), 0);
  expect(difference).toBeLessThan(tolerance);
}

describe("branches and rollback", () => {
  it.each(["llama", "gemma3"] as const)(
    "a rollback in %s leaves no trace, to the last bit",
    async (family) => {
      const model = await open(family);
      const plain = await readSingly(model, passage(text(24), 0));
      model.remove(0, 0);
      await readSingly(model, passage(text(14), 0));
      await readSingly(model, passage(text(6, 5), 0, 14));
      model.remove(0, 14);
      expect(await readSingly(model, passage(text(24).slice(14), 0, 14))).toEqual(plain.slice(14));
      expect(model.freeRows).toBe(model.rows - 24);
    },
  );

  it("sequences share the rows of their common start, and go their own ways", async () => {
    const model = await open();
    const [left, right] = [text(4, 1), text(4, 2)];
    const expected = [];
    for (const end of [left, right]) {
      expected.push((await readSingly(model, passage([...text(10), ...end], 0))).slice(10));
      model.remove(0, 0);
    }
    await readSingly(model, passage(text(10), 0));
    model.share(0, 1);
    expect(model.freeRows).toBe(model.rows - 10);
    for (let index = 0; index < 4; index++) {
      const batch = [left, right].map((end, id) => passage([end[index]!], id, 10 + index)[0]!);
      const rows = await read(model, batch);
      for (const id of [0, 1]) expectNear(rows[id]!, expected[id]![index]!, 1e-5);
    }
    model.remove(0, 0);
    expect(model.freeRows).toBe(model.rows - 14);
    expect(model.positionsOf(1)).toEqual(Array.from({ length: 14 }, (_, index) => index));
  });

  it("reads a tree in one pass as its paths one after the other", async () => {
    const model = await open("qwen3");
    await read(model, passage(text(9), 0));
    for (const leaf of [1, 2, 3]) model.share(0, leaf);
    // 0: root of the tree, shared by all paths; 1: shared by two; then a leaf of each path.
    const tree: ForwardToken[] = [
      { token: 50, position: 9, sequences: [1, 2, 3], output: true },
      { token: 60, position: 10, sequences: [1, 2], output: true },
      { token: 70, position: 10, sequences: [3], output: true },
      { token: 80, position: 11, sequences: [1], output: true },
      { token: 90, position: 11, sequences: [2], output: true },
    ];
    const rows = await read(model, tree);
    const paths = [
      [0, 1, 3],
      [0, 1, 4],
      [0, 2],
    ];
    for (const path of paths) {
      model.share(0, 4);
      const alone = await read(
        model,
        passage(
          path.map((node) => tree[node]!.token),
          4,
          9,
        ),
      );
      for (const [depth, node] of path.entries()) expectNear(rows[node]!, alone[depth]!, 1e-5);
    }
  });

  it("refuses a pass without room, and forgets what it had begun", async () => {
    const model = await open();
    await read(model, passage(text(200), 0));
    expect(await model.forward(passage(text(80), 1))).toBe("full");
    expect(model.freeRows).toBe(model.rows - 200);
    expect(model.positionsOf(1)).toEqual([]);
    await read(model, passage(text(56), 1));
  });

  it("stops a long pass, which leaves nothing behind", async () => {
    const model = await open("gemma3");
    const before = await readSingly(model, passage(text(12), 0));
    const long = model.forward(passage(text(200), 1));
    expect(() => model.remove(0, 0)).toThrow(/while a pass was running/);
    model.abort();
    expect(await long).toBe("aborted");
    expect(model.freeRows).toBe(model.rows - 12);
    model.remove(0, 11);
    expect(await readSingly(model, passage([text(12)[11]!], 0, 11))).toEqual(before.slice(11));
  });

  it("with rows of their own, sequences do not touch each other's bits", async () => {
    const model = await open("llama", { separate: true, sequences: 3, repack: false });
    const alone = await readSingly(model, passage(text(20), 0));
    await readSingly(model, passage(text(150, 3), 2));
    await readSingly(model, passage(text(20), 1).slice(0, 12));
    model.share(1, 0);
    model.remove(1, 0);
    expect(await readSingly(model, passage(text(20).slice(12), 0, 12))).toEqual(alone.slice(12));
  });
});

describe("what heads read", () => {
  it.each(["llama", "gemma3"] as const)(
    "%s with every row selected is dense, to the last bit",
    async (family) => {
      const model = await open(family);
      await read(model, passage(text(20), 0));
      model.share(0, 1);
      model.select(1, () => Array.from({ length: 20 }, (_, index) => index));
      const more = text(5, 4);
      const dense = await readSingly(model, passage(more, 0, 20));
      expect(await readSingly(model, passage(more, 1, 20))).toEqual(dense);
    },
  );

  it("the same rows for all heads are the same as giving up the others", async () => {
    const model = await open();
    const kept = [0, 1, 2, 9, 15, 16, 17, 18, 19];
    await read(model, passage(text(20), 0));
    model.share(0, 1);
    model.keep(0, kept);
    model.select(1, () => kept);
    expect(model.positionsOf(0)).toEqual(kept);
    const more = text(4, 4);
    const cropped = await readSingly(model, passage(more, 0, 20));
    expect(await readSingly(model, passage(more, 1, 20))).toEqual(cropped);
  });

  it("rows of each layer and head are those of the definition, before and after compaction", async () => {
    const model = await open("qwen2");
    const { heads, kvHeads, headSize } = model.config;
    const taps = (["key", "value"] as const).map((point) => ({ point, layer: 1 }));
    await read(model, passage(text(30), 0), { plan: { taps } });
    const [keys, values] = taps.map((tap) => model.tapped(tap).values);
    const chosen = (layer: number, kvHead: number) =>
      Array.from({ length: 30 }, (_, index) => index).filter(
        (index) => (index + layer + 2 * kvHead) % (3 + kvHead) === 0,
      );
    const points = (["query", "key", "value", "heads"] as const).map((point) => ({ point, layer: 1 }));
    const next = passage([77], 1, 30);

    const check = async () => {
      const [row] = await read(model, next, { plan: { taps: points } });
      const [query, key, value, given] = points.map((tap) => model.tapped(tap).values) as Float32Array[];
      const wanted = new Float32Array(heads * headSize);
      for (let head = 0; head < heads; head++) {
        const kvHead = Math.floor((head * kvHeads) / heads);
        // What is chosen, then the new token itself.
        const sources = chosen(1, kvHead).map((index) => ({ k: keys!, v: values!, index }));
        const all = [...sources, { k: key!, v: value!, index: 0 }];
        const at = (source: Float32Array, index: number) =>
          source.subarray((index * kvHeads + kvHead) * headSize, (index * kvHeads + kvHead + 1) * headSize);
        const scores = all.map(
          ({ k, index }) =>
            at(k, index).reduce((sum, number, axis) => sum + number * query![head * headSize + axis]!, 0) /
            Math.sqrt(headSize),
        );
        const weights = scores.map((score) => Math.exp(score - Math.max(...scores)));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        for (const [source, { v, index }] of all.entries()) {
          for (let axis = 0; axis < headSize; axis++)
            wanted[head * headSize + axis]! += (weights[source]! / total) * at(v, index)[axis]!;
        }
      }
      expectNear(given!, wanted, 5e-3);
      model.remove(1, 30);
      return row!;
    };

    model.share(0, 1);
    model.select(1, chosen);
    const before = await check();
    const free = model.freeRows;
    expect(model.compact(1)).toBe(true);
    // Shared rows stay with the other sequence; this one has as many as its longest list.
    expect(model.freeRows).toBe(free - 10);
    expect(await check()).toEqual(before);
    model.remove(0, 0);
    expect(model.freeRows).toBe(model.rows - 10);
    expect(await check()).toEqual(before);
  });

  it("attention rows can be tapped: they sum to one and do not look ahead", async () => {
    const model = await open();
    const tap = { point: "rows", layer: 1 } as const;
    const plain = await read(model, passage(text(12), 0));
    const tapped = await read(model, passage(text(12), 1), { plan: { taps: [tap] } });
    for (const [index, row] of plain.entries()) expectNear(tapped[index]!, row, 5e-3);
    const { shape, values } = model.tapped(tap);
    expect(shape.slice(1, 3)).toEqual([12, 4]);
    for (let head = 0; head < 4; head++) {
      for (let token = 0; token < 12; token++) {
        const row = values.subarray((head * 12 + token) * shape[0], (head * 12 + token + 1) * shape[0]);
        expect(row.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
        // Rows 0 to 11 hold the other sequence, 12 to 23 this one.
        expect(row.subarray(0, 12).some((weight) => weight > 0)).toBe(false);
        expect(row.subarray(12 + token + 1).some((weight) => weight > 0)).toBe(false);
      }
    }
  });
});

describe("refreshing", () => {
  it("the same tokens in place change nothing; others make it the other text", async () => {
    const model = await open("qwen3");
    const plain = await readSingly(model, passage(text(15), 0));
    const again = await readSingly(model, passage(text(15), 0), { refresh: true });
    expect(again).toEqual(plain);
    expect(model.freeRows).toBe(model.rows - 15);

    const changed = text(15).with(6, 99);
    const expected = await readSingly(model, passage(changed, 1));
    model.share(0, 2);
    const refreshed = await readSingly(model, passage(changed.slice(6), 2, 6), { refresh: true });
    expect(refreshed).toEqual(expected.slice(6));
    // The other holder of the shared rows has kept its text.
    model.remove(0, 14);
    expect(await readSingly(model, passage([text(15)[14]!], 0, 14))).toEqual(plain.slice(14));
  });

  it("without room for rows of its own a shared text stays what it was", async () => {
    const model = await open();
    const plain = await readSingly(model, passage(text(130), 0));
    model.share(0, 1);
    const changed = passage(
      text(130).map((token) => (token + 1) % 250),
      1,
    );
    expect(await model.forward(changed, { refresh: true })).toBe("full");
    expect(model.freeRows).toBe(model.rows - 130);
    model.remove(0, 0);
    model.remove(1, 129);
    expect(await readSingly(model, passage([text(130)[129]!], 1, 129))).toEqual(plain.slice(129));
  });

  it("with full sight a token sees what comes after it", async () => {
    const model = await open();
    const [before, after] = [text(8), text(8).with(7, 99)];
    const rows = [];
    for (const [sequence, tokens] of [before, after].entries()) {
      rows.push(await read(model, passage(tokens, sequence)));
      rows.push(await read(model, passage(tokens, sequence), { refresh: true, sight: "full" }));
    }
    const [causal, full, otherCausal, otherFull] = rows;
    expect(otherCausal![0]).toEqual(causal![0]);
    expect(otherFull![0]).not.toEqual(full![0]);
  });
});

describe("hooks", () => {
  it("skip heads: they give zero and the others what they gave", async () => {
    const model = await open();
    const tap = { point: "heads", layer: 0 } as const;
    await read(model, passage(text(6), 0), { plan: { taps: [tap] } });
    const plain = model.tapped(tap).values;
    const skipHeads = [{ layer: 0, head: 2 }];
    await read(model, passage(text(6), 1), { plan: { taps: [tap], skipHeads } });
    // A graph is used again: what is filled once must have stayed.
    await read(model, passage(text(6), 2), { plan: { taps: [tap], skipHeads } });
    const { values, shape } = model.tapped(tap);
    expect(shape.slice(0, 2)).toEqual([64, 6]);
    for (const [index, value] of values.entries()) {
      const head = Math.floor((index % 64) / 16);
      expect(head === 2 ? Math.abs(value) : value).toBe(head === 2 ? 0 : plain[index]);
    }
  });

  it("mask what a head may look at: itself alone gives its own value", async () => {
    const model = await open("qwen3");
    const taps = (["value", "heads"] as const).map((point) => ({ point, layer: 1 }));
    const plain = await read(model, passage(text(6), 0));
    const mask = (layer: number, head: number, position: number, other: number) =>
      layer !== 1 || head !== 3 || position === other;
    const masked = await read(model, passage(text(6), 1), { plan: { taps }, mask });
    const [values, heads] = taps.map((tap) => model.tapped(tap).values);
    for (let token = 0; token < 6; token++) {
      // Head 3 reads the second of two key heads of 16 numbers.
      const own = values!.subarray(token * 32 + 16, token * 32 + 32);
      expectNear(heads!.subarray(token * 64 + 48, token * 64 + 64), own, 2e-3);
    }
    expect(masked[5]).not.toEqual(plain[5]);
    expect(await read(model, passage(text(6), 2), { mask: () => true })).toEqual(plain);
  });

  it("attention of one's own runs over the stored rows: the best key alone, found in the graph", async () => {
    const model = await open("qwen3");
    await read(model, passage(text(20), 0));
    model.share(0, 1);
    const rows = { point: "rows", layer: 1 } as const;
    const heads = { point: "heads", layer: 1 } as const;
    const value = { point: "value", layer: 1 } as const;
    await read(model, passage([7], 0, 20), { plan: { taps: [rows] } });
    const { values: weights, shape } = model.tapped(rows);

    const attention: ForwardPlan["attention"] = {
      key: "best key",
      attend({ context: c, layer, queries, keys, values, mask, scale }) {
        if (layer !== 1) return null;
        const scores = c.softmax(c.matmul(keys, queries), mask, scale); // [rows, 1, heads]
        const best = c.reshape(c.topK(scores, 1), 1, 2, 2); // [1, heads of a key head, key heads]
        const chosen = [0, 1].map((group) => {
          const index = c.contiguous(c.view(best, [1, 2], [best.stride(2)], group * best.stride(1)));
          return c.reshape(c.getRows(values, index), 16, 1, 2); // [headSize, 1, key heads]
        });
        return c.reshape(c.concat(chosen[0]!, chosen[1]!, 1), 64, 1);
      },
    };
    await read(model, passage([7], 1, 20), { plan: { attention, taps: [heads, value] } });
    const given = model.tapped(heads).values;
    const stored = model.memory(1).values;
    for (let head = 0; head < 4; head++) {
      const row = weights.subarray(head * shape[0], (head + 1) * shape[0]);
      const best = row.indexOf(Math.max(...row));
      // Row 20 belongs to the first sequence alone; the second one has the same token in row 21.
      const at = (best === 20 ? 21 : best) * 32 + Math.floor(head / 2) * 16;
      const bits = [...given.subarray(head * 16, (head + 1) * 16)].map(halfBits);
      expect(bits).toEqual([...stored.subarray(at, at + 16)]);
    }
  });

  it("replace: nothing added by the feed-forward parts is the same as skipping them", async () => {
    const model = await open();
    const skipped = await read(model, passage(text(6), 0), { plan: { skipFeedForward: [0, 1] } });
    const replace: ForwardPlan["replace"] = {
      key: "no feed-forward",
      at: (c, point, _layer, tensor) => (point === "feed-forward" ? c.scale(tensor, 0) : tensor),
    };
    expect(await read(model, passage(text(6), 1), { plan: { replace } })).toEqual(skipped);
    expect(await read(model, passage(text(6), 2))).not.toEqual(skipped);
  });

  it("an early exit is the first layers alone", async () => {
    const model = await open("smollm3");
    const tap = { point: "layer-output", layer: 1 } as const;
    await read(model, passage(text(6), 0), { plan: { taps: [tap] } });
    const state = model.tapped(tap).values;
    const exit = await read(model, passage(text(6), 1), { plan: { depth: 2, taps: [tap] } });
    expect(model.tapped(tap).values).toEqual(state);
    const skipped = [2, 3, 4];
    const plan = { skipAttention: skipped, skipFeedForward: skipped };
    expect(await read(model, passage(text(6), 2), { plan })).toEqual(exit);
  });

  it("say where nothing was tapped or asked for", async () => {
    const model = await open();
    await model.forward(passage(text(3), 0).map((token) => ({ ...token, output: false })));
    expect(() => model.logits(0)).toThrow(/output 0 of 0/);
    expect(() => model.tapped({ point: "query", layer: 0 })).toThrow(/no tap/);
    await expect(model.forward([])).rejects.toThrow(/no token/);
    await expect(model.forward(passage([9999], 0))).rejects.toThrow(/not a batch/);
    await expect(model.forward(passage([1], 6))).rejects.toThrow(/not a batch/);
  });
});
