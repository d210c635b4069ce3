import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { question } from "../../src/cli/demo/story.js";
import { parseTrace } from "../../src/core/trace.js";
import { type Captured, run } from "./captured-host.js";

const models = ["--draft", "demo:draft", "--target", "demo:target", "--reward", "demo:reward"];

const count = z.int().min(0);
const rejected = z.strictObject({
  origin: z.string(),
  text: z.string(),
  tokens: count,
  reward: z.number().min(0).max(1).nullable(),
});
const spending = z.object({
  calls: count,
  prefillTokens: count,
  decodeTokens: count,
  discardedTokens: count,
  flops: z.number().min(0),
  seconds: z.number().min(0),
});
/** DESIGN, section 6. */
const contract = z.strictObject({
  answer: z.string(),
  text: z.string(),
  finish: z.enum(["stop", "length", "budget", "abort", "stalled"]),
  method: z.string(),
  seed: count,
  steps: z.array(rejected.extend({ index: count, rejected: z.array(rejected) })),
  ledger: z.object({
    draft: spending.optional(),
    target: spending.optional(),
    reward: spending.optional(),
    total: z.object({ flops: z.number().min(0), seconds: z.number().min(0) }),
  }),
});

function traceFiles(captured: Captured): string[] {
  const folder = join(captured.host.workingFolder, "state", "runs");
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

describe("solve --json", () => {
  it("prints the contract's object and nothing else", async () => {
    const { code, out } = await run(["solve", ...models, "--json", question]);
    expect(code).toBe(0);
    const result = contract.parse(JSON.parse(out));
    expect(result).toMatchObject({ answer: "92", finish: "stop", method: "rsd", seed: 0 });
    expect(result.text).toBe(
      result.steps
        .map((step) => step.text)
        .join("")
        .trimEnd(),
    );
    expect(result.steps.map((step) => step.origin)).toEqual(["draft", "target", "draft", "target", "draft"]);
    expect(result.steps.map((step) => step.rejected.length)).toEqual([0, 1, 0, 1, 0]);
    const { draft, target, reward, total } = result.ledger;
    expect(total.flops).toBe(draft!.flops + target!.flops + reward!.flops);
    const written = result.steps.flatMap((step) => [step, ...step.rejected]);
    const tokensOf = (origin: string) =>
      written.filter((step) => step.origin === origin).reduce((sum, step) => sum + step.tokens, 0);
    expect(draft!.decodeTokens).toBe(tokensOf("draft"));
    expect(target!.decodeTokens).toBe(tokensOf("target"));
  });

  it("gives the draft alone at threshold 0, the target alone above 1", async () => {
    const text = async (argv: string[]) =>
      JSON.parse((await run(["solve", ...argv, "--json", question])).out).text;
    const sampled = ["--temperature", "1", "--seed", "5"];
    const draft = await text(["--method", "draft", "--draft", "demo:draft", ...sampled]);
    const target = await text(["--method", "target", "--target", "demo:target", ...sampled]);
    expect(await text([...models, "--threshold", "0", ...sampled])).toBe(draft);
    expect(await text([...models, "--threshold", "1.5", ...sampled])).toBe(target);
    expect(draft).not.toBe(target);
  });

  it("stops at a budget and says so", async () => {
    const { code, out } = await run(["solve", ...models, "--budget", "target-tokens=10", "--json", question]);
    expect(code).toBe(0);
    const result = contract.parse(JSON.parse(out));
    expect(result.finish).toBe("budget");
    expect(result.ledger.target!.decodeTokens).toBeLessThanOrEqual(10);
  });

  it("reads the problem from standard input", async () => {
    for (const operand of [["-"], []]) {
      const { out } = await run(["solve", ...models, "--json", ...operand], { input: `${question}\n` });
      expect(JSON.parse(out).answer).toBe("92");
    }
  });
});

describe("solve --events", () => {
  it("prints the records of the trace file", async () => {
    const { out, captured } = await run(["solve", ...models, "--events", question]);
    const [file] = traceFiles(captured);
    const { events } = parseTrace(readFileSync(file!));
    expect(
      out
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(events);
    expect(events[0]).toMatchObject({
      type: "run-started",
      references: { draft: "demo:draft", target: "demo:target", reward: "demo:reward", threads: 1 },
    });
    expect(events.at(-1)!.type).toBe("run-finished");
  });

  it("excludes --json", async () => {
    const { code, talk } = await run(["solve", ...models, "--events", "--json", question]);
    expect(code).toBe(2);
    expect(talk).toContain("exclude each other");
  });
});

describe("solve for people", () => {
  it("prints a line for each step, rejected ones too, the answer and the ledger", async () => {
    const { out, talk } = await run(["solve", ...models, question]);
    const lines = out.split("\n");
    expect(lines.slice(0, 7).map((line) => line.slice(0, 18).trimEnd())).toEqual([
      "  1 draft   0.93 │",
      "  2 draft   0.32 ✗",
      "  2 target       │",
      "  3 draft   0.93 │",
      "  4 draft   0.05 ✗",
      "  4 target       │",
      "  5 draft   0.95 │",
    ]);
    expect(out).toContain("Answer: 92");
    expect(out).toMatch(/^draft +5 +185 +123 +53 /m);
    expect(out).toMatch(/^target +2 /m);
    expect(out).toContain(
      "57% of the draft's tokens were accepted, 43% of the answer's tokens are the target's.",
    );
    expect(out).toMatch(
      /Estimate: the target alone, writing 123 tokens too, would have cost about 793 G FLOPs/,
    );
    expect(talk).toMatch(/^trace: .*\.jsonl\n$/m);
  });

  it("uses no escape codes where no terminal is, or where NO_COLOR asks for none", async () => {
    const colour = "\x1b[";
    expect((await run(["solve", ...models, question])).out).not.toContain(colour);
    const forced = await run(["solve", ...models, question], { environment: { FORCE_COLOR: "1" } });
    expect(forced.out).toContain("\x1b[36m");
    const both = await run(["methods"], { environment: { NO_COLOR: "1" }, terminal: true });
    expect(both.out).not.toContain(colour);
    expect((await run(["methods"], { terminal: true })).out).toContain(colour);
  });

  it("states no estimate for an answer that was cut", async () => {
    const { out } = await run(["solve", ...models, "--max-steps", "2", question]);
    expect(out).toContain("cut at its greatest length after 2 steps");
    expect(out).not.toContain("Estimate");
  });

  it("says which reward it takes when none is named", async () => {
    const { talk } = await run(["solve", "--draft", "demo:draft", "--target", "demo:target", question]);
    expect(talk).toContain("No --reward is given: the target judges the steps (--reward judge:target).");
  });
});

describe("what can be refused before anything is loaded", () => {
  it.each([
    ["no problem", ["solve", ...models], "there is no problem to solve"],
    ["an empty problem", ["solve", ...models, " "], "the question is empty"],
    ["two problems", ["solve", ...models, "a", "b"], 'takes no further operand, but got "b"'],
    [
      "a missing draft",
      ["solve", "--target", "demo:target", "--reward", "demo:reward", question],
      "no draft is named",
    ],
    ["a model that is not there", ["solve", "--method", "draft", "--draft", "x.gguf", "q"], "no model file"],
    [
      "an unknown demo model",
      ["solve", "--method", "draft", "--draft", "demo:drift", "q"],
      'did you mean "draft"?',
    ],
    ["no model reference", ["solve", "--method", "draft", "--draft", "gpt", "q"], "is not a model reference"],
    ["an unknown reward", ["solve", ...models, "--reward", "juge:target", question], 'did you mean "judge"?'],
    [
      "an unknown reward option",
      ["solve", ...models, "--reward", "judge:target?skale=digit", question],
      'did you mean "scale"?',
    ],
    ["a bad splitter", ["solve", ...models, "--step", "page", question], '"page" is no way to end a step'],
    ["a bad option", ["solve", ...models, "--threshold", "high", question], "--threshold must be a number"],
    [
      "a threshold that nobody advises",
      ["solve", ...models, "--threshold", "auto", question],
      "advises no threshold",
    ],
    ["two traces", ["solve", ...models, "--trace", "a", "--no-trace", question], "exclude each other"],
    [
      "another question to the demo's models",
      ["solve", ...models, "1+1"],
      "scripted and know no question but their own",
    ],
  ])("%s", async (_, argv, message) => {
    const { code, out, talk, captured } = await run(argv);
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(talk).toContain(message);
    expect(traceFiles(captured)).toEqual([]);
  });
});

describe("traces", () => {
  it("go where they are told, or nowhere", async () => {
    const named = await run(["solve", ...models, "--trace", "sub/my.jsonl", question]);
    const path = join(named.captured.host.workingFolder, "sub", "my.jsonl");
    expect(named.talk).toContain(`trace: ${path}`);
    expect(parseTrace(readFileSync(path)).events.at(-1)!.type).toBe("run-finished");
    expect(traceFiles(named.captured)).toEqual([]);

    const none = await run(["solve", ...models, "--no-trace", question]);
    expect(none.code).toBe(0);
    expect(traceFiles(none.captured)).toEqual([]);
  });

  it("never overwrite a file", async () => {
    const first = await run(["solve", ...models, question]);
    const [file] = traceFiles(first.captured);
    const before = readFileSync(file!);
    const second = await run(["solve", ...models, "--trace", file!, question]);
    expect(second.code).toBe(1);
    expect(second.talk).toContain("cannot write the trace");
    expect(readFileSync(file!)).toEqual(before);
  });

  it("are a courtesy: a state folder that cannot be written stops nobody", async () => {
    const { code, out, talk } = await run(["solve", ...models, "--json", question], {
      environment: { STEPWRIGHT_HOME: "/dev/null/nowhere" },
    });
    expect(code).toBe(0);
    expect(JSON.parse(out).answer).toBe("92");
    expect(talk).toContain("the run goes on without it");
  });

  it("replay to the result that was printed", async () => {
    const live = await run(["solve", ...models, "--temperature", "1", "--seed", "3", "--json", question]);
    const [file] = traceFiles(live.captured);
    const again = await run(["trace", "replay", file!, "--json"]);
    expect(again.code).toBe(0);
    expect(JSON.parse(again.out)).toEqual(JSON.parse(live.out));
    expect((await run(["solve", "--resume", file!, "--json"])).out).toBe(live.out);
    expect((await run(["trace", "replay", file!])).out).toContain("The replay equals the record");
  });

  it("show every step, and the ledger as it was", async () => {
    const live = await run(["solve", ...models, question]);
    const [file] = traceFiles(live.captured);
    const { out } = await run(["trace", "show", file!]);
    const steps = live.out.slice(0, live.out.indexOf("\nAnswer"));
    expect(out).toContain(`Question: ${question}`);
    expect(out).toContain(steps);
    const data = JSON.parse((await run(["trace", "show", file!, "--json"])).out);
    expect(data).toMatchObject({ finished: true, notices: [] });
    expect(data.events).toEqual(parseTrace(readFileSync(file!)).events);
    expect(data.ledger).toEqual(data.events.at(-1).ledger);
  });

  it("that were cut are shown, resumed to the same result, and not replayed", async () => {
    const live = await run(["solve", ...models, "--json", question]);
    const [file] = traceFiles(live.captured);
    const lines = readFileSync(file!, "utf8").split("\n");
    const cut = join(live.captured.host.workingFolder, "cut.jsonl");
    const kept = `${lines.slice(0, 12).join("\n")}\n${lines[12]!.slice(0, 40)}`;
    writeFileSync(cut, kept);

    const shown = await run(["trace", "show", cut]);
    expect(shown.talk).toContain("dropped the torn end of the trace");
    expect(shown.out).toContain("The run was not finished");
    const replayed = await run(["trace", "replay", cut, "--json"]);
    expect(replayed.code).toBe(1);
    expect(JSON.parse(replayed.out).error).toMatchObject({ code: "trace-invalid" });
    expect(readFileSync(cut, "utf8")).toBe(kept);

    // Case 84: while another process goes on with it, this one does not.
    writeFileSync(`${cut}.lock`, JSON.stringify({ pid: process.ppid, host: hostname(), processStart: null }));
    const second = await run(["solve", "--resume", cut, "--json"]);
    expect(second.code).toBe(1);
    expect(JSON.parse(second.out).error.code).toBe("locked");
    expect(readFileSync(cut, "utf8")).toBe(kept);
    rmSync(`${cut}.lock`);

    const resumed = await run(["solve", "--resume", cut, "--json"]);
    expect(resumed.code).toBe(0);
    expect(JSON.parse(resumed.out).steps).toEqual(JSON.parse(live.out).steps);
    expect((await run(["trace", "replay", cut, "--json"])).out).toBe(resumed.out);
  });

  it("that are none are refused", async () => {
    const { captured } = await run(["version"]);
    const path = join(captured.host.workingFolder, "notes.txt");
    writeFileSync(path, "hello\n");
    for (const argv of [
      ["trace", "show", path],
      ["trace", "replay", path],
      ["solve", "--resume", path],
    ]) {
      const { code, talk } = await run(argv);
      expect(code).toBe(1);
      expect(talk).toContain("not a trace of a run");
    }
    expect((await run(["trace", "show"])).code).toBe(2);
    expect((await run(["trace", "show", "/nowhere.jsonl"])).code).toBe(1);
  });

  it("are resumed with their own settings only", async () => {
    const live = await run(["solve", ...models, question]);
    const [file] = traceFiles(live.captured);
    for (const surplus of [["--seed", "1"], ["another question"]]) {
      const { code, talk } = await run(["solve", "--resume", file!, ...surplus]);
      expect(code).toBe(2);
      expect(talk).toContain("--resume takes its settings from the trace");
    }
  });
});
