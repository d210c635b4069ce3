/** The calls of `Search` beside plain steps: other prompts, races, forced steps, readings, answers, offers. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ScriptedModel, ScriptedReward, sumOfEvents } from "../testing/index.js";
import { ledgerOf } from "./ledger.js";
import { defineMethod, type Method } from "./method.js";
import type { ExtendOptions } from "./model.js";
import { type RunRequest, type RunResult, replay, startRun } from "./run.js";
import { type Node, pathText, type Search } from "./search.js";
import type { TraceEvent } from "./trace-event.js";

/** A method made of one function, with all roles. */
const doing = (run: (search: Search) => Promise<Node | undefined>): Method =>
  defineMethod({
    name: "doing",
    essence: "whatever the test does",
    kind: "step",
    source: "test",
    needs: { draft: ["text", "logits"], target: ["text", "logits"], reward: true },
    schema: z.object({}),
    async run(search) {
      return search.finish((await run(search)) ?? search.root);
    },
  }) as Method;

/** Writes "a" or "b" with the depth, a likely and an unlikely word; ends at depth 4. */
const writer = (name: string, likely: number, more: object = {}) =>
  new ScriptedModel({
    name,
    law: {
      steps: (_, steps) =>
        steps.length >= 4
          ? [{ text: "end", probability: 1, end: true }]
          : [
              { text: `a${steps.length}\n\n`, probability: likely },
              { text: `b${steps.length}\n\n`, probability: 1 - likely },
            ],
    },
    ...more,
  });

const roles = (more: object = {}) => ({
  draft: writer("small", 0.5, more),
  target: writer("large", 0.8, more),
  reward: new ScriptedReward({ score: () => 0.5, ...more }),
});

async function carryOut(
  method: Method,
  more: Partial<RunRequest> = {},
): Promise<{ result: RunResult; events: TraceEvent[] }> {
  const run = startRun({ method, question: "?", roles: roles(), sampling: { temperature: 1 }, ...more });
  const events: TraceEvent[] = [];
  for await (const event of run) if (event.type !== "text-written") events.push(event);
  const result = await run.result;
  // Whatever a method asks for: the trace accounts for all of it and leads to the same result without a model.
  const { total: _, ...spent } = result.ledger;
  expect(spent).toEqual(sumOfEvents(events));
  expect(ledgerOf(events)).toEqual(result.ledger);
  expect(await replay(events, method)).toEqual(result);
  return { result, events };
}

describe("begin", () => {
  test("another prompt is a tree of its own, paid for in the same run, and can hold the answer", async () => {
    const worlds = roles();
    const method = doing(async (search) => {
      const first = search.commit(await search.extend(search.root, { role: "draft" }));
      const other = search.begin([{ role: "user", content: `improve ${pathText(first).trim()}` }]);
      expect(other).toMatchObject({ id: "~1", parent: null, depth: 0, tokens: 0 });
      let node = other;
      while (!node.finish) node = search.commit(await search.extend(node, { role: "draft" }));
      expect(await search.score(node)).toBe(0.5);
      return node;
    });
    const { result, events } = await carryOut(method, { roles: worlds });
    expect(result.steps).toHaveLength(5);
    expect(result.text.endsWith("end")).toBe(true);
    expect(events.find((event) => event.type === "root-begun")).toMatchObject({ node: "~1" });
    const read = events.filter((event) => event.type === "context-read" && event.purpose === "prompt");
    expect(read.map((event) => "node" in event && event.node)).toEqual(["", "~1"]);
    const draft = result.ledger.draft!;
    // The first tree's only step is not in the answer.
    expect(draft.discardedTokens).toBe(4);
    expect(worlds.draft.liveBranches + worlds.reward.liveScorers).toBe(0);
  });

  test("a text is a user's message under the run's system message", async () => {
    const method = doing(async (search) => {
      search.begin("judge this");
      return undefined;
    });
    const { events } = await carryOut(method, { system: "be short" });
    expect(events.find((event) => event.type === "root-begun")).toMatchObject({
      messages: [
        { role: "system", content: "be short" },
        { role: "user", content: "judge this" },
      ],
    });
  });

  test("streams of trees differ", async () => {
    const method = doing(async (search) => {
      const texts = new Set<string>();
      for (let tree = 0; tree < 8; tree++) {
        let node = search.begin("?");
        while (!node.finish) node = await search.extend(node, { role: "draft" });
        texts.add(pathText(node));
      }
      expect(texts.size).toBeGreaterThan(3);
      return undefined;
    });
    await carryOut(method);
  });
});

describe("offer", () => {
  const cutAfter = (offers: (search: Search, nodes: readonly Node[]) => void) =>
    doing(async (search) => {
      const nodes = await search.extendAll(
        [0, 1, 2].map(() => ({ node: search.root, role: "draft" as const })),
      );
      offers(search, nodes);
      await search.extendAll(
        nodes.filter((_, index) => index > 0).map((node) => ({ node, role: "draft" as const })),
      );
      return search.root;
    });
  const spentOnThree = { "draft-tokens": 12 };
  const answer = async (method: Method) => (await carryOut(method, { budget: spentOnThree })).result;

  test("of a run that is cut the best offer is the answer, the first among equals", async () => {
    for (const best of [0, 1, 2]) {
      const result = await answer(
        cutAfter((search, nodes) => {
          for (const [index, node] of nodes.entries()) search.offer(node, index === best ? 7 : 3);
          search.offer(nodes[(best + 1) % 3]!, 7);
        }),
      );
      expect(result.finish).toBe("budget");
      expect(result.steps).toHaveLength(1);
      expect(result.steps[0]!.rejected).toHaveLength(2);
      expect(result.ledger.draft!.discardedTokens).toBe(8);
    }
  });

  test("an offer that was given up since does not stand", async () => {
    const result = await answer(
      cutAfter((search, nodes) => {
        search.offer(nodes[0]!, 9);
        search.offer(nodes[1]!, 1);
        search.prune(nodes[0]!);
      }),
    );
    expect(result.steps).toHaveLength(1);
    expect(result.ledger.draft!.discardedTokens).toBe(8);
  });

  test("without one it is what was decided for", async () => {
    const method = doing(async (search) => {
      let node = search.root;
      while (!node.finish) node = search.commit(await search.extend(node, { role: "draft" }));
      return node;
    });
    const { result } = await carryOut(method, { budget: { "draft-tokens": 9 } });
    expect(result.finish).toBe("budget");
    expect(result.steps).toHaveLength(3);
  });
});

describe("append", () => {
  test("a forced text is read, not written, and the model goes on from it", async () => {
    const method = doing(async (search) => {
      const forced = await search.append(search.root, { role: "draft", content: "b0\n\n" });
      expect(forced).toMatchObject({
        finish: null,
        step: { text: "b0\n\n", stop: "delimiter", origin: "forced" },
      });
      const next = await search.extend(forced, { role: "draft" });
      expect(next.step!.text).toMatch(/^[ab]1\n\n$/);
      expect(await search.likelihood(forced, "draft")).toHaveLength(4);
      return next;
    });
    const { result } = await carryOut(method);
    expect(result.ledger.draft).toMatchObject({ decodeTokens: 4, discardedTokens: 0 });
  });

  test("candidates say what would come next, and each can be forced", async () => {
    const method = doing(async (search) => {
      const { tokens, entropy } = await search.candidates(search.root, "target", 5);
      expect(tokens.map(({ text }) => text)).toEqual(["a", "b"]);
      expect(Math.exp(tokens[0]!.logprob)).toBeCloseTo(0.8, 12);
      expect(entropy).toBeCloseTo(-(0.8 * Math.log(0.8) + 0.2 * Math.log(0.2)), 12);
      expect(await search.candidates(search.root, "target", 5)).toEqual({ tokens, entropy });
      const forced = await search.append(search.root, {
        role: "target",
        content: [tokens[1]!],
        origin: "reranked",
      });
      expect(forced.step).toMatchObject({ text: "b", stop: "cap", logprobs: [tokens[1]!.logprob] });
      return search.extend(forced, { role: "target" });
    });
    const { result, events } = await carryOut(method);
    expect(result.text).toBe("b0");
    expect(result.steps.map(({ origin }) => origin)).toEqual(["reranked", "target"]);
    expect(events.filter((event) => event.type === "candidates-read")).toHaveLength(1);
    // Chosen or drawn, each token is written once.
    expect(result.ledger.target!.decodeTokens).toBe(
      result.steps.reduce((sum, { tokens }) => sum + tokens, 0),
    );
  });

  test("a chosen token counts to the limit of tokens", async () => {
    const method = doing(async (search) => {
      let node = search.root;
      for (;;) {
        const { tokens } = await search.candidates(node, "target", 1);
        node = search.commit(await search.append(node, { role: "target", content: tokens }));
      }
    });
    const { result } = await carryOut(method, { budget: { "target-tokens": 2 } });
    expect(result).toMatchObject({ finish: "budget", ledger: { target: { decodeTokens: 2 } } });
  });

  test("a candidate that ends the answer ends it", async () => {
    const ending = () => new ScriptedModel({ law: { tokens: () => [{ text: "", probability: 1 }] } });
    const method = doing(async (search) => {
      const { tokens } = await search.candidates(search.root, "draft", 1);
      expect(tokens).toMatchObject([{ end: true, text: "" }]);
      return search.append(search.root, { role: "draft", content: tokens });
    });
    const { result } = await carryOut(method, { roles: { ...roles(), draft: ending() } });
    expect(result).toMatchObject({ finish: "stop", text: "" });
  });
});

describe("likelihood", () => {
  test("is the other model's, read once, and spares the role that reading when it goes on", async () => {
    const method = doing(async (search) => {
      const step = await search.extend(search.root, { role: "draft" });
      const before = await search.likelihood(step, "draft");
      expect(before).toEqual(step.step!.logprobs);
      const [read, again] = await Promise.all([
        search.likelihood(step, "target"),
        search.likelihood(step, "target"),
      ]);
      expect(read).toEqual(again);
      const isLikely = step.step!.text.startsWith("a");
      expect(Math.exp(read.reduce((sum, value) => sum + value, 0))).toBeCloseTo(isLikely ? 0.8 : 0.2, 12);
      return search.extend(step, { role: "target" });
    });
    const { result, events } = await carryOut(method);
    expect(events.filter((event) => event.type === "step-read")).toHaveLength(1);
    expect(events.filter((event) => event.type === "context-read").map(({ purpose }) => purpose)).toEqual([
      "prompt",
      "prompt",
    ]);
    expect(result.ledger.target!.read.catchUp).toBe(4);
  });

  test("in another vocabulary it is of that model's own tokens; what cannot come has a number", async () => {
    const worlds = { ...roles(), target: writer("large", 1, { pieces: ["a0\n\n"] }) };
    const method = doing(async (search) => {
      const steps = await search.extendAll(
        [0, 1, 2, 3, 4].map(() => ({ node: search.root, role: "draft" as const })),
      );
      const read = await search.likelihoodAll(steps, "target");
      for (const [index, { step }] of steps.entries()) {
        expect(read[index]).toHaveLength(step!.text.startsWith("a") ? 1 : 4);
        expect(read[index]!.every(Number.isFinite)).toBe(true);
      }
      return steps[0];
    });
    await carryOut(method, { roles: worlds, seed: 3 });
  });

  test("a model without logits is refused by name", async () => {
    const method = doing(async (search) => {
      await search.candidates(search.root, "draft", 2);
      return undefined;
    });
    const bare = { ...method, needs: { draft: ["text"] } } as Method;
    const draft = writer("bare", 0.5, { capabilities: ["text"] });
    await expect(startRun({ method: bare, question: "?", roles: { draft } }).result).rejects.toMatchObject({
      code: "missing-capability",
    });
  });
});

describe("splitters within a step", () => {
  const spread = new ScriptedModel({
    law: {
      tokens: ({ text }) =>
        text.length % 4 === 3
          ? [..."wxyz"].map((letter) => ({ text: letter, probability: 0.25 }))
          : [{ text: text.length === 9 ? "," : "s", probability: 1 }],
    },
  });
  const withDraft = { roles: { ...roles(), draft: spread } };

  test("entropy: ends before an uncertain token; the first is written in any case", async () => {
    const method = doing(async (search) => {
      const splitter = { kind: "entropy", limit: 1 } as const;
      const sure = await search.extend(search.root, { role: "draft", splitter });
      expect(sure.step).toMatchObject({ text: "sss", stop: "delimiter" });
      expect((await search.candidates(sure, "draft", 4)).entropy).toBeCloseTo(Math.log(4), 12);
      const next = await search.extend(sure, { role: "draft", splitter });
      expect(next.step!.text).toMatch(/^[wxyz]sss$/);
      return next;
    });
    await carryOut(method, withDraft);
  });

  test("marks: ends after one of the characters; pieces do not count as steps", async () => {
    const method = doing(async (search) => {
      const node = await search.extend(search.root, {
        role: "draft",
        splitter: { kind: "marks", marks: ",." },
      });
      expect(node.step!.text).toHaveLength(10);
      expect(node.step!.text.endsWith(",")).toBe(true);
      let piece = node;
      for (let count = 0; count < 20; count++) {
        piece = await search.extend(piece, { role: "draft", splitter: { kind: "marks", marks: "s" } });
        expect(piece.finish).toBeNull();
      }
      return piece;
    });
    await carryOut(method, { ...withDraft, maxSteps: 3 });
  });
});

describe("cutting writers off", () => {
  /** Ends its answer after a number of steps that depends on the draw. */
  const racing = () =>
    new ScriptedModel({
      law: {
        tokens: ({ text, tokens }) => {
          const length = text.startsWith("s") ? 12 : 60;
          if (tokens.length === 0)
            return [..."sllllll"].map((letter) => ({ text: letter, probability: 1 / 7 })).reduce(merge, []);
          return [{ text: tokens.length >= length ? "" : ".", probability: 1 }];
        },
      },
    });
  function merge(
    found: { text: string; probability: number }[],
    next: { text: string; probability: number },
  ) {
    const same = found.find(({ text }) => text === next.text);
    if (same) same.probability += next.probability;
    else found.push({ ...next });
    return found;
  }

  test("the first to end wins; the others hold what they had written by then", async () => {
    let races = 0;
    for (let seed = 0; seed < 12; seed++) {
      const draft = racing();
      const method = doing(async (search) => {
        const nodes = await search.extendFirst(
          Array.from({ length: 6 }, () => ({
            node: search.root,
            role: "draft" as const,
            splitter: { kind: "none" } as const,
          })),
        );
        const winners = nodes.filter(({ finish }) => finish === "stop");
        expect(winners.length).toBeGreaterThan(0);
        for (const node of nodes) {
          if (node.finish === "stop") continue;
          expect(node.step!.stop).toBe("cut");
          expect(node.finish).toBeNull();
          expect(node.tokens).toBeLessThan(61);
        }
        if (winners.some(({ step }) => step!.text.startsWith("s"))) races++;
        for (const node of nodes) if (node !== winners[0]) search.prune(node);
        // The prompt's and the winner's; none when the trace is replayed.
        expect([2, 0]).toContain(draft.liveBranches);
        return winners[0];
      });
      const { result, events } = await carryOut(method, { seed, roles: { ...roles(), draft } });
      const written = events.filter((event) => event.type === "step-written");
      const tokens = written.reduce((sum, event) => sum + event.tokens.length, 0);
      expect(result.ledger.draft!.decodeTokens).toBe(tokens);
    }
    expect(races).toBeGreaterThan(3);
  });

  test("a request's own signal cuts it off, and the run goes on", async () => {
    const controller = new AbortController();
    const draft = spied(writer("small", 0.5), (options) => {
      options.onText = () => controller.abort();
    });
    const method = doing(async (search) => {
      const cut = await search.extend(search.root, { role: "draft", signal: controller.signal });
      expect(cut.step).toMatchObject({ stop: "cut" });
      expect(cut.tokens).toBe(1);
      const unbegun = await search.extend(search.root, { role: "draft", signal: controller.signal });
      expect(unbegun.step).toMatchObject({ stop: "cut", tokens: [] });
      return search.extend(search.root, { role: "target" });
    });
    const { result } = await carryOut(method, { roles: { ...roles(), draft } });
    expect(result.ledger.draft).toMatchObject({ decodeTokens: 1, discardedTokens: 1 });
  });

  test("what a call had written when the run was aborted is charged, and written anew on resuming", async () => {
    const controller = new AbortController();
    let tokens = 0;
    const draft = spied(writer("small", 0.5), (options) => {
      options.onText = () => {
        if (++tokens === 7) controller.abort();
      };
    });
    const method = doing(async (search) => {
      let node = search.root;
      while (!node.finish) node = search.commit(await search.extend(node, { role: "draft" }));
      return node;
    });
    const { result, events } = await carryOut(method, {
      roles: { ...roles(), draft },
      signal: controller.signal,
    });
    expect(result).toMatchObject({ finish: "abort" });
    expect(result.steps).toHaveLength(1);
    expect(events.find((event) => event.type === "step-cut")).toMatchObject({
      node: "0.0",
      usage: { decodeTokens: 3 },
    });
    expect(result.ledger.draft).toMatchObject({ calls: 2, decodeTokens: 7, discardedTokens: 3 });
    const whole = await carryOut(method);
    const resumed = await carryOut(method, { recording: events });
    expect(resumed.result.text).toBe(whole.result.text);
    expect(resumed.result.ledger.draft!.decodeTokens).toBe(whole.result.ledger.draft!.decodeTokens + 3);
  });

  /** Changes the options of every extension of a model's branches. */
  function spied(
    model: ScriptedModel,
    change: (options: { -readonly [Key in keyof ExtendOptions]: ExtendOptions[Key] }) => void,
  ) {
    type Opened = Awaited<ReturnType<ScriptedModel["open"]>>;
    const wrap = (branch: Opened): Opened => {
      const [fork, extend] = [branch.fork.bind(branch), branch.extend.bind(branch)];
      branch.fork = () => wrap(fork());
      branch.extend = (options) => {
        const changed = { ...options };
        change(changed);
        return extend(changed);
      };
      return branch;
    };
    const open = model.open.bind(model);
    model.open = async (...given) => wrap(await open(...given));
    return model;
  }
});

describe("answers", () => {
  const asking = doing(async (search) => {
    const nodes = await search.extendAll(
      [0, 1, 2, 3].map(() => ({ node: search.root, role: "draft" as const })),
    );
    const answers = await Promise.all(nodes.map((node) => search.answer(node)));
    expect(await search.answer(nodes[0]!)).toBe(answers[0]);
    const same = await Promise.all(answers.map((answer) => search.sameAnswer(answers[0]!, answer!)));
    const check = await search.check(nodes[0]!);
    search.offer(nodes[0]!, check?.score ?? 0);
    return nodes[same.lastIndexOf(true)];
  });

  test("by default the whole text is the answer, and nothing is checked", async () => {
    const { events, result } = await carryOut(asking);
    const read = events.filter((event) => event.type === "answer-read");
    expect(read).toHaveLength(4);
    for (const { answer } of read) expect(answer).toMatch(/^[ab]0$/);
    expect(events.find((event) => event.type === "answer-checked")).toMatchObject({ check: null });
    expect(result.text).toMatch(/^[ab]0$/);
  });

  test("the task's rules are asked once each, may take their time, and are not needed for a replay", async () => {
    const asked = { extract: 0, same: 0, check: 0 };
    const answers = {
      extract: async (text: string) => {
        asked.extract++;
        return text.startsWith("a") ? "one" : "two";
      },
      same: async (first: string, second: string) => {
        asked.same++;
        return first.length === second.length;
      },
      check: async () => {
        asked.check++;
        return { score: 0.25, feedback: "not quite" };
      },
    };
    const { events } = await carryOut(asking, { answers });
    const compared = events.filter((event) => event.type === "answers-compared");
    expect(asked).toEqual({ extract: 4, same: compared.length, check: 1 });
    expect(compared.every(({ same }) => same)).toBe(true);
    expect(events.find((event) => event.type === "answer-checked")).toMatchObject({
      check: { score: 0.25, feedback: "not quite" },
    });
  });
});
