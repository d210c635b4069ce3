import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { greedy, type TreeToken } from "../../core/model.js";
import type { BatchToken, NativeModel } from "../../native/native-model.js";
import {
  FakeNativeModel,
  type FakeOptions,
  fakeGreedy,
  fakeLogprobs,
  fakeScores,
} from "./fake-native-model.js";
import { HeldTree } from "./held-tree.js";
import type { AppendAnswer, ExtendAnswer, TreeAnswer } from "./protocol.js";
import { Scheduler, type SchedulerOptions } from "./scheduler.js";

function client(native: NativeModel, options: SchedulerOptions = {}) {
  const scheduler = new Scheduler(native, { keptPrompts: 0, ...options });
  let calls = 0;
  let branches = 0;
  return {
    scheduler,
    lastCall: () => calls,
    open(tokens: readonly number[]) {
      scheduler.open(++branches, tokens);
      return branches;
    },
    fork(branch: number) {
      scheduler.fork(branch, ++branches);
      return branches;
    },
    readTree(branch: number, nodes: readonly TreeToken[], more: { hidden?: boolean; topK?: number } = {}) {
      return new Promise<TreeAnswer>((resolve, reject) =>
        scheduler.readTree(branch, {
          kind: "tree",
          call: ++calls,
          nodes,
          sampling: greedy,
          key: "",
          ask: [[1, 2], ...nodes.map(({ token }) => [token, 3])],
          topK: 0,
          hidden: false,
          ...more,
          resolve,
          reject,
        }),
      );
    },
    append(branch: number, passage: readonly number[]) {
      return new Promise<AppendAnswer>((resolve, reject) =>
        scheduler.append(branch, { kind: "append", call: ++calls, passage, want: null, resolve, reject }),
      );
    },
    extend(branch: number, maxTokens: number) {
      return new Promise<ExtendAnswer>((resolve, reject) =>
        scheduler.extend(branch, {
          kind: "extend",
          call: ++calls,
          splitter: { kind: "none" },
          maxTokens,
          sampling: greedy,
          key: "",
          states: false,
          onText: null,
          resolve,
          reject,
        }),
      );
    },
  };
}

/** What greedy decoding writes after `tokens`; never the end, with which the fake is sparing. */
function reference(tokens: readonly number[], count: number): number[] {
  const written: number[] = [];
  while (written.length < count) written.push(fakeGreedy([...tokens, ...written]));
  return written;
}

/** Drops are orders that nobody answers: waits until all are served. */
async function forgotten(scheduler: Scheduler): Promise<void> {
  for (let turn = 0; turn < 5000 && scheduler.statistics().branches > 0; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const prompt = [1, 2, 3, 4, 5, 6, 7];

/** Two trunks, the first with three leaves at two depths. */
const bushy: TreeToken[] = [
  { token: 10, parent: -1 },
  { token: 20, parent: -1 },
  { token: 11, parent: 0 },
  { token: 12, parent: 0 },
  { token: 21, parent: 1 },
  { token: 13, parent: 2 },
  { token: 14, parent: 2 },
  { token: 12, parent: 5 },
];
const chain: TreeToken[] = [5, 9, 9, 30, 2].map((token, index) => ({ token, parent: index - 1 }));

function pathOf(tree: readonly TreeToken[], node: number): number[] {
  return node < 0 ? [] : [...pathOf(tree, tree[node]!.parent), tree[node]!.token];
}

/** Each row must be the law after the tokens on the way to it. */
function expectRows(answer: TreeAnswer, tokens: readonly number[], tree: readonly TreeToken[]): void {
  expect(answer.rows).toHaveLength(tree.length + 1);
  for (const [index, row] of answer.rows.entries()) {
    const text = [...tokens, ...pathOf(tree, index - 1)];
    const law = fakeLogprobs(text);
    const asked = index === 0 ? [1, 2] : [tree[index - 1]!.token, 3];
    const best = fakeGreedy(text);
    expect(row.draw).toEqual({ token: best, logprob: law[best] });
    expect(row.logprobs).toEqual(asked.map((token) => law[token]));
    expect(row.probabilities).toEqual(asked.map((token) => (token === best ? 1 : 0)));
    expect(row.outside?.token ?? -1).toBe(asked.includes(best) ? -1 : best);
  }
}

const settings: [string, FakeOptions, SchedulerOptions][] = [
  ["a shared cache", {}, {}],
  ["a cache per sequence", { separate: true }, { separate: true }],
  ["a shared cache, three tokens per pass", {}, { batchTokens: 3 }],
  ["a cache per sequence, one token per pass", { separate: true }, { separate: true, batchTokens: 1 }],
];

describe.each(settings)("trees in %s", (_, fake, options) => {
  const make = () => {
    const native = new FakeNativeModel(fake);
    return { native, ...client(native, options) };
  };

  it.each([
    ["a chain", chain],
    ["a bushy tree", bushy],
    ["one node", chain.slice(0, 1)],
    ["nothing", []],
  ])("reads the law at every node of %s, then writes as if nothing had been", async (_, tree) => {
    const { native, scheduler, open, readTree, extend } = make();
    const branch = open(prompt);
    const answer = await readTree(branch, tree);
    expectRows(answer, prompt, tree);
    const { prefillTokens, decodeTokens, recomputedTokens, passes } = answer.usage;
    expect({ decodeTokens, recomputedTokens, passes }).toEqual({
      decodeTokens: 0,
      recomputedTokens: 0,
      passes: prefillTokens,
    });
    expectRows(await readTree(branch, tree), prompt, tree);
    expect((await extend(branch, 6)).tokens).toEqual(reference(prompt, 6));
    scheduler.drop(branch);
    await forgotten(scheduler);
    expect(native.usedCells).toBe(0);
    expect(scheduler.statistics()).toMatchObject({ sequencesInUse: 0 });
    expect(scheduler.statistics().freeCells).toBe(scheduler.statistics().cells);
  });

  it("keeps any node's path in the cache as it is, and goes on from there", async () => {
    for (const tree of [chain, bushy]) {
      for (let node = -1; node < tree.length; node++) {
        const { native, scheduler, open, readTree, extend, append } = make();
        const branch = open(prompt);
        await readTree(branch, tree);
        scheduler.keep(branch, node);
        const kept = [...prompt, ...pathOf(tree, node)];
        await append(branch, [8]);
        const cells = native.usedCells;
        expect(cells).toBe(kept.length);
        const next = await readTree(branch, tree);
        expectRows(next, [...kept, 8], tree);
        // Nothing of what was kept is passed again: the appended token alone, once per path of its own cache.
        const again = new HeldTree(tree);
        const separate = fake.separate ?? false;
        expect(next.usage.passes).toBe(again.cells(separate) + (separate ? again.paths : 1));
        expect((await extend(branch, 4)).tokens).toEqual(reference([...kept, 8], 4));
      }
    }
  });

  it("gives hidden states and the most probable tokens of every row", async () => {
    const { open, readTree } = make();
    const { rows } = await readTree(open(prompt), bushy, { hidden: true, topK: 2 });
    for (const [index, { hidden, topK }] of rows.entries()) {
      const text = [...prompt, ...pathOf(bushy, index - 1)];
      expect([...hidden!]).toEqual([...Float32Array.from(fakeScores(text).slice(0, 8))]);
      expect(topK![0]!.token).toBe(fakeGreedy(text));
    }
  });

  it("reads the trees of many branches beside each other and beside writers", async () => {
    const { native, open, readTree, extend } = make();
    const prompts = [0, 10, 20, 30].map((start) => [start, start + 1, start + 2]);
    const work = prompts.map(async (tokens, index) => {
      const branch = open(tokens);
      if (index % 2 === 1) expect((await extend(branch, 5)).tokens).toEqual(reference(tokens, 5));
      else
        expectRows(await readTree(branch, index === 0 ? chain : bushy), tokens, index === 0 ? chain : bushy);
    });
    await Promise.all(work);
    // With room in a pass, all four have shared it from the first one on.
    if (!options.batchTokens) expect(native.decodes).toBe(5);
  });
});

describe("trees", () => {
  it("costs one decode, with or without branching", async () => {
    const native = new FakeNativeModel();
    const { scheduler, open, readTree, append } = client(native);
    const branch = open(prompt);
    await readTree(branch, chain);
    expect(native.decodes).toBe(1);
    scheduler.keep(branch, 2);
    await append(branch, [4]);
    await readTree(branch, bushy);
    expect(native.decodes).toBe(2);
    expect(native.usedCells).toBe(prompt.length + 3 + 1 + bushy.length);
  });

  it("lets a fork made after it share the branch alone", async () => {
    const native = new FakeNativeModel();
    const { scheduler, open, fork, readTree, extend } = client(native);
    const branch = open(prompt);
    await readTree(branch, chain);
    const child = fork(branch);
    // Too late: the fork has dropped the tree.
    scheduler.keep(branch, 1);
    expect((await extend(child, 4)).tokens).toEqual(reference(prompt, 4));
    expect((await extend(branch, 4)).tokens).toEqual(reference(prompt, 4));
  });

  it("shares no cells of a tree with a question that starts alike", async () => {
    const native = new FakeNativeModel();
    const { open, readTree, extend } = client(native, { keptPrompts: 2 });
    const branch = open(prompt);
    await readTree(branch, bushy);
    const other = [...prompt, 20, 5];
    expect((await extend(open(other), 3)).tokens).toEqual(reference(other, 3));
  });

  it("keeps a node whose cells were taken for others, and reads its path again", async () => {
    const native = new FakeNativeModel({ cells: 24, sequences: 4 });
    const { scheduler, open, readTree, extend } = client(native);
    const branch = open(prompt);
    await readTree(branch, bushy);
    const other = Array.from({ length: 12 }, (_, index) => index);
    await extend(open(other), 2);
    scheduler.keep(branch, 6);
    const kept = [...prompt, ...pathOf(bushy, 6)];
    expect((await extend(branch, 3)).tokens).toEqual(reference(kept, 3));
    expect(scheduler.statistics().evictions).toBeGreaterThan(0);
  });

  it.each([
    [
      "too deep for the context",
      { cells: 12 },
      chain.concat(chain.map(({ token }, at) => ({ token, parent: at + 4 }))),
      "context-exceeded",
    ],
    ["too wide for the cells", { cells: 12 }, bushy, "context-exceeded"],
    ["too many paths for the sequences", { sequences: 3 }, bushy, "invalid-option"],
  ] as const)("refuses a tree that is %s, and goes on", async (_, fake, tree, code) => {
    const { open, readTree, extend } = client(new FakeNativeModel(fake));
    const branch = open(prompt);
    await expect(readTree(branch, tree)).rejects.toMatchObject({ code });
    expect((await extend(branch, 3)).tokens).toEqual(reference(prompt, 3));
    await expect(readTree(open([]), chain)).rejects.toMatchObject({ code: "invalid-option" });
  });

  it("waits its turn where another tree has the sequences", async () => {
    const native = new FakeNativeModel({ sequences: 5, cells: 256 });
    const { open, readTree } = client(native);
    const prompts = Array.from({ length: 6 }, (_, index) => [index, index + 20, 3]);
    const answers = await Promise.all(prompts.map((tokens) => readTree(open(tokens), bushy)));
    for (const [index, answer] of answers.entries()) expectRows(answer, prompts[index]!, bushy);
  });

  describe("injected decode results (case 60)", () => {
    const work = async (native: FakeNativeModel, options: SchedulerOptions = {}) => {
      const { scheduler, open, readTree, extend } = client(native, options);
      const prompts = [0, 10, 20, 30].map((start) => [start, start + 1, start + 2]);
      const branches = prompts.map((tokens) => open(tokens));
      const read = await Promise.allSettled(branches.map((branch) => readTree(branch, bushy)));
      for (const branch of branches) scheduler.keep(branch, 3);
      const texts = await Promise.allSettled(branches.map((branch) => extend(branch, 4)));
      const kept = prompts.map((tokens) => [...tokens, ...pathOf(bushy, 3)]);
      return { prompts, kept, read, texts };
    };
    const big = (batch: readonly BatchToken[]) => batch.length > 5;

    it.each([{}, { separate: true }])("1, no room: tries a smaller batch (%o)", async (how) => {
      let faults = 0;
      const { prompts, kept, read, texts } = await work(
        new FakeNativeModel({
          ...how,
          sequences: 24,
          fault: (_, batch) => (big(batch) && faults++ < 9 ? 1 : undefined),
        }),
        how,
      );
      expect(faults).toBeGreaterThan(3);
      for (const [index, answer] of read.entries()) {
        expect(answer.status).toBe("fulfilled");
        if (answer.status === "fulfilled") expectRows(answer.value, prompts[index]!, bushy);
        expect(texts[index]).toMatchObject({ value: { tokens: reference(kept[index]!, 4) } });
      }
    });

    it("2, aborted: passes the batch again", async () => {
      const { kept, texts } = await work(
        new FakeNativeModel({ sequences: 24, fault: (decode) => (decode % 2 === 0 ? 2 : undefined) }),
      );
      for (const [index, answer] of texts.entries()) {
        expect(answer).toMatchObject({ value: { tokens: reference(kept[index]!, 4) } });
      }
    });

    it("negative: fails the one call whose tokens cannot be decoded, the others go on", async () => {
      const bad = (batch: readonly BatchToken[]) =>
        batch.some(({ token, position }) => token === 20 && position === 0);
      const { prompts, kept, read, texts } = await work(
        new FakeNativeModel({ sequences: 24, fault: (_, batch) => (bad(batch) ? -1 : undefined) }),
      );
      expect(read[2]).toMatchObject({ status: "rejected", reason: { code: "decode-failed" } });
      for (const index of [0, 1, 3]) {
        const answer = read[index]!;
        if (answer.status === "fulfilled") expectRows(answer.value, prompts[index]!, bushy);
        expect(texts[index]).toMatchObject({ value: { tokens: reference(kept[index]!, 4) } });
      }
    });
  });

  it("fails with a model whose numbers are not finite", async () => {
    const { open, readTree } = client(new FakeNativeModel({ notFinite: () => true }));
    await expect(readTree(open(prompt), chain)).rejects.toMatchObject({ code: "model-not-finite" });
  });

  it("rejects a cancelled reading, and leaves the branch as it was", async () => {
    let stop: () => void = () => {};
    const native = new FakeNativeModel({ during: (decode) => (decode === 2 ? stop() : undefined) });
    const { scheduler, open, readTree, extend, lastCall } = client(native, { batchTokens: 4 });
    const branch = open(prompt);
    const reading = readTree(branch, bushy);
    const call = lastCall();
    stop = () => scheduler.cancel(call);
    await expect(reading).rejects.toMatchObject({ code: "aborted" });
    expect(native.usedCells).toBe(prompt.length);
    expect((await extend(branch, 5)).tokens).toEqual(reference(prompt, 5));
  });

  it("keeps every branch right over thousands of trees, forks, writes and rollbacks, and leaks nothing (case 59)", async () => {
    const action = fc.record({
      kind: fc.constantFrom("fork", "append", "extend", "trim", "drop", "tree", "tree", "tree", "keep"),
      which: fc.nat(1000),
      amount: fc.nat(9),
      together: fc.boolean(),
      parents: fc.array(fc.nat(8), { maxLength: 9 }),
    });
    const fault = (decode: number, batch: readonly BatchToken[]) => {
      if (decode % 5 === 2 && batch.length > 1) return 1;
      return decode % 7 === 3 ? 2 : undefined;
    };
    const worlds = fc.constantFrom<[FakeOptions, SchedulerOptions]>(
      [{ cells: 96, sequences: 4, batchTokens: 16 }, {}],
      [{ cells: 64, sequences: 9, batchTokens: 16 }, { batchTokens: 3 }],
      [{ cells: 80, sequences: 6, batchTokens: 16, fault }, {}],
      [
        { cells: 96, sequences: 4, batchTokens: 16, separate: true },
        { separate: true, batchTokens: 5 },
      ],
    );
    let trees = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { minLength: 20, maxLength: 100 }),
        worlds,
        async (actions, [fake, options]) => {
          const native = new FakeNativeModel(fake);
          const { scheduler, open, fork, append, extend, readTree } = client(native, {
            ...options,
            keptPrompts: 1,
          });
          const branches = new Map<number, number[]>([[open(prompt), [...prompt]]]);
          /** Trees read by the last call on their branch. */
          const held = new Map<number, TreeToken[]>();
          const pending: Promise<unknown>[] = [];
          for (const { kind, which, amount, together, parents } of actions) {
            const [id, tokens] = [...branches][which % branches.size]!;
            if (kind === "fork" && branches.size < 12) branches.set(fork(id), [...tokens]);
            if (kind === "append" && tokens.length < 40) {
              const passage = Array.from({ length: amount }, (_, index) => (which + index) % 40);
              pending.push(append(id, passage));
              tokens.push(...passage);
            }
            if (kind === "extend" && tokens.length < 40) {
              const written = extend(id, amount + 1);
              const before = [...tokens];
              const expected = reference(before, amount + 1);
              const end = expected.indexOf(47);
              if (end >= 0) expected.length = end + 1;
              pending.push(written.then(({ tokens }) => expect(tokens).toEqual(expected)));
              tokens.push(...expected);
            }
            if (kind === "trim") {
              const length = Math.max(1, tokens.length - amount);
              scheduler.trim(id, length);
              tokens.length = Math.min(tokens.length, length);
            }
            if (kind === "drop" && branches.size > 1) {
              scheduler.drop(id);
              branches.delete(id);
            }
            if (kind === "tree" && tokens.length < 50) {
              const nodes = parents.map((parent, index) => ({
                token: (which + 3 * index) % 40,
                parent: Math.min(parent, index) - 1,
              }));
              if (new HeldTree(nodes).paths <= native.info.sequences) {
                trees++;
                const before = [...tokens];
                pending.push(readTree(id, nodes).then((answer) => expectRows(answer, before, nodes)));
                held.set(id, nodes);
                continue;
              }
            }
            if (kind === "keep" && held.has(id)) {
              const tree = held.get(id)!;
              const node = tree.length === 0 ? -1 : (which % (tree.length + 1)) - 1;
              scheduler.keep(id, node);
              tokens.push(...pathOf(tree, node));
            }
            held.delete(id);
            if (!together) await Promise.all(pending.splice(0));
          }
          await Promise.all(pending);
          for (const id of branches.keys()) scheduler.drop(id);
          await forgotten(scheduler);
          expect(scheduler.statistics()).toMatchObject({ branches: 0, sequencesInUse: 0 });
          expect(scheduler.statistics().freeCells).toBe(scheduler.statistics().cells);
        },
      ),
      { numRuns: 130 },
    );
    expect(trees).toBeGreaterThan(1000);
  });
});
