import { describe, expect, it } from "vitest";
import { z } from "zod";
import { StepwrightError } from "../core/errors.js";
import { readArguments } from "./arguments.js";
import { parseBudget } from "./budget.js";
import { parsed } from "./fields.js";
import { flagsOf } from "./flags.js";
import { environmentLayer, settle, stack } from "./settings.js";

const schema = z.object({
  maxTokens: z.int().min(1).default(10).describe("How many."),
  weight: z.enum(["step", "clip", "logistic"]).default("step"),
  threshold: z.number().min(0).max(2).default(0.7),
  budget: parsed(parseBudget).optional(),
  live: z.boolean().default(true),
  json: z.boolean().default(false),
  name: z.string().optional(),
  share: z.union([z.number().min(0).max(1), z.literal("auto")]).optional(),
});
const flags = flagsOf(schema);

function read(argv: readonly string[], environment: Record<string, string> = {}) {
  const { operands, given } = readArguments(argv, flags);
  return { operands, values: settle(schema, flags, stack(given, environmentLayer(flags, environment))) };
}

function refusal(argv: readonly string[], environment: Record<string, string> = {}) {
  try {
    read(argv, environment);
  } catch (error) {
    if (StepwrightError.is(error)) return { code: error.code, message: error.message, remedy: error.remedy };
    throw error;
  }
  throw new Error("was not refused");
}

describe("flags of a schema", () => {
  it("carry name, kind, limits, values and default", () => {
    expect(flags.map(({ name, kind }) => `${name}:${kind}`)).toEqual([
      "max-tokens:integer",
      "weight:string",
      "threshold:number",
      "budget:string",
      "live:boolean",
      "json:boolean",
      "name:string",
      "share:number",
    ]);
    expect(flags[0]).toMatchObject({ minimum: 1, initial: 10, description: "How many." });
    expect(flags[0]).not.toHaveProperty("maximum");
    expect(flags[1]).toMatchObject({
      values: ["step", "clip", "logistic"],
      placeholder: "step|clip|logistic",
    });
    expect(flags[7]).toMatchObject({ minimum: 0, maximum: 1, words: ["auto"], placeholder: "NUMBER|auto" });
  });
});

describe("settings", () => {
  it("fill in defaults", () => {
    expect(read([]).values).toEqual({
      maxTokens: 10,
      weight: "step",
      threshold: 0.7,
      live: true,
      json: false,
    });
  });

  it("read values in both forms, operands anywhere, and the last of two", () => {
    const { operands, values } = read([
      "a",
      "--max-tokens=5",
      "--json",
      "--weight",
      "clip",
      "b",
      "--max-tokens",
      "6",
    ]);
    expect(operands).toEqual(["a", "b"]);
    expect(values).toMatchObject({ maxTokens: 6, weight: "clip", json: true });
  });

  it("take what follows -- as operands", () => {
    expect(read(["--", "--json", "-x"]).operands).toEqual(["--json", "-x"]);
  });

  it("switch a boolean off by --no-", () => {
    expect(read(["--no-live"]).values.live).toBe(false);
  });

  it("let a flag win over the environment and that over the default", () => {
    expect(read([], { STEPWRIGHT_MAX_TOKENS: "7" }).values.maxTokens).toBe(7);
    expect(read(["--max-tokens", "8"], { STEPWRIGHT_MAX_TOKENS: "7" }).values.maxTokens).toBe(8);
  });

  it("read a negative number as a value and say what is allowed", () => {
    expect(refusal(["--threshold", "-1"]).message).toBe('--threshold must be a number from 0 to 2, not "-1"');
  });

  it.each([
    [["--max-tokens", "abc"], '--max-tokens must be a whole number of at least 1, not "abc"'],
    [["--max-tokens", ""], '--max-tokens must be a whole number of at least 1, not ""'],
    [["--max-tokens", "1.5"], '--max-tokens must be a whole number of at least 1, not "1.5"'],
    [["--max-tokens", "Infinity"], '--max-tokens must be a whole number of at least 1, not "Infinity"'],
    [["--threshold", "0x1"], '--threshold must be a number from 0 to 2, not "0x1"'],
    [["--threshold", "1e400"], '--threshold must be a number from 0 to 2, not "1e400"'],
    [["--name"], "--name needs a value"],
    [["--name", "--json"], "--name needs a value"],
    [["--json=maybe"], '--json must be true or false, not "maybe"'],
  ])("refuse %j", (argv, message) => {
    expect(refusal(argv)).toMatchObject({ code: "invalid-option", message });
  });

  it("take a word in place of a number where the schema says so, from any layer", () => {
    expect(read(["--share", "auto"]).values.share).toBe("auto");
    expect(read(["--share", "0.25"]).values.share).toBe(0.25);
    expect(read([], { STEPWRIGHT_SHARE: "auto" }).values.share).toBe("auto");
    expect(settle(schema, flags, new Map([["share", { value: 0.5, origin: "pair.json" }]])).share).toBe(0.5);
    for (const wrong of ["2", "often", ""])
      expect(refusal(["--share", wrong]).message).toBe(
        `--share must be a number from 0 to 1 or auto, not "${wrong}"`,
      );
  });

  it("suggest the nearest flag and value", () => {
    expect(refusal(["--treshold", "1"])).toMatchObject({
      message: "unknown flag --treshold",
      remedy: "did you mean --threshold?",
    });
    expect(refusal(["--weight", "logisitc"]).remedy).toBe('did you mean "logistic"?');
  });

  it("name the environment variable at fault", () => {
    expect(refusal([], { STEPWRIGHT_THRESHOLD: "high" }).message).toBe(
      'STEPWRIGHT_THRESHOLD must be a number from 0 to 2, not "high"',
    );
  });

  it("keep the message and remedy of a parser", () => {
    expect(refusal(["--budget", "target-token=5"])).toEqual({
      code: "invalid-option",
      message: '--budget: unknown limit "target-token"',
      remedy: 'did you mean "target-tokens"?',
    });
  });
});

describe("budget", () => {
  it("reads every limit", () => {
    expect(parseBudget("target-tokens=500, draft-tokens=1,reward-passes=2,flops=2e12,seconds=0.5")).toEqual({
      "target-tokens": 500,
      "draft-tokens": 1,
      "reward-passes": 2,
      flops: 2e12,
      seconds: 0.5,
    });
  });

  it.each([
    "",
    "seconds",
    "seconds=",
    "seconds=1=2",
    "seconds=-1",
    "seconds=1,seconds=2",
    "target-tokens=1.5",
    "seconds=1,",
    "flops=1e999",
  ])("refuses %j", (text) => {
    expect(() => parseBudget(text)).toThrow(StepwrightError);
  });
});
