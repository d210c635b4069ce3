import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GrowingStates } from "../../core/growing-states.js";
import { greedy } from "../../core/model.js";
import { type Splitter, type StepStates, stepEnds } from "../../core/step.js";
import type { NativeModel } from "../../native/native-model.js";
import {
  FakeNativeModel,
  fakeEnd,
  fakeGreedy,
  fakeLogprobs,
  fakePiece,
  fakeScores,
  fakeWidth,
} from "./fake-native-model.js";
import type { AppendAnswer, ExtendAnswer, Want } from "./protocol.js";
import { Scheduler, type SchedulerOptions } from "./scheduler.js";

/** Calls as promises, with ids counted up. */
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
    append(branch: number, passage: readonly number[], want: Partial<Want> | null = null) {
      const nothing = { topK: 0, tokens: [], logprobs: false, states: false, hidden: false, row: false };
      const full = want && { ...nothing, ...want };
      return new Promise<AppendAnswer>((resolve, reject) =>
        scheduler.append(branch, { kind: "append", call: ++calls, passage, want: full, resolve, reject }),
      );
    },
    extend(branch: number, maxTokens: number, splitter: Splitter = { kind: "none" }, states = false) {
      return new Promise<ExtendAnswer>((resolve, reject) =>
        scheduler.extend(branch, {
          kind: "extend",
          call: ++calls,
          splitter,
          maxTokens,
          sampling: greedy,
          key: "",
          states,
          onText: null,
          resolve,
          reject,
        }),
      );
    },
  };
}

/** What greedy decoding writes after `tokens`, without any cache. */
function reference(
  tokens: readonly number[],
  maxTokens: number,
  splitter: Splitter = { kind: "none" },
): number[] {
  const written: number[] = [];
  let text = "";
  while (written.length < maxTokens) {
    const token = fakeGreedy([...tokens, ...written]);
    written.push(token);
    text += fakePiece(token);
    if (token === fakeEnd || stepEnds(splitter, text, written.length)) break;
  }
  return written;
}

/** The states over what stands behind `start`, read without any cache. */
function referenceStates(tokens: readonly number[], start: number): StepStates | undefined {
  const growing = new GrowingStates();
  for (let at = start; at < tokens.length; at++) {
    const before = tokens.slice(0, at);
    const state = Float32Array.from(fakeScores(before).slice(0, fakeWidth));
    growing.add(state, fakeLogprobs(before)[tokens[at]!]!);
  }
  return growing.over(tokens.length - start);
}

const prompt = [1, 2, 3, 4, 5, 6, 7];

describe("scheduler", () => {
  it("writes what decoding without a cache writes, and says why it stopped", async () => {
    const { open, extend } = client(new FakeNativeModel());
    const branch = open(prompt);
    const first = await extend(branch, 12);
    expect(first.tokens).toEqual(reference(prompt, 12));
    expect(first.stop).toBe(first.tokens.at(-1) === fakeEnd ? "end" : "cap");
    expect(first.logprobs[0]).toBeCloseTo(Math.max(...fakeLogprobs(prompt)), 6);
    const second = await extend(branch, 5);
    expect(second.tokens).toEqual(reference([...prompt, ...first.tokens], 5));
  });

  it("counts every forward pass once", async () => {
    const { open, fork, append, extend } = client(new FakeNativeModel());
    const branch = open(prompt);
    const written = await extend(branch, 4);
    // The last prompt token's pass writes the first token.
    expect(written.usage).toMatchObject({
      prefillTokens: 6,
      decodeTokens: 4,
      passes: 10,
      recomputedTokens: 0,
    });
    expect(written.usage.positions).toBe((9 * 10) / 2);
    const child = fork(branch);
    const read = await append(child, [9, 9, 9]);
    expect(read.usage).toMatchObject({ prefillTokens: 3, decodeTokens: 0, passes: 3 });
    expect((await extend(child, 2)).usage).toMatchObject({ prefillTokens: 0, decodeTokens: 2 });
    const scored = await append(branch, [8], { topK: 2 });
    expect(scored.usage).toMatchObject({ prefillTokens: 2, passes: 2 });
  });

  it("reads a prefix once for all forks made before it was read", async () => {
    const native = new FakeNativeModel();
    const { open, fork, extend } = client(native);
    const branch = open(prompt);
    const children = [fork(branch), fork(branch), fork(branch)];
    const answers = await Promise.all(children.map((child) => extend(child, 3)));
    for (const answer of answers) expect(answer.tokens).toEqual(reference(prompt, 3));
    expect(answers.map(({ usage }) => usage.prefillTokens)).toEqual([6, 0, 0]);
    // One read of the prefix, then one decode per token for all three.
    expect(native.decodes).toBe(4);
  });

  it("answers readings: top-k, chosen tokens, whole row, the passage's own log-probabilities, hidden state", async () => {
    const { open, append, extend } = client(new FakeNativeModel());
    const branch = open(prompt);
    const passage = [10, 11, 12, 13];
    const law = fakeLogprobs([...prompt, ...passage]);
    const answer = await append(branch, passage, {
      topK: 3,
      tokens: [5, 6],
      row: true,
      logprobs: true,
      hidden: true,
    });
    const best = law.map((_, token) => token).sort((a, b) => law[b]! - law[a]!);
    expect(answer.topK?.map(({ token }) => token)).toEqual(best.slice(0, 3));
    expect(answer.tokens).toEqual([law[5], law[6]]);
    expect([...answer.row!]).toEqual([...Float32Array.from(law)]);
    const own = passage.map((token, index) => fakeLogprobs([...prompt, ...passage.slice(0, index)])[token]!);
    expect(answer.logprobs).toEqual(own);
    const scores = fakeScores([...prompt, ...passage]).slice(0, 8);
    expect([...answer.hidden!]).toEqual([...Float32Array.from(scores)]);
    expect((await extend(branch, 4)).tokens).toEqual(reference([...prompt, ...passage], 4));
  });

  it("gives the log-probabilities of a passage longer than one decode's outputs", async () => {
    const { open, append } = client(new FakeNativeModel({ batchTokens: 64, cells: 512 }));
    const passage = Array.from({ length: 100 }, (_, index) => (index * 7) % 40);
    const own = passage.map((token, index) => fakeLogprobs([...prompt, ...passage.slice(0, index)])[token]!);
    const { logprobs, usage } = await append(open(prompt), passage, { logprobs: true });
    expect(logprobs).toEqual(own);
    expect(usage.passes).toBe(106);
    const fromNothing = await append(open([]), passage, { logprobs: true });
    expect(fromNothing.logprobs?.[0]).toBeNaN();
    expect(fromNothing.logprobs?.slice(1)).toHaveLength(99);
  });

  it("gives states over a passage and over what is written, where each law was read", async () => {
    const { open, fork, append, extend } = client(new FakeNativeModel());
    const branch = open(prompt);
    const plain = await extend(fork(branch), 9);
    const written = await extend(branch, 9, { kind: "none" }, true);
    const text = [...prompt, ...plain.tokens];
    expect(written).toMatchObject({ tokens: plain.tokens, logprobs: plain.logprobs });
    expect(written.states).toEqual(referenceStates(text, prompt.length));
    expect(plain.states).toBeUndefined();

    const reader = open(prompt);
    await append(reader, []);
    const want = { logprobs: true, states: true };
    const read = await append(fork(reader), plain.tokens, want);
    expect(read).toMatchObject({ logprobs: plain.logprobs, entropies: plain.entropies });
    expect(read.states).toEqual(written.states);
    // With more to be read off after the end, and in one call with a whole prompt of its own.
    const more = await append(open(prompt), plain.tokens, { ...want, hidden: true, topK: 1 });
    expect(more.states).toEqual(written.states);
    expect([...more.hidden!]).toEqual([...Float32Array.from(fakeScores(text).slice(0, fakeWidth))]);
    // No law stands before a text's first token, and none is read of no token.
    expect((await append(open([]), prompt, want)).states).toBeUndefined();
    expect((await append(reader, [], want)).states).toBeUndefined();
  });

  it("computes no logits for tokens that are only read, whoever else asks for states", async () => {
    const batches: { outputs: number; tokens: number; hidden: boolean }[] = [];
    const native = new FakeNativeModel({
      ...{ cells: 1024, batchTokens: 512 },
      watch: (batch, hidden) =>
        batches.push({
          ...{ tokens: batch.length, hidden },
          outputs: batch.filter(({ output }) => output).length,
        }),
    });
    const { open, append, extend } = client(native);
    const long = Array.from({ length: 300 }, (_, index) => index % 40);
    const writers = [prompt, [...prompt, 8]];
    const written = writers.map((tokens) => extend(open(tokens), 12, { kind: "none" }, true));
    await Promise.all([...written, append(open(long), long), extend(open(long), 3)]);
    for (const [index, tokens] of writers.entries())
      expect((await written[index])!.tokens).toEqual(reference(tokens, 12));
    // Both writers' tokens, the third's, and nothing of 900 tokens that were read.
    const expected = writers.reduce((sum, tokens) => sum + reference(tokens, 12).length, 0);
    expect(batches.reduce((sum, { outputs }) => sum + outputs, 0)).toBe(expected + reference(long, 3).length);
    for (const { hidden, outputs, tokens } of batches) if (hidden) expect(outputs).toBe(tokens);
  });

  it("lets those who read and those whose states are read take turns, and the latter share decodes", async () => {
    const native = new FakeNativeModel({ cells: 2048, batchTokens: 512 });
    const { open, append, extend } = client(native);
    const writers = [2, 3, 4, 5].map((token) => open([token]));
    await Promise.all(writers.map((branch) => append(branch, [1])));
    const order: string[] = [];
    const read = (length: number) =>
      append(
        open([1]),
        Array.from({ length }, (_, index) => index % 40),
      ).then(() => order.push(`read ${length}`));
    const write = () =>
      writers.map((branch) => extend(branch, 5, { kind: "none" }, true).then(() => order.push("written")));
    const before = native.decodes;
    await Promise.all([read(1280), ...write(), read(100)]);
    expect(order).toEqual(["read 100", "written", "written", "written", "written", "read 1280"]);
    // Stretches of 128 beside writers, and a decode per token for all four writers together.
    expect(native.decodes - before).toBeLessThanOrEqual(1280 / 128 + 5);
  });

  it("leaves the token out of the states that it paused before", async () => {
    const whole = await (({ open, extend }) => extend(open(prompt), 24))(client(new FakeNativeModel()));
    const limit = [...whole.entropies].sort((a, b) => a - b)[18]!;
    const { open, extend } = client(new FakeNativeModel());
    const paused = await extend(open(prompt), 24, { kind: "entropy", limit }, true);
    expect(paused.stop).toBe("delimiter");
    expect(paused.states).toEqual(referenceStates([...prompt, ...paused.tokens], prompt.length));
  });

  it("keeps every branch right over random forks, reads, writes and rollbacks, with too few cells and sequences", async () => {
    const action = fc.record({
      kind: fc.constantFrom("fork", "append", "extend", "trim", "drop"),
      which: fc.nat(1000),
      amount: fc.nat(9),
      together: fc.boolean(),
      states: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { minLength: 20, maxLength: 120 }),
        fc.boolean(),
        async (actions, exact) => {
          const native = new FakeNativeModel({ cells: 96, sequences: 3, batchTokens: 16, separate: exact });
          const { scheduler, open, fork, append, extend } = client(native, {
            ...(exact ? { separate: true, batchTokens: 5 } : {}),
            keptPrompts: 1,
          });
          const branches = new Map<number, number[]>([[open(prompt), [...prompt]]]);
          const pending: Promise<unknown>[] = [];
          for (const { kind, which, amount, together, states } of actions) {
            const [id, tokens] = [...branches][which % branches.size]!;
            if (kind === "fork" && branches.size < 12) branches.set(fork(id), [...tokens]);
            if (kind === "append" && tokens.length < 70) {
              const passage = Array.from({ length: amount }, (_, index) => (which + index) % 40);
              const start = tokens.length;
              tokens.push(...passage);
              const ofStates = states ? referenceStates(tokens, start) : undefined;
              const logprobs = states || which % 2 === 0;
              const before = [...tokens];
              const expected = logprobs
                ? passage.map((token, index) => fakeLogprobs(before.slice(0, start + index))[token]!)
                : undefined;
              const read = append(id, passage, logprobs ? { logprobs, states } : null);
              pending.push(
                read.then((answer) => expect([answer.logprobs, answer.states]).toEqual([expected, ofStates])),
              );
            }
            if (kind === "extend" && tokens.length < 70) {
              const expected = reference(tokens, amount + 1);
              const start = tokens.length;
              tokens.push(...expected);
              const ofStates = states ? referenceStates(tokens, start) : undefined;
              const written = extend(id, amount + 1, { kind: "none" }, states);
              pending.push(
                written.then((answer) =>
                  expect([answer.tokens, answer.states]).toEqual([expected, ofStates]),
                ),
              );
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
            if (!together) await Promise.all(pending.splice(0));
          }
          await Promise.all(pending);
          for (const id of branches.keys()) scheduler.drop(id);
          // Forks that nobody waited for are still served, and their prefixes read.
          for (let turn = 0; turn < 5000 && scheduler.statistics().branches > 0; turn++) {
            await new Promise((resolve) => setImmediate(resolve));
          }
          expect(scheduler.statistics()).toMatchObject({ branches: 0, sequencesInUse: 0 });
          expect(scheduler.statistics().freeCells).toBe(scheduler.statistics().cells);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("agrees with the cache over 100,000 operations on 64 sequences, and leaks nothing (case 59)", async () => {
    const native = new FakeNativeModel({ cells: 4096, sequences: 64, batchTokens: 256 });
    const { scheduler, open, fork, append, extend } = client(native);
    const root = open(prompt);
    await append(root, [1]);
    let state = 12345;
    const random = (n: number) => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return (state >>> 8) % n;
    };
    const branches = new Map<number, number[]>([[root, [...prompt, 1]]]);
    for (let operation = 0; operation < 100_000; operation++) {
      const ids = [...branches.keys()];
      const id = ids[random(ids.length)]!;
      const tokens = branches.get(id)!;
      const kind = random(10);
      if (kind < 4 && ids.length < 64) branches.set(fork(id), [...tokens]);
      else if (kind < 7) {
        const length = Math.max(1, tokens.length - random(3));
        scheduler.trim(id, length);
        tokens.length = length;
      } else if (kind < 9 && id !== root) {
        scheduler.drop(id);
        branches.delete(id);
      } else if (tokens.length < 40) {
        const passage = [random(40), random(40)];
        void append(id, passage);
        tokens.push(...passage);
      }
      if (operation % 500 === 499) await new Promise((resolve) => setImmediate(resolve));
    }
    for (const [id, tokens] of branches) expect((await extend(id, 2)).tokens).toEqual(reference(tokens, 2));
    for (const id of branches.keys()) scheduler.drop(id);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(native.usedCells).toBe(0);
    expect(scheduler.statistics()).toMatchObject({ branches: 0, sequencesInUse: 0, freeCells: 4096 });
  });

  it("pauses the latest of 16 writers when the cache is full, and all still finish (case 58)", async () => {
    const native = new FakeNativeModel({ cells: 80, sequences: 16, batchTokens: 32 });
    const { scheduler, open, extend } = client(native);
    const prompts = Array.from({ length: 16 }, (_, index) => [index, index + 1, index + 2, 3]);
    const answers = await Promise.all(
      prompts.map((tokens, index) => extend(open(tokens), 20, { kind: "none" }, index % 2 === 0)),
    );
    for (const [index, answer] of answers.entries()) {
      const tokens = prompts[index]!;
      const expected = reference(tokens, 20);
      expect(answer.tokens).toEqual(expected);
      const states = index % 2 === 0 ? referenceStates([...tokens, ...expected], tokens.length) : undefined;
      expect(answer.states).toEqual(states);
    }
    expect(scheduler.statistics().evictions).toBeGreaterThan(0);
    expect(answers.reduce((sum, { usage }) => sum + usage.recomputedTokens, 0)).toBeGreaterThan(0);
  });

  it("ends a writer that fills the whole context with `context`, and refuses a passage that does not fit", async () => {
    const { open, append, extend } = client(new FakeNativeModel({ cells: 24, sequences: 2 }));
    const tokens = [0, 1, 2];
    const full = await extend(open(tokens), 100);
    const expected = reference(tokens, 21);
    expect(full.tokens).toEqual(expected);
    expect(full.stop).toBe(expected.at(-1) === fakeEnd ? "end" : "context");
    await expect(append(open(prompt), Array(30).fill(1))).rejects.toMatchObject({ code: "context-exceeded" });
  });

  describe("injected decode results (case 60)", () => {
    const work = async (native: FakeNativeModel) => {
      const { scheduler, open, extend } = client(native);
      const prompts = [0, 10, 20, 30].map((start) => [start, start + 1, start + 2]);
      const answers = await Promise.allSettled(
        prompts.map((tokens) => extend(open(tokens), 8, { kind: "none" }, true)),
      );
      return { scheduler, prompts, answers };
    };

    const answerTo = (prompt: readonly number[]) => {
      const tokens = reference(prompt, 8);
      return { tokens, states: referenceStates([...prompt, ...tokens], prompt.length) };
    };

    it("1, no room: tries a smaller batch", async () => {
      let faults = 0;
      const { prompts, answers } = await work(
        new FakeNativeModel({ fault: (_, batch) => (batch.length > 2 && faults++ < 5 ? 1 : undefined) }),
      );
      expect(faults).toBeGreaterThan(0);
      for (const [index, answer] of answers.entries()) {
        expect(answer).toMatchObject({
          status: "fulfilled",
          value: answerTo(prompts[index]!),
        });
      }
    });

    it("negative: fails the one call whose tokens cannot be decoded, the others go on", async () => {
      const bad = (batch: readonly { token: number; position: number }[]) =>
        batch.some(({ token, position }) => token === 20 && position === 0);
      const { prompts, answers } = await work(
        new FakeNativeModel({ fault: (_, batch) => (bad(batch) ? -1 : undefined) }),
      );
      expect(answers[2]).toMatchObject({ status: "rejected", reason: { code: "decode-failed" } });
      for (const index of [0, 1, 3]) {
        expect(answers[index]).toMatchObject({ value: answerTo(prompts[index]!) });
      }
    });

    it("2, aborted: passes the batch again", async () => {
      const { prompts, answers } = await work(
        new FakeNativeModel({ fault: (decode) => (decode % 3 === 1 ? 2 : undefined) }),
      );
      for (const [index, answer] of answers.entries()) {
        expect(answer).toMatchObject({ value: answerTo(prompts[index]!) });
      }
    });
  });

  it("marks a model failed that computes logits that are not numbers (case 47)", async () => {
    const { open, extend } = client(new FakeNativeModel({ notFinite: (decode) => decode === 2 }));
    const branch = open(prompt);
    await expect(extend(branch, 8)).rejects.toMatchObject({ code: "model-not-finite" });
    await expect(extend(open(prompt), 1)).rejects.toMatchObject({ code: "model-not-finite" });
  });

  it("cuts one call off between decodes, without harm to the others, and says what it had written", async () => {
    let stop: () => void = () => {};
    const native = new FakeNativeModel({ during: (decode) => (decode === 3 ? stop() : undefined) });
    const { scheduler, open, extend, lastCall } = client(native);
    const cancelled = open(prompt);
    const first = extend(cancelled, 50, { kind: "none" }, true);
    const call = lastCall();
    const other = [5, 5, 5];
    const second = extend(open(other), 8);
    stop = () => scheduler.cancel(call);
    const cut = await first;
    expect(cut).toMatchObject({ stop: "cut", usage: { decodeTokens: cut.tokens.length } });
    expect(cut.tokens).toEqual(reference(prompt, 50).slice(0, cut.tokens.length));
    expect(cut.states).toEqual(referenceStates([...prompt, ...cut.tokens], prompt.length));
    expect((await second).tokens).toEqual(reference(other, 8));
    const whole = [...cut.tokens, ...(await extend(cancelled, 3)).tokens];
    expect(whole).toEqual(reference(prompt, whole.length));
  });

  it("aborts a long read in the middle of its decode", async () => {
    let stop: () => void = () => {};
    const native = new FakeNativeModel({
      cells: 1024,
      batchTokens: 512,
      during: (decode) => (decode === 0 ? stop() : undefined),
    });
    const { scheduler, open, append, lastCall } = client(native);
    const passage = Array.from({ length: 400 }, (_, index) => index % 40);
    const read = append(open([1]), passage);
    const call = lastCall();
    stop = () => scheduler.cancel(call);
    await expect(read).rejects.toMatchObject({ code: "aborted" });
    expect(native.decodes).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 1));
    expect(native.usedCells).toBeLessThan(2);
  });

  it("pauses before an uncertain token, has written what it would have written, and pays for each pass once", async () => {
    const whole = await (({ open, extend }) => extend(open(prompt), 24))(client(new FakeNativeModel()));
    const limit = [...whole.entropies].sort((a, b) => a - b)[18]!;
    const { open, extend } = client(new FakeNativeModel());
    const branch = open(prompt);
    const parts: ExtendAnswer[] = [];
    const written = () => parts.flatMap(({ tokens }) => tokens);
    while (written().length < whole.tokens.length) {
      parts.push(await extend(branch, whole.tokens.length - written().length, { kind: "entropy", limit }));
    }
    expect(written()).toEqual(whole.tokens);
    const entropies = parts.flatMap((part) => part.entropies.slice(1));
    for (const entropy of entropies) expect(entropy).toBeLessThan(limit);
    for (const part of parts.slice(1)) expect(part.entropies[0]).toBeGreaterThanOrEqual(limit);
    expect(parts.length).toBeGreaterThan(2);
    expect(parts.reduce((sum, { usage }) => sum + usage.decodeTokens, 0)).toBe(whole.tokens.length);
    // A pass whose token was not written has read its own token for the law after it.
    expect(parts.slice(0, -1).every(({ stop }) => stop === "delimiter")).toBe(true);
    const read = parts.reduce((sum, { usage }) => sum + usage.prefillTokens, 0);
    expect(read).toBe(prompt.length - 1 + parts.filter(({ stop }) => stop === "delimiter").length);
  });

  it("coalesces the calls of one turn into shared decodes", async () => {
    const native = new FakeNativeModel({ cells: 1024, sequences: 16, batchTokens: 64 });
    const { open, extend } = client(native);
    await Promise.all(Array.from({ length: 16 }, (_, index) => extend(open([index]), 4)));
    expect(native.largestBatch).toBe(16);
    expect(native.decodes).toBe(4);
  });

  it("keeps to a smaller batch where it is told to, with a cache per sequence", async () => {
    const native = new FakeNativeModel({ separate: true, sequences: 4 });
    const { open, extend } = client(native, { separate: true, batchTokens: 1 });
    const branches = [open(prompt), open([4, 4, 4])];
    const answers = await Promise.all(branches.map((branch) => extend(branch, 5)));
    expect(answers.map(({ tokens }) => tokens)).toEqual([reference(prompt, 5), reference([4, 4, 4], 5)]);
    expect(native.largestBatch).toBe(1);
  });

  it("shares nothing between questions where no prompts are kept, live ones included", async () => {
    const { open, extend } = client(new FakeNativeModel(), { keptPrompts: 0 });
    await extend(open(prompt), 3);
    const other = await extend(open([...prompt, 9, 9]), 2);
    expect(other.tokens).toEqual(reference([...prompt, 9, 9], 2));
    expect(other.usage.prefillTokens).toBe(prompt.length + 1);
  });

  it("shares a dropped question's prompt with the next one that starts the same", async () => {
    const { scheduler, open, extend } = client(new FakeNativeModel(), { keptPrompts: 2 });
    const branch = open(prompt);
    await extend(branch, 3);
    scheduler.drop(branch);
    const again = await extend(open([...prompt, 9, 9]), 2);
    expect(again.tokens).toEqual(reference([...prompt, 9, 9], 2));
    expect(again.usage).toMatchObject({ prefillTokens: 1, decodeTokens: 2 });
    expect(scheduler.statistics().branches).toBe(1);
  });
});
