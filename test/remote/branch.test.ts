/** What a branch behind a server is: the same texts, tokens, figures and costs as the same model in this process. */
import { describe, expect, test } from "vitest";
import { type Branch, greedy, type Sampling } from "../../src/core/model.js";
import { blankLine, type Splitter } from "../../src/core/step.js";
import { parseModelReference, type RemoteReference } from "../../src/models/reference.js";
import { Clients, openRemote, type RemoteModel, usualRemoteSettings } from "../../src/models/remote/index.js";
import { ScriptedModel } from "../../src/models/scripted.js";
import { type EngineOptions, scriptedEngine } from "./scripted-engine.js";

const steps = ["First, 2 + 3 = 5.", "Then 5 * 4 = 20, né?", "So it is 20."];
const law = {
  steps: (_: unknown, before: readonly string[]) => [
    { text: steps[before.length]!, probability: 0.75, end: before.length === 2 },
    { text: "No.", probability: 0.25, end: true },
  ],
};
const local = new ScriptedModel({ name: "one", law, pieces: ["First", " + ", ".\n\n", "Then "] });

async function withRemote(
  engine: EngineOptions,
  options: string,
  work: (model: RemoteModel, heard: () => number) => Promise<void>,
): Promise<void> {
  await using server = await scriptedEngine(local, engine);
  using clients = new Clients({ ...usualRemoteSettings, attempts: 1 });
  const reference = parseModelReference(`${server.origin}/v1${options}#one`) as RemoteReference;
  const model = await openRemote(reference, { clients });
  await work(model, () => server.heard.length);
}

const size = "?layers=2&width=8";
const server = { kind: "llama-server" } as const;

async function prompted(model: RemoteModel | ScriptedModel): Promise<Branch> {
  const prompt = await model.renderChat([{ role: "user", content: "2 + 3, times 4?" }]);
  const branch = await model.open(prompt, { special: true } as never);
  await branch.append({ text: "", tokens: [], vocabulary: model.vocabulary });
  return branch;
}

function write(
  branch: Branch,
  more: Partial<{ splitter: Splitter; maxTokens: number; sampling: Sampling }> = {},
) {
  return branch.extend({ splitter: blankLine, maxTokens: 200, sampling: greedy, key: "", ...more });
}

describe("ids to and fro", () => {
  test("texts, tokens, stops and log-probabilities are those of the model", async () => {
    await withRemote(server, size, async (model) => {
      const [mine, theirs] = await Promise.all([prompted(local), prompted(model)]);
      expect(theirs.length).toBe(mine.length);
      for (const _ of steps) {
        const [a, b] = await Promise.all([write(mine), write(theirs)]);
        expect({ ...b, usage: 0, entropies: 0, vocabulary: 0 }).toEqual({
          ...a,
          usage: 0,
          entropies: 0,
          vocabulary: 0,
        });
        for (const [index, entropy] of b.entropies.entries())
          expect(entropy).toBeCloseTo(a.entropies[index]!, 6);
        expect(b.usage.decodeTokens).toBe(b.tokens.length);
        expect(theirs.length).toBe(mine.length);
      }
    });
  });

  test.each<[string, Parameters<typeof write>[1]]>([
    ["a cap", { maxTokens: 3 }],
    ["one token", { maxTokens: 1 }],
    ["a sentence", { splitter: { kind: "sentence" } }],
    ["marks", { splitter: { kind: "marks", marks: "+," } }],
    ["an uncertain token", { splitter: { kind: "entropy", limit: 0.5 } }],
    ["so many tokens", { splitter: { kind: "tokens", count: 5 } }],
    ["the end", { splitter: { kind: "none" } }],
  ])("a step ends at %s as it does here", async (_, options) => {
    await withRemote(server, size, async (model) => {
      const [a, b] = await Promise.all([
        write(await prompted(local), options),
        write(await prompted(model), options),
      ]);
      expect([b.text, b.tokens, b.stop]).toEqual([a.text, a.tokens, a.stop]);
    });
  });

  test("readings, forks and rollbacks", async () => {
    await withRemote(server, size, async (model) => {
      const [mine, theirs] = await Promise.all([prompted(local), prompted(model)]);
      const { tokens } = await write(mine.fork());
      for (const branch of [mine, theirs]) {
        const passage = { text: "", tokens: tokens.slice(0, 2), vocabulary: branch.model.vocabulary };
        await branch.append(passage);
        branch.trim(branch.length - 1);
      }
      const ask = { topK: 2, tokens: tokens.slice(1, 3) };
      const nothing = (branch: Branch) => ({ text: "", tokens: [], vocabulary: branch.model.vocabulary });
      const [a, b] = [await mine.append(nothing(mine), ask), await theirs.append(nothing(theirs), ask)];
      expect(b.topK).toEqual(a.topK);
      expect(b.tokens).toEqual(a.tokens);
      await expect(async () => theirs.append("x", { logprobs: true })).rejects.toMatchObject({
        code: "missing-capability",
      });
      await expect(async () => theirs.append("x", { row: true })).rejects.toMatchObject({
        code: "missing-capability",
      });
      const fork = theirs.fork();
      theirs.drop();
      expect((await write(fork)).text).toContain("2 + 3");
      expect(() => theirs.fork()).toThrow(/after its drop/);
    });
  });

  test("a prompt is paid for once, and what the server reads again is told", async () => {
    await withRemote(server, size, async (model) => {
      const prompt = await model.renderChat([{ role: "user", content: "2 + 3, times 4?" }]);
      const root = await model.open(prompt, { special: true });
      const opening = await root.append({ text: "", tokens: [], vocabulary: model.vocabulary });
      expect(opening.usage.prefillTokens).toBe(prompt.tokens.length - 1);
      const first = await write(root.fork());
      expect(first.usage).toMatchObject({
        prefillTokens: 0,
        recomputedTokens: 0,
        decodeTokens: first.tokens.length,
      });
      // This server has no cache, and says so: the second fork's prompt is read anew.
      const second = await write(root.fork());
      expect(second.usage.recomputedTokens).toBe(prompt.tokens.length - 1);
      expect(second.usage.prefillTokens).toBe(second.usage.recomputedTokens);
      expect(second.usage.flops).toBeGreaterThan(first.usage.flops);
    });
  });

  test("sampling: the same key gives the same step, another key another stream", async () => {
    await withRemote(server, size, async (model) => {
      const root = await prompted(model);
      const sampling = { ...greedy, temperature: 1, seed: 3 };
      const draws = await Promise.all(
        Array.from({ length: 24 }, (_, index) =>
          root.fork().extend({ splitter: blankLine, maxTokens: 50, sampling, key: String(index % 12) }),
        ),
      );
      const texts = draws.map(({ text }) => text);
      expect(texts.slice(12)).toEqual(texts.slice(0, 12));
      expect(new Set(texts).size).toBeGreaterThan(1);
    });
  });

  test("an abort before the call rejects, one under way keeps what was written", async () => {
    await withRemote(server, size, async (model) => {
      const controller = new AbortController();
      const branch = await prompted(model);
      const options = { splitter: { kind: "none" }, maxTokens: 200, sampling: greedy, key: "" } as const;
      const cut = await branch.fork().extend({
        ...options,
        signal: controller.signal,
        onText: (text) => text.includes("2") && controller.abort(),
      });
      expect(cut.stop).toBe("cut");
      expect(cut.tokens.length).toBeGreaterThan(0);
      await expect(branch.fork().extend({ ...options, signal: controller.signal })).rejects.toThrow();
    });
  });

  test("contents cannot forge roles, and keep their text", async () => {
    await withRemote(server, size, async (model) => {
      const { text, tokens } = await model.renderChat([{ role: "user", content: "a <end> b [INST]" }]);
      expect(text).toContain("a <end> b [INST]");
      expect(await model.detokenize(tokens)).toBe(text);
    });
  });
});

describe("texts only, on the chat route", () => {
  const chat = { kind: "openai" } as const;

  test("the answer is gone on from, with the same texts", async () => {
    await withRemote(chat, `${size}&parameters=1000&continue=implicit`, async (model) => {
      expect(model.capabilities.has("candidates")).toBe(false);
      const [mine, theirs] = [await prompted(local), await prompted(model)];
      for (const _ of steps) {
        const [a, b] = await Promise.all([write(mine), write(theirs)]);
        expect([b.text, b.stop]).toEqual([a.text, a.stop]);
        expect(b.logprobs).toHaveLength(b.tokens.length);
        expect(await model.detokenize(b.tokens)).toBe(b.text);
      }
    });
  });

  test("without log-probabilities there are none, not zeros", async () => {
    await withRemote(
      { ...chat, logprobs: false },
      `${size}&parameters=1000&continue=final`,
      async (model) => {
        expect(model.capabilities.has("logprobs")).toBe(false);
        const { text, logprobs, entropies, usage } = await write(await prompted(model));
        expect(text).toBe("First, 2 + 3 = 5.\n\n");
        expect([logprobs, entropies]).toEqual([[], []]);
        expect(usage.flops).toBeGreaterThan(0);
      },
    );
  });

  test("a server that continues nothing writes whole answers, and refuses the rest by name", async () => {
    await withRemote(chat, `${size}&parameters=1000`, async (model) => {
      const branch = await prompted(model);
      const whole = await write(branch, { splitter: { kind: "none" } });
      expect(whole.text).toBe(`${steps.join("\n\n")}`);
      const cut = (await prompted(model)) as Branch;
      await write(cut);
      await expect(write(cut)).rejects.toMatchObject({ code: "missing-capability" });
      await expect(write(branch.fork(), { sampling: { ...greedy, topK: 5 } })).rejects.toMatchObject({
        code: "missing-capability",
      });
    });
  });

  test("ollama is known by its version route", async () => {
    await withRemote({ kind: "ollama" }, "?parameters=1e3", async (model) => {
      expect(model.server).toBe("ollama");
      const branch = await prompted(model);
      for (const step of steps) expect((await write(branch)).text.trim()).toBe(step);
    });
  });
});

describe("opening", () => {
  test("a size that nobody tells is asked for; FLOPs are never nothing", async () => {
    const opening = withRemote({ kind: "openai" }, "", async () => {});
    await expect(opening).rejects.toMatchObject({ code: "invalid-option" });
    await withRemote(
      { kind: "openai" },
      "?parameters=1.5e9&layers=28&width=1536&context=100",
      async ({ size: told }) => {
        expect(told).toMatchObject({ multiplied: 1.5e9, layers: 28, attentionWidth: 1536, context: 100 });
      },
    );
  });

  test("a model that is not served is named, with what is", async () => {
    await using engine = await scriptedEngine(local, server);
    using clients = new Clients();
    const reference = parseModelReference(`${engine.origin}/v1#ome`) as RemoteReference;
    await expect(openRemote(reference, { clients })).rejects.toMatchObject({
      code: "model-not-found",
      remedy: expect.stringContaining("one"),
    });
  });
});
