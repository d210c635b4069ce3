import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FakeModel } from "../../../test/rewards/fake-model.js";
import { step } from "../../../test/rewards/help.js";
import { type Model, noUsage } from "../../core/model.js";
import type { Step } from "../../core/step.js";
import { openReadings } from "./index.js";
import type { ReaderRole, ReadingChain, ReadingNeeds, StepReadings } from "./readings.js";

const pieces = ["Yes", "No", "\n\n", ..."0123456789"];
const specials = ["<system>", "<user>", "<assistant>", "<end>"];
const fake = (name: string) => new FakeModel({ name, pieces, specials });
const none: ReadingNeeds = { likelihoods: [], typicals: [], states: [], judges: [] };
const all: ReadingNeeds = {
  likelihoods: ["target"],
  typicals: ["target"],
  states: ["draft", "target"],
  judges: ["draft"],
};

async function pair(needs: ReadingNeeds = all) {
  const models = { draft: fake("draft"), target: fake("target") };
  const source = await openReadings(needs, models);
  const atRest = models.draft.live + models.target.live;
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { models, source, atRest, live: () => models.draft.live + models.target.live, settled };
}

/** As a run of the draft would have written it after `before`. */
async function written(model: Model, question: string, before: readonly string[], text: string) {
  const prompt = await model.renderChat([{ role: "user", content: question }]);
  const branch = await model.open(prompt, { special: true });
  const { vocabulary } = model;
  for (const each of before)
    await branch.append({ text: each, tokens: await model.tokenize(each), vocabulary });
  const tokens = await model.tokenize(text);
  const read = await branch.append({ text, tokens, vocabulary }, { logprobs: true, states: true });
  branch.drop();
  return {
    ...{ text, tokens, vocabulary, origin: "draft", stop: "delimiter" as const },
    ...{ logprobs: read.logprobs!, entropies: read.entropies!, states: read.states! },
  } satisfies Step;
}

describe("what is told", () => {
  test("every reading of a step, and what each cost", async () => {
    const { models, source } = await pair();
    expect(source.readsStatesOf).toEqual([models.draft, models.target]);
    const chain = await source.open("Q");
    const { readings, cost } = await chain.append(step("a\n\n"));
    expect(readings).toMatchObject({ index: 0, step: { text: "a\n\n", stop: "delimiter" } });
    expect(readings.likelihoods.target).toHaveLength(2);
    expect(readings.typicals.target).toBeLessThanOrEqual(0);
    expect(readings.states.draft!.mean).toHaveLength(8);
    expect(readings.states.target!.end).not.toEqual(readings.states.draft!.end);
    expect(readings.judges.draft).toBeGreaterThan(0);
    expect(Object.keys(cost.parts).sort()).toEqual(["judge:draft", "likelihood:target", "state:draft"]);
    const total = Object.values(cost.parts).reduce((sum, { prefillTokens }) => sum + prefillTokens, 0);
    expect(cost.usage.prefillTokens).toBe(total);
    chain.drop();
  });

  test("a step that nobody wrote has the draft's figures", async () => {
    const { source, models } = await pair();
    const chain = await source.open("Q");
    const { readings } = await chain.append(step("a\n\n"));
    const expected = await written(models.draft, "Q", [], "a\n\n");
    expect(readings.step.logprobs).toEqual(expected.logprobs);
    expect(readings.step.entropies).toEqual(expected.entropies);
    expect(readings.states.draft).toEqual(expected.states);
    chain.drop();
  });

  test("a model's own step costs nothing of that model, and reads the same", async () => {
    const { source, models } = await pair();
    const [chain, other] = await Promise.all([source.open("Q"), source.open("Q")]);
    const texts = ["a\n\n", "b 1\n\n", "c\n\n"];
    for (const [index, text] of texts.entries()) {
      const own = await written(models.draft, "Q", texts.slice(0, index), text);
      const { readings, cost } = await chain.append(own);
      expect(cost.parts["state:draft"]!.prefillTokens).toBe(0);
      const { states: _, ...bare } = own;
      const again = await other.append(bare);
      expect(again.cost.parts["state:draft"]!.prefillTokens).toBeGreaterThan(0);
      expect(again.readings).toEqual(readings);
    }
    chain.drop();
    other.drop();
  });

  test.each([
    [{ ...none, typicals: ["target"] as const }, "typical:target"],
    [{ ...none, typicals: ["target"] as const, likelihoods: ["target"] as const }, "likelihood:target"],
  ])("one read tells how typical a step is, and is charged once", async (needs, part) => {
    const { source } = await pair(needs);
    const chain = await source.open("Q");
    const { readings, cost } = await chain.append(step("a\n\n"));
    expect(readings.typicals.target).toBeLessThanOrEqual(0);
    expect(Object.keys(cost.parts).filter((name) => name.endsWith(":target"))).toEqual([part]);
    expect(cost.parts[part]!.prefillTokens).toBeGreaterThan(0);
    chain.drop();
  });

  test("what the run reads for itself is not read again, and states that it lacks are", async () => {
    const { source, models } = await pair();
    const chain = await source.open("Q");
    const own = await written(models.draft, "Q", [], "a\n\n");
    const shared = { logprobs: [-1, -2], entropies: [0.5, 1.2], usage: { ...noUsage, prefillTokens: 7 } };
    const read = await chain.append(step("a\n\n"), {
      likelihood: async (model) =>
        model === models.target ? { ...shared, states: own.states } : { ...shared, logprobs: own.logprobs },
    });
    expect(read.readings.likelihoods.target).toEqual([-1, -2]);
    expect(read.readings.typicals.target).toBeCloseTo(-0.8, 12);
    expect(read.cost.parts["likelihood:target"]!.prefillTokens).toBe(7);
    // The draft's had none, so they were read in a context of its own: what it cost comes to what was paid.
    expect(read.readings.states.draft).toEqual(own.states);
    expect(read.cost.parts["state:draft"]!.prefillTokens).toBeGreaterThan(7);
    chain.drop();
  });

  test("what the draft wrote before, read or not, and nothing of what was rewritten", async () => {
    const { source, models } = await pair();
    const steps = await Promise.all(
      ["a\n\n", "b\n\n", "c\n\n"].map((text) => written(models.draft, "Q", [], text)),
    );
    const rewritten = { ...steps[1]!, origin: "target" };
    const chain = await source.open("Q");
    expect((await chain.append(steps[0]!)).readings.earlier).toEqual([]);
    chain.skip(rewritten);
    chain.skip(steps[1]!);
    const figures = [0, 1].map((at) => ({ logprobs: steps[at]!.logprobs, entropies: steps[at]!.entropies }));
    expect((await chain.append(steps[2]!)).readings.earlier).toEqual(figures);
    chain.drop();
  });

  test("the system message stands before the question for readers, and a judge never sees it", async () => {
    const { source } = await pair();
    const [brief, plain] = await Promise.all([source.open("Q", { system: "Be brief." }), source.open("Q")]);
    const [one, other] = await Promise.all(
      [brief, plain].map(async (chain) => (await chain.append(step("a\n\n"))).readings),
    );
    expect(one!.likelihoods).not.toEqual(other!.likelihoods);
    expect(one!.judges).toEqual(other!.judges);
    brief.drop();
    plain.drop();
  });
});

test("incremental equals full, whatever was appended, skipped, forked, failed and dropped in between", async () => {
  const { source, models, atRest, live, settled } = await pair();
  const whole = async (question: string, texts: readonly string[]): Promise<StepReadings> => {
    const fresh = await pair();
    const chain = await fresh.source.open(question);
    for (const text of texts.slice(0, -1)) chain.skip(step(text));
    return (await chain.append(step(texts.at(-1)!))).readings;
  };
  const command = fc.record({
    kind: fc.constantFrom("append", "append", "skip", "fork", "drop", "fail"),
    at: fc.nat(7),
    text: fc.constantFrom("a.\n\n", "b\n\n", "12", "Yes", "\n\nc"),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.string({ maxLength: 6 }),
      fc.array(command, { maxLength: 12 }),
      async (question, commands) => {
        const chains: { chain: ReadingChain; texts: string[] }[] = [
          { chain: await source.open(question), texts: [] },
        ];
        for (const { kind, at, text } of commands) {
          const one = chains[at % chains.length]!;
          if (kind === "fork") chains.push({ chain: one.chain.fork(), texts: [...one.texts] });
          else if (kind === "drop") {
            if (chains.length > 1) chains.splice(chains.indexOf(one), 1)[0]!.chain.drop();
          } else if (kind === "fail") {
            (at % 2 === 0 ? models.draft : models.target).faults.push(new Error("lost"));
            await expect(one.chain.append(step(text))).rejects.toThrow("lost");
          } else {
            one.texts.push(text);
            if (kind === "skip") one.chain.skip(step(text));
            else {
              const { readings } = await one.chain.append(step(text));
              expect(readings).toEqual(await whole(question, one.texts));
            }
          }
        }
        for (const { chain } of chains) chain.drop();
        await settled();
        expect(live()).toBe(atRest);
      },
    ),
    { numRuns: 30 },
  );
  await source[Symbol.asyncDispose]();
  expect(live()).toBe(0);
});

test("appends that overlap are served in order; a fork made meanwhile has them all", async () => {
  const { source } = await pair();
  const chain = await source.open("Q");
  const texts = ["a\n\n", "b\n\n", "c\n\n"];
  const pending = texts.map((text) => chain.append(step(text)));
  const fork = chain.fork();
  const readings = (await Promise.all(pending)).map((each) => each.readings);
  const later = (await fork.append(step("d\n\n"))).readings;
  const slow = await source.open("Q");
  for (const each of readings) expect(each).toEqual((await slow.append(step(each.step.text))).readings);
  expect(later).toEqual((await slow.append(step("d\n\n"))).readings);
  for (const each of [chain, fork, slow]) each.drop();
});

test("the question is read once for all chains of one source", async () => {
  const { source, models } = await pair();
  const base = await source.open("How many?");
  for (let sample = 0; sample < 3; sample++) {
    const chain = base.fork();
    await chain.append(step(`${sample}\n\n`));
    chain.drop();
  }
  const { tokens } = await models.target.renderChat([{ role: "user", content: "How many?" }]);
  // Three steps of two tokens each.
  expect(models.target.charged).toBe(tokens.length + 3 * 2);
  base.drop();
});

test("FLOPs of a step are bounded, and nothing is claimed for what is at hand", async () => {
  const { source, models } = await pair();
  const chain = await source.open("Q");
  chain.skip(step("before\n\n"));
  const bound = chain.flopsBound(step("a\n\n"));
  const { cost } = await chain.append(step("a\n\n"));
  expect(cost.usage.flops).toBeLessThanOrEqual(bound);
  const free = await openReadings({ ...none, states: ["draft"] }, { draft: models.draft });
  const own = await written(models.draft, "Q", [], "a\n\n");
  const ownChain = await free.open("Q");
  expect(ownChain.flopsBound(own)).toBe(0);
  expect(ownChain.flopsBound({ ...own, states: undefined as never })).toBeGreaterThan(0);
  chain.drop();
  ownChain.drop();
});

describe("refused", () => {
  const refusal = (needs: ReadingNeeds, models: Partial<Record<ReaderRole, Model>>) =>
    openReadings(needs, models).catch((error) => error);

  test("a role without a model", async () => {
    expect(await refusal({ ...none, likelihoods: ["target"] }, { draft: fake("draft") })).toMatchObject({
      code: "missing-role",
      subject: "target",
    });
  });

  test.each<[keyof ReadingNeeds, string]>([
    ["likelihoods", "likelihood"],
    ["states", "likelihood"],
    ["judges", "candidates"],
  ])("a model that cannot: %s", async (what, capability) => {
    const draft = new FakeModel({ pieces, specials, capabilities: ["text", "hidden"] });
    const error = await refusal({ ...none, [what]: ["draft"] }, { draft });
    expect(error).toMatchObject({ code: "missing-capability" });
    expect(error.message).toContain(capability);
  });

  test("states of a model that shows none", async () => {
    const draft = new FakeModel({ pieces, specials, capabilities: ["text", "logits"] });
    expect(await refusal({ ...none, states: ["draft"] }, { draft })).toMatchObject({
      code: "missing-capability",
    });
  });

  test("nothing stays open when a judge does not pass its test", async () => {
    const good = fake("draft");
    // Says everything with one probability, whatever it reads.
    const bad = new FakeModel({ name: "target", pieces, specials, law: () => Math.log(0.1) });
    const error = await refusal({ ...none, judges: ["draft", "target"] }, { draft: good, target: bad });
    expect(error).toMatchObject({ code: "reward-invalid" });
    expect(good.live + bad.live).toBe(0);
  });
});
