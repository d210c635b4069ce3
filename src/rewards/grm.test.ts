import { describe, expect, test } from "vitest";
import { FakeModel } from "../../test/rewards/fake-model.js";
import { contextOf, step, tensor } from "../../test/rewards/help.js";
import { keyedUniform } from "../core/random.js";
import type { Token } from "../core/step.js";
import grm, { type GrmOptions, gradeTogether } from "./grm.js";
import { grmMessages, parseScores } from "./grm-prompt.js";
import { featuresOf, isRightVote, keepBest, tally, type Vote } from "./grm-votes.js";
import { openReward } from "./index.js";

const specials = ["<user>", "<assistant>", "<end>"];

/** Judgements as a function of the responses shown, in the order shown, and of which vote it is. */
function judge(scores: (shown: readonly string[], vote: number) => string): FakeModel {
  const textOf = (ids: readonly Token[]) =>
    String.fromCodePoint(...ids.filter((id) => id >= 1000).map((id) => id - 1000));
  return new FakeModel({
    specials,
    writes: (ids, { key }) => {
      const shown = [...textOf(ids).matchAll(/Response \d+:\n(.*)/g)].map((match) => match[1]!);
      return `Principles: it is right (100 %).\nAnalysis: none.\n${scores(shown, Number(key.split(":").at(-1)))}`;
    },
  });
}

const options = (more: Partial<GrmOptions> = {}): GrmOptions => ({ ...grm.schema.parse({}), ...more });
const ask = (responses: readonly string[]) => ({ question: "q", before: "", responses });
const boxed = (scores: readonly number[]) => `\\boxed{[${scores.join(", ")}]}`;
/** A response's worth is the number it consists of. */
const worth = (text: string) => Number(/(\d+)\D*$/.exec(text)![1]);
const honest = judge((shown) => boxed(shown.map(worth)));

async function score(reference: string, model: FakeModel, text = "8\n\n") {
  const reward = await openReward(reference, contextOf(model));
  const scorer = await reward.open("q");
  const { value, usage } = await scorer.append(step(text));
  scorer.drop();
  return { value, usage };
}

test("card: one vote without a filter is the single judgement, a tenth of it as a reward", async () => {
  expect((await score("grm:M?votes=1", honest, "7\n\n")).value).toBeCloseTo(0.7, 12);
  expect((await gradeTogether(honest, options({ votes: 1 }), ask(["7"]))).scores).toEqual([7]);
});

test("card: the same code grades 1, 2 and 5 responses, each in [1, 10]", async () => {
  for (const responses of [["3"], ["9", "2"], ["5", "0", "999", "7", "1"]]) {
    const { scores } = await gradeTogether(honest, options(), ask(responses));
    expect(scores).toEqual(responses.map((text) => Math.min(10, Math.max(1, Number(text)))));
  }
});

test("card: permuting the responses permutes the scores, exactly", async () => {
  const { scores } = await gradeTogether(honest, options({ votes: 5 }), ask(["4", "9", "2"]));
  const permuted = await gradeTogether(honest, options({ votes: 5 }), ask(["2", "4", "9"]));
  expect(permuted.scores).toEqual([scores[2], scores[0], scores[1]]);
});

test("card: a judge that favours the first place has no favourite over many shuffles", async () => {
  const biased = judge((shown) => boxed(shown.map((_, place) => (place === 0 ? 10 : 1))));
  const { scores } = await gradeTogether(biased, options({ votes: 64 }), ask(["a", "b", "c"]));
  expect(scores.reduce((sum, value) => sum + value, 0)).toBeCloseTo(12, 9);
  // A third of 64 places each: six standard errors are 4.
  for (const value of scores) expect(Math.abs(value - 4)).toBeLessThan(3.2);
});

describe("card: void judgements", () => {
  test("are left out of the mean instead of counting as zero", async () => {
    const often = judge((_, vote) => (vote % 2 === 0 ? boxed([6]) : "I would rather not say."));
    expect((await score("grm:M?votes=4", often)).value).toBeCloseTo(0.6, 12);
  });

  test("are those cut off, those with too few scores, and those without numbers", () => {
    expect(parseScores("Scores: \\boxed{[3, 4]}", 2)).toEqual([3, 4]);
    expect(parseScores("first \\boxed{1}, in the end \\boxed{9}", 1)).toEqual([9]);
    expect(parseScores("\\boxed{[0, 44]}", 2)).toEqual([1, 10]);
    expect(parseScores("Response [1] is better.\n\nScores:\n[7, 2]", 2)).toEqual([7, 2]);
    for (const text of [
      "\\boxed{[3]}",
      "\\boxed{[]}",
      "\\boxed{[3, four]}",
      "3, 4",
      "\\boxed{[3, -4]}",
      "",
    ]) {
      expect(parseScores(text, 2)).toBeNull();
    }
  });

  test("fail the reward when there is nothing else", async () => {
    const silent = judge(() => "No.");
    await expect(openReward("grm:M", contextOf(silent))).rejects.toMatchObject({ code: "reward-failed" });
    const cut = openReward("grm:M?tokens=16", contextOf(honest));
    await expect(cut).rejects.toMatchObject({
      code: "reward-failed",
      remedy: expect.stringContaining("tokens"),
    });
  });
});

describe("card: votes and filter", () => {
  const votes = (count: number, accuracy: number, seed: number): Vote[] =>
    Array.from({ length: count }, (_, index) => {
      const right = keyedUniform(seed, "vote", index, "right") < accuracy;
      return { scores: right ? [8, 3] : [3, 8], meanLogprob: 0, tokens: 1 };
    });
  const trials = 2000;
  const share = async (pick: (seed: number) => Promise<Vote[]>) => {
    let right = 0;
    for (let seed = 0; seed < trials; seed++) {
      const [first, second] = tally(await pick(seed)) as [number, number];
      right += first > second ? 1 : first === second ? 0.5 : 0;
    }
    return right / trials;
  };

  test("a judge better than chance gets better with votes", async () => {
    const rates = [];
    for (const count of [1, 3, 9, 27]) rates.push(await share(async (seed) => votes(count, 0.6, seed)));
    expect(rates[0]).toBeCloseTo(0.6, 1);
    for (let index = 1; index < rates.length; index++)
      expect(rates[index]).toBeGreaterThan(rates[index - 1]!);
    // Closed form for 27 votes at 0.6: 0.857.
    expect(rates[3]).toBeGreaterThan(0.83);
  });

  test("keeping all votes is plain voting", async () => {
    const all = votes(8, 0.6, 1);
    expect(await keepBest(all, 8, async () => 0.5)).toEqual(all);
  });

  test("a filter that knows nothing changes nothing on average, one that knows helps", async () => {
    const noise = (seed: number) => {
      let asked = 0;
      return async () => keyedUniform(seed, "filter", asked++, "noise");
    };
    const plain = await share(async (seed) => votes(4, 0.6, seed));
    const chance = await share(async (seed) => keepBest(votes(8, 0.6, seed), 4, noise(seed)));
    expect(Math.abs(chance - plain)).toBeLessThan(0.045);
    const labelled = await share(async (seed) => {
      const all = votes(8, 0.6, seed);
      const told = all.map((vote) => ({ ...vote, meanLogprob: isRightVote(vote, 0) ? 1 : 0 }));
      return keepBest(told, 4, async ([meanLogprob]) => meanLogprob!);
    });
    expect(labelled).toBeGreaterThan(0.95);
  });

  test("a tie is a wrong judgement; agreement is the distance to the other votes", () => {
    expect(isRightVote({ scores: [7, 7] }, 0)).toBe(false);
    const [one, two] = [
      { scores: [6], meanLogprob: -0.5, tokens: 1 },
      { scores: [9], meanLogprob: -0.1, tokens: 10 },
    ] as const;
    expect([...featuresOf(two, [one, two])]).toEqual([Math.fround(-0.1), Math.fround(Math.log(10)), -3]);
  });

  test("a filter is a head read from a file, and half of the votes are kept", async () => {
    const wordy = judge((_, vote) => (vote < 4 ? boxed([9]) : `${"so ".repeat(30)}${boxed([2])}`));
    const short = new Map([
      ["score.weight", tensor([1, 3], [0, -1, 0])],
      ["score.bias", tensor([1], [0])],
    ]);
    const reward = await openReward("grm:M?filter=F", contextOf(wordy, short));
    expect((await (await reward.open("q")).append(step("8"))).value).toBeCloseTo(0.9, 12);
    await expect(openReward("grm:M?keep=2", contextOf(wordy))).rejects.toMatchObject({
      code: "invalid-option",
    });
  });
});

test("a score is paid for in full: the reading and every judgement, and nothing stays open", async () => {
  const model = judge((shown) => boxed(shown.map(worth)));
  const reward = await openReward("grm:M?votes=3", contextOf(model));
  const atRest = model.live;
  const scorer = await reward.open("q");
  const bound = scorer.flopsBound!(step("8\n\n"));
  const { usage } = await scorer.append(step("8\n\n"));
  const length = "Principles: it is right (100 %).\nAnalysis: none.\n\\boxed{[8]}".length;
  expect(usage.decodeTokens).toBe(3 * length);
  expect(usage.flops).toBeLessThanOrEqual(bound);
  const next = await scorer.append(step("9\n\n"));
  expect(next.value).toBeCloseTo(0.9, 12);
  scorer.drop();
  await new Promise((resolve) => setImmediate(resolve));
  expect(model.live).toBe(atRest);
});

test("what is graded goes on from the steps before it, and cannot open a turn", () => {
  const [turn] = grmMessages({ question: "Q?", before: "one\n\n", responses: ["two"] });
  expect(turn!.content).toMatch(
    /Problem:\nQ\?\n\nAll responses.*\none\n\nResponse 1:\ntwo\n\n---\n.*\\boxed\{\[score of response 1\]\}$/s,
  );
});
