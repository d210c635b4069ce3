import { describe, expect, it } from "vitest";
import { z } from "zod";
import { DraftTree, pointProposal } from "../core/draft-tree.js";
import { StepwrightError } from "../core/errors.js";
import { type Branch, type ExtendOptions, type Extension, greedy, type Model } from "../core/model.js";
import { keyedUniform } from "../core/random.js";
import type { Drafter, OpenDrafter } from "../core/speculation.js";
import type { Splitter } from "../core/step.js";
import { ScriptedModel } from "../models/scripted.js";
import { alphabetModel, ids, letterModel, sampled } from "../testing/draft-world.js";
import { type SpeculateOptions, speculate } from "./speculate.js";

const none: Splitter = { kind: "none" };
const options = (more: Partial<ExtendOptions> = {}): ExtendOptions => ({
  splitter: none,
  maxTokens: 40,
  sampling: sampled,
  key: "k",
  ...more,
});

/** Writes with a fresh branch of the model. */
async function write(model: Model, more: Partial<ExtendOptions> = {}, prompt = "ab"): Promise<Extension> {
  await using branch = await model.open(prompt);
  return branch.extend(options(more));
}

/** What must not depend on speculation. */
function outcome({ tokens, text, stop, logprobs, entropies, vocabulary }: Extension) {
  return { tokens, text, stop, logprobs, entropies, vocabulary };
}

/** Drafts chains of random length with letters of which about half are right: `right` says how often. */
function guesser(target: ScriptedModel, right: number): Drafter {
  return {
    name: "guesser",
    essence: "",
    source: "",
    shape: "chain",
    proposals: ["point"],
    needsDraft: false,
    cost: "",
    use: "",
    schema: z.object({}),
    async open(): Promise<OpenDrafter> {
      const session = {
        async propose({
          tokens,
          depth,
          sampling,
          key,
        }: Parameters<ReturnType<OpenDrafter["begin"]>["propose"]>[0]) {
          const length = Math.min(depth, Math.floor(6 * keyedUniform(1, key, tokens.length, "length")));
          const tree = new DraftTree();
          const branch = await target.open({
            text: spell(target, tokens),
            tokens,
            vocabulary: target.vocabulary,
          });
          if (length > 0) {
            const { tokens: own } = await branch.extend({ splitter: none, maxTokens: length, sampling, key });
            for (const [index, token] of own.entries()) {
              const isRight = keyedUniform(2, key, tokens.length + index, "right") < right;
              const drafted = isRight ? token : ids("a")[0]!;
              tree.add({ token: drafted, parent: index - 1, proposal: pointProposal, origin: "guesser" });
            }
          }
          branch.drop();
          return { tree };
        },
        fork: () => session,
        drop: () => {},
      };
      return { topK: 0, begin: () => session };
    },
  };
}

function spell(model: ScriptedModel, tokens: readonly number[]): string {
  return model.tokenizer.decode(tokens);
}

const setups: [string, (target: ScriptedModel) => SpeculateOptions][] = [
  ["lookup, fixed", () => ({ drafter: "lookup", controller: "fixed?depth=4" })],
  ["lookup, auto", () => ({ drafter: "lookup" })],
  ["its own draft, fixed", (target) => ({ drafter: "model", draft: target, controller: "fixed?depth=5" })],
  [
    "another draft, confidence",
    () => ({ drafter: "model", draft: letterModel(2), controller: "confidence" }),
  ],
  [
    "another draft's tree",
    () => ({ drafter: "model-tree", draft: letterModel(2), controller: "fixed?depth=3&nodes=9" }),
  ],
  [
    "another draft, goodput",
    () => ({ drafter: "model", draft: letterModel(2), controller: "goodput?interval=3" }),
  ],
  [
    "another draft, budget",
    () => ({ drafter: "model-tree", draft: letterModel(2), controller: "budget?memory=1" }),
  ],
  ["another draft, ahead", () => ({ drafter: "model", draft: letterModel(2), controller: "pearl?block=4" })],
  ["its own draft, ahead", (target) => ({ drafter: "model", draft: target, controller: "pearl?block=5" })],
  ["guesses", (target) => ({ drafter: guesser(target, 0.5), controller: "fixed" })],
  ["wrong guesses", (target) => ({ drafter: guesser(target, 0), controller: "fixed" })],
  ["right guesses", (target) => ({ drafter: guesser(target, 1), controller: "fixed" })],
];

describe.each(setups)("%s", (_, setup) => {
  it("writes what plain decoding writes, whatever ends a step", async () => {
    const splitters: Splitter[] = [
      none,
      { kind: "tokens", count: 7 },
      { kind: "delimiter", delimiter: "cab" },
      { kind: "entropy", limit: 1.4 },
      { kind: "marks", marks: "e" },
    ];
    const target = letterModel(1);
    const model = await speculate(target, setup(target));
    for (const splitter of splitters) {
      for (const sampling of [sampled, greedy, { ...sampled, topK: 3, seed: 5 }]) {
        for (const maxTokens of [1, 2, 23]) {
          const more = { splitter, sampling, maxTokens, key: `k${maxTokens}` };
          expect(outcome(await write(model, more))).toEqual(outcome(await write(target, more)));
        }
      }
    }
  });

  it("gives the states that plain decoding gives, from blocks and plain stretches alike", async () => {
    const hidden = ({ prompt, text }: { prompt: string; text: string }) =>
      [...(prompt + text).slice(-3)].map((letter, index) => keyedUniform(3, letter, index, "state"));
    const target = letterModel(1, 2, { hidden });
    const model = await speculate(target, setup(target));
    for (const more of [{}, { splitter: { kind: "entropy", limit: 1.4 } as const }, { maxTokens: 1 }]) {
      const plain = await write(target, { ...more, states: true });
      const { states, ...written } = await write(model, { ...more, states: true });
      expect(outcome(written)).toEqual(outcome(plain));
      expect([states?.least, states?.end]).toEqual([plain.states?.least, plain.states?.end]);
      for (const [index, mean] of plain.states!.mean.entries())
        expect(states?.mean[index]).toBeCloseTo(mean, 5);
      expect((await write(model, more)).states).toBeUndefined();
    }
  });

  it("goes on over steps, forks and rollbacks as plain decoding does, and frees all", async () => {
    const target = letterModel(1);
    const model = await speculate(target, setup(target));
    const journey = async (open: () => Promise<Branch>) => {
      const root = await open();
      const texts: string[] = [];
      const first = await root.extend(options({ maxTokens: 9 }));
      const fork = root.fork();
      fork.trim(6);
      const [on, other] = await Promise.all([
        root.extend(options({ key: "x", maxTokens: 11 })),
        fork.extend(options({ key: "y", maxTokens: 12 })),
      ]);
      await fork.append("dd");
      const last = await fork.extend(options({ key: "z", maxTokens: 5 }));
      texts.push(first.text, on.text, other.text, last.text, String(root.length), String(fork.length));
      root.drop();
      fork.drop();
      return texts;
    };
    expect(await journey(() => model.open("ab"))).toEqual(await journey(() => target.open("ab")));
    expect(target.liveBranches).toBe(0);
  });
});

describe("speculate", () => {
  it("counts every pass once: the written tokens' as decoded, refused drafts' as read", async () => {
    const target = letterModel(1);
    const model = await speculate(target, { drafter: guesser(target, 0.6), controller: "fixed" });
    const plain = await write(target, {});
    const { usage, speculation, tokens } = await write(model, {});
    expect(usage.decodeTokens).toBe(tokens.length);
    const { blocks, drafted, accepted } = speculation!;
    expect(accepted).toBeGreaterThan(0);
    expect(drafted).toBeGreaterThan(accepted);
    expect(blocks).toBeLessThan(tokens.length);
    expect(usage.prefillTokens).toBe(plain.usage.prefillTokens + (drafted - accepted));
    expect(usage.flops).toBeGreaterThan(plain.usage.flops);
    expect(speculation!.draft).toBeUndefined();
  });

  it("takes every draft where the draft is the target", async () => {
    const target = letterModel(1);
    const model = await speculate(target, { drafter: "model", draft: target, controller: "fixed?depth=4" });
    for (const sampling of [sampled, greedy]) {
      const { speculation } = await write(model, { sampling });
      expect(speculation).toMatchObject({ blocks: 8, drafted: 32, accepted: 32 });
      expect(speculation!.draft!.flops).toBeGreaterThan(0);
    }
  });

  it("writes nothing behind the token that ends the step", async () => {
    const target = alphabetModel();
    const model = await speculate(target, { drafter: "model", draft: target, controller: "fixed?depth=8" });
    await using branch = await model.open("a");
    const step = await branch.extend(options({ splitter: { kind: "delimiter", delimiter: "d" } }));
    expect([step.text, step.stop, branch.length]).toEqual(["bcd", "delimiter", 4]);
    expect(step.speculation).toMatchObject({ blocks: 1, drafted: 8, accepted: 3 });
    expect((await branch.extend(options({ maxTokens: 3 }))).text).toBe("eab");
  });

  it("shows the text as it grows, in pieces that make it up", async () => {
    const target = letterModel(1);
    for (const controller of ["fixed?depth=3", "auto"]) {
      const model = await speculate(target, { drafter: "model", draft: target, controller });
      const pieces: string[] = [];
      const { text } = await write(model, { onText: (piece) => pieces.push(piece), maxTokens: 80 });
      expect(pieces.join("")).toBe(text);
      expect(pieces.length).toBeGreaterThan(10);
      expect(pieces).not.toContain("");
    }
  });

  it("keeps characters whole whose bytes are written apart", async () => {
    const words = ["é€ aé€", "€€é é", "€a"];
    const target = new ScriptedModel({
      law: { steps: () => words.map((text) => ({ text, probability: 1 / 3 })) },
    });
    const long = { kind: "sentence" } as const;
    for (const controller of ["fixed?depth=2", "auto?depth=3", "goodput?interval=2"]) {
      const model = await speculate(target, { drafter: "lookup", controller });
      for (const splitter of [long, none, { kind: "entropy", limit: 0.5 } as const]) {
        const pieces: string[] = [];
        const written = await write(model, {
          splitter,
          maxTokens: 61,
          onText: (piece) => pieces.push(piece),
        });
        const plain = await write(target, { splitter, maxTokens: 61 });
        expect(written.tokens).toEqual(plain.tokens);
        expect(written.text.replace(/\uFFFD$/, "")).toBe(plain.text);
        expect(pieces.join("")).toBe(written.text);
      }
    }
  });

  it("ends at the context's end as plain decoding does", async () => {
    const target = letterModel(1, 2, { size: { context: 20 } });
    const model = await speculate(target, {
      drafter: "model",
      draft: letterModel(2),
      controller: "fixed?depth=6",
    });
    const step = await write(model);
    expect(outcome(step)).toEqual(outcome(await write(target)));
    expect(step.stop).toBe("context");
  });

  it("goes on without drafts where the text has outgrown the draft", async () => {
    const target = letterModel(1);
    const draft = letterModel(2, 2, { size: { context: 12 } });
    const model = await speculate(target, { drafter: "model", draft, controller: "fixed?depth=3" });
    expect(outcome(await write(model))).toEqual(outcome(await write(target)));
  });

  it("returns what was written when it is cut, and goes on from there", async () => {
    const target = letterModel(1);
    const model = await speculate(target, { drafter: guesser(target, 0.5), controller: "fixed" });
    const whole = await write(target);
    const controller = new AbortController();
    await using branch = await model.open("ab");
    let shown = "";
    const cut = await branch.extend(
      options({
        signal: controller.signal,
        onText(piece) {
          shown += piece;
          if (shown.length >= 10) controller.abort();
        },
      }),
    );
    expect(cut.stop).toBe("cut");
    expect(cut.text).toBe(shown);
    expect(whole.text.startsWith(cut.text)).toBe(true);
    expect(branch.length).toBe(2 + cut.tokens.length);
    const rest = await branch.extend(options({ maxTokens: 40 - cut.tokens.length }));
    expect(cut.text + rest.text).toBe(whole.text);
    await expect(branch.extend(options({ signal: controller.signal }))).rejects.toThrow(StepwrightError);
  });

  it("never spends more FLOPs than it was given", async () => {
    const target = letterModel(1);
    const writeRead = async (model: Model, more: Partial<ExtendOptions>) => {
      await using branch = await model.open("ab");
      await branch.append({ text: "", tokens: [], vocabulary: model.vocabulary });
      return branch.extend(options(more));
    };
    const plain = await writeRead(target, {});
    const drafted: number[] = [];
    for (const share of [0, 0.3, 1, 1.3, 3]) {
      const draft = letterModel(2);
      const model = await speculate(target, { drafter: "model", draft, controller: "fixed?depth=4" });
      const flops = share * plain.usage.flops;
      const { usage, speculation, text } = await writeRead(model, { flops });
      expect(usage.flops + (speculation?.draft?.flops ?? 0)).toBeLessThanOrEqual(flops);
      expect(plain.text.startsWith(text)).toBe(true);
      drafted.push(speculation?.drafted ?? 0);
    }
    expect(drafted[0]).toBe(0);
    expect(drafted.at(-1)).toBeGreaterThan(drafted[1]!);
  });

  it("drafts from hints", async () => {
    const target = letterModel(1);
    const { tokens, text, vocabulary } = await write(target);
    const model = await speculate(target, { drafter: "hint", controller: "fixed?depth=8" });
    const { speculation } = await write(model, { hints: [{ tokens, text, vocabulary }] });
    expect(speculation!.accepted).toBeGreaterThan(30);
  });

  it("serves calls on a branch in their order, those made while another is under way too", async () => {
    const target = letterModel(1);
    const model = await speculate(target, { drafter: guesser(target, 0.5), controller: "fixed" });
    const hurried = async (open: () => Promise<Branch>) => {
      const branch = await open();
      const first = branch.extend(options({ maxTokens: 8 }));
      const fork = branch.fork();
      branch.trim(5);
      const second = branch.extend(options({ key: "b", maxTokens: 6 }));
      const third = fork.extend(options({ key: "c", maxTokens: 6 }));
      branch.drop();
      const texts = (await Promise.all([first, third])).map(({ text }) => text);
      const last = await second.then(
        ({ text }) => text,
        () => "dropped",
      );
      fork.drop();
      return [...texts, last, fork.length];
    };
    const speculated = await hurried(() => model.open("ab"));
    expect(speculated[0]).toBe((await write(target, { maxTokens: 8 })).text);
    expect(speculated[3]).toBe(16);
    expect(target.liveBranches).toBe(0);
  });

  it("asks for no tree that one pass of the target cannot read", async () => {
    const target = Object.assign(letterModel(1), { treeLimits: { nodes: 6, leaves: 3 } });
    for (const drafter of ["model", "model-tree"]) {
      const controller = "fixed?nodes=40&depth=20";
      const model = await speculate(target, { drafter, draft: letterModel(2), controller });
      const { speculation } = await write(model);
      expect(speculation!.drafted / speculation!.blocks).toBeLessThanOrEqual(6);
    }
  });

  it("refuses a draft of another vocabulary and names the first ids that differ", async () => {
    const target = letterModel(1);
    const draft = new ScriptedModel({
      pieces: ["a", "x", "c"],
      law: { tokens: () => [{ text: "a", probability: 1 }] },
    });
    const error = await speculate(target, { drafter: "model", draft }).catch((reason: unknown) => reason);
    expect(StepwrightError.is(error, "vocabulary-mismatch")).toBe(true);
    expect((error as Error).message).toMatch(/\d+ is "x" and "b"/);
  });

  it("refuses what cannot work before anything is written", async () => {
    const target = letterModel(1);
    await expect(speculate(target, { drafter: "model" })).rejects.toThrow(/needs a draft model/);
    await expect(speculate(target, { drafter: "lokup" })).rejects.toThrow(/unknown drafter/);
    await expect(speculate(target, { drafter: "lookup", controller: "fixed?dept=3" })).rejects.toThrow(
      /no option "dept"/,
    );
    const plain = letterModel(1, 2, { capabilities: ["text", "logits", "branch"] });
    await expect(speculate(plain, { drafter: "lookup" })).rejects.toThrow(/tree/);
  });
});
