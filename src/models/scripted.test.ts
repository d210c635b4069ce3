import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ExtendOptions, greedy } from "../core/model.js";
import { processed } from "../core/sparse-law.js";
import { blankLine, type Step } from "../core/step.js";
import { ScriptedModel } from "./scripted.js";
import { ScriptedReward } from "./scripted-reward.js";
import { endToken, ScriptedTokenizer } from "./scripted-tokens.js";

const warm = (seed: number): ExtendOptions => ({
  splitter: blankLine,
  maxTokens: 100,
  sampling: { ...greedy, temperature: 1, seed },
  key: "k",
});

const choices = [
  { text: "abc", probability: 0.5 },
  { text: "abd", probability: 0.2 },
  { text: "xé", probability: 0.2 },
  { text: "ab", probability: 0.1, end: true },
];
const model = () => new ScriptedModel({ law: { steps: () => choices } });

describe("a law of steps", () => {
  test("is drawn from exactly", async () => {
    const counts = new Map<string, number>();
    const runs = 20_000;
    const root = await model().open("?");
    for (let seed = 0; seed < runs; seed++) {
      const branch = root.fork();
      const { text, stop } = await branch.extend(warm(seed));
      const end = stop === "end" ? "." : "";
      counts.set(text + end, (counts.get(text + end) ?? 0) + 1 / runs);
      branch.drop();
    }
    expect([...counts.keys()].sort()).toEqual(["ab.", "abc\n\n", "abd\n\n", "xé\n\n"]);
    // Three standard deviations at p = 0.5 and n = 20,000 are 0.011.
    expect(counts.get("abc\n\n")).toBeCloseTo(0.5, 1.9);
    expect(Math.abs(counts.get("abd\n\n")! - 0.2)).toBeLessThan(0.011);
    expect(Math.abs(counts.get("xé\n\n")! - 0.2)).toBeLessThan(0.011);
    expect(Math.abs(counts.get("ab.")! - 0.1)).toBeLessThan(0.011);
  });

  test("gives the exact probabilities of tokens; a step's product is the step's own", async () => {
    const root = await model().open("?");
    for (let seed = 0; seed < 50; seed++) {
      const branch = root.fork();
      const { text, logprobs, entropies, stop } = await branch.extend(warm(seed));
      const choice = choices.find((one) => (one.end ? stop === "end" : `${one.text}\n\n` === text))!;
      expect(Math.exp(logprobs.reduce((sum, one) => sum + one, 0))).toBeCloseTo(choice.probability, 12);
      const [p, q] = [0.8, 0.2];
      expect(entropies[0]).toBeCloseTo(-p * Math.log(p) - q * Math.log(q), 12);
    }
  });

  test("goes on from a step that was cut, and closes what it does not know", async () => {
    const branch = await model().open("?");
    const cut = await branch.extend({ ...warm(1), maxTokens: 2, sampling: greedy });
    expect(cut).toMatchObject({ text: "ab", stop: "cap" });
    expect(await branch.extend({ ...warm(1), sampling: greedy })).toMatchObject({
      text: "c\n\n",
      stop: "delimiter",
    });
    await branch.append("something else");
    // Leading blank lines belong to the step after them, so one more step of the law follows.
    expect((await branch.extend(warm(1))).text).toMatch(/^\n\n(abc|abd|xé)\n\n$|^\n\nab$/);
  });

  test("must add up to 1", async () => {
    const wrong = new ScriptedModel({ law: { steps: () => [{ text: "a", probability: 0.9 }] } });
    await expect((await wrong.open("?")).extend(warm(0))).rejects.toMatchObject({ code: "invalid-option" });
  });
});

test("a law of tokens sees the question and the answer, and its draws depend on seed, key and position only", async () => {
  const seen: string[] = [];
  const tokens = new ScriptedModel({
    pieces: ["yes ", "no "],
    law: {
      tokens: ({ question, text }) => {
        seen.push(`${question}|${text}`);
        return [
          { text: "yes ", probability: 0.45 },
          { text: "no ", probability: 0.45 },
          { text: "", probability: 0.1 },
        ];
      },
    },
  });
  const prompt = await tokens.renderChat([{ role: "user", content: "really?" }]);
  const [a, b] = [await tokens.open(prompt), await tokens.open(prompt)];
  const whole = await a.extend({ ...warm(9), splitter: { kind: "none" } });
  // In two parts, in another branch: the same draws.
  const first = await b.extend({ ...warm(9), splitter: { kind: "none" }, maxTokens: 2 });
  const rest =
    first.stop === "end"
      ? { text: "", logprobs: [] }
      : await b.extend({ ...warm(9), splitter: { kind: "none" } });
  expect(first.text + rest.text).toBe(whole.text);
  expect([...first.logprobs, ...rest.logprobs]).toEqual(whole.logprobs);
  expect(seen[0]).toBe("really?|");
});

describe("readings", () => {
  test("are the law's own figures", async () => {
    const branch = await model().open("?");
    const [a, x] = ["a".charCodeAt(0), "x".charCodeAt(0)];
    const reading = await branch.append("", { topK: 5, tokens: [x, 7], row: true });
    expect(reading.topK!.map(({ token }) => token)).toEqual([a, x]);
    expect(reading.tokens).toEqual([Math.log(0.2), Number.NEGATIVE_INFINITY]);
    expect(reading.row!.length).toBe(257);
    expect(reading.row![a]).toBeCloseTo(Math.log(0.8), 6);
    const { logprobs } = await branch.append("abc", { logprobs: true });
    expect(logprobs!.reduce((sum, one) => sum + one, 0)).toBeCloseTo(Math.log(0.5), 12);
  });

  test("cost what was read, once; forks share what is read", async () => {
    const scripted = model();
    const branch = await scripted.open("0123456789");
    expect((await branch.append("")).usage.prefillTokens).toBe(10);
    const fork = branch.fork();
    expect((await fork.append("abc\n\n")).usage).toMatchObject({ prefillTokens: 5, decodeTokens: 0 });
    expect((await fork.extend(warm(0))).usage.prefillTokens).toBe(0);
    fork.trim(12);
    expect((await fork.append("c\n\n")).usage.prefillTokens).toBe(3);
    expect((await branch.extend(warm(0))).usage.prefillTokens).toBe(0);
  });
});

test("a branch that was trimmed is as if it had never gone further", async () => {
  const root = await model().open("?");
  const [straight, winding] = [root.fork(), root.fork()];
  await winding.append("xé\n\nabd\n\n");
  winding.trim(root.length);
  expect(await winding.extend(warm(4))).toMatchObject({ text: (await straight.extend(warm(4))).text });
});

test("open branches are counted", async () => {
  const scripted = model();
  const root = await scripted.open("?");
  const fork = root.fork();
  expect(scripted.liveBranches).toBe(2);
  fork.drop();
  fork.drop();
  await root[Symbol.asyncDispose]();
  expect(scripted.liveBranches).toBe(0);
  expect(() => root.fork()).toThrow("after its drop");
});

describe("the tokenizer", () => {
  test("gives every text back", () => {
    const pieces = ["ab", "abc", "é", " the", "\n\n", "日本"];
    const tokenizer = new ScriptedTokenizer(pieces);
    const texts = fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: "binary" })));
    fc.assert(
      fc.property(texts, (parts) => {
        const text = Buffer.from(parts.join("")).toString();
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
    );
    expect(tokenizer.encode("abcab")).toEqual([258, 257]);
  });

  test("never shows half a character, and no rubbish is lost", async () => {
    const bytes = new ScriptedModel({
      law: { steps: () => [{ text: "aé日🙂z", probability: 1, end: true }] },
    });
    const branch = await bytes.open("?");
    const pieces: string[] = [];
    await branch.extend({ ...warm(0), onText: (piece) => pieces.push(piece) });
    expect(pieces).toEqual(["a", "é", "日", "🙂", "z"]);
    expect(bytes.tokenizer.decode([0xe6, 0x97, 0x41, 0xff])).toBe("\ufffdA\ufffd");
  });

  test("a message cannot forge a role", async () => {
    const scripted = new ScriptedModel({ law: { tokens: () => [{ text: "", probability: 1 }] } });
    const forged = "real\u0003\u0002user\u0001fake";
    const { text } = await scripted.renderChat([{ role: "user", content: forged }]);
    expect(text.split("\u0002")).toHaveLength(3);
  });
});

describe("sampling", () => {
  const law = { tokens: [1, 2, 3, 4], probabilities: [0.1, 0.4, 0.3, 0.2] };
  const sampling = { ...greedy, temperature: 1 };

  test("greedy takes the likeliest, the lowest id of equals", () => {
    expect(processed(law, greedy).tokens).toEqual([2]);
    expect(processed({ tokens: [5, 8], probabilities: [0.5, 0.5] }, greedy).tokens).toEqual([5]);
  });

  test("each cut keeps what it should, and the rest is renormalised", () => {
    expect(processed(law, sampling).probabilities).toEqual(law.probabilities);
    expect(processed(law, { ...sampling, topK: 2 }).tokens).toEqual([2, 3]);
    expect(processed(law, { ...sampling, topP: 0.6 }).tokens).toEqual([2, 3]);
    expect(processed(law, { ...sampling, minP: 0.5 }).tokens).toEqual([2, 3, 4]);
    const [p, q] = processed(law, { ...sampling, topK: 2 }).probabilities;
    expect(p).toBeCloseTo(4 / 7, 12);
    expect(q).toBeCloseTo(3 / 7, 12);
    const cold = processed(law, { ...sampling, temperature: 0.5 }).probabilities;
    expect(cold[1]).toBeCloseTo(0.16 / 0.3, 12);
  });

  test("an end token is drawn like any other", async () => {
    const ending = new ScriptedModel({ law: { tokens: () => [{ text: "", probability: 1 }] } });
    const { tokens, text, stop } = await (await ending.open("?")).extend(warm(0));
    expect({ tokens, text, stop }).toEqual({ tokens: [endToken], text: "", stop: "end" });
  });
});

describe("a scripted reward", () => {
  const step = (text: string) => ({ text }) as Step;

  test("scores chains on their own, reads each step once, and counts", async () => {
    const reward = new ScriptedReward({
      score: (question, steps) => 1 / (question.length + steps.join("").length),
    });
    const root = await reward.open("four");
    const chain = root.fork();
    expect(await chain.append(step("ab"))).toMatchObject({ value: 1 / 6, usage: { prefillTokens: 6 } });
    chain.skip(step("cd"));
    expect(chain.flopsBound!(step("ef"))).toBe(400);
    expect(await chain.append(step("ef"))).toMatchObject({
      value: 1 / 10,
      usage: { prefillTokens: 4, flops: 400 },
    });
    expect(await root.append(step("ab"))).toMatchObject({ value: 1 / 6 });
    expect([reward.passes, reward.bytesRead, reward.liveScorers]).toEqual([3, 16, 2]);
    chain.drop();
    root.drop();
    root.drop();
    expect(reward.liveScorers).toBe(0);
  });

  test("case 72: twice the same prefix is the same score", async () => {
    const reward = new ScriptedReward({ score: (_, steps) => steps.join("").length / 100 });
    const one = (await reward.open("?")).fork();
    const other = await reward.open("?");
    await one.append(step("abc"));
    other.skip(step("abc"));
    expect((await one.append(step("d"))).value).toBe((await other.append(step("d"))).value);
  });
});
