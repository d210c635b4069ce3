/** Every program of the tutorial runs and prints what stands below it; every figure is what its script draws. */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
const repository = fileURLToPath(new URL("../../", import.meta.url));
const page = readFileSync(join(repository, "docs/speculative-decoding.md"), "utf8");

interface Block {
  readonly language: string;
  readonly code: string;
}

const blocks: Block[] = [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, code]) => ({
  language: language!,
  code: code!,
}));
const programs = blocks
  .map((block, index) => ({ ...block, expected: blocks[index + 1] }))
  .filter(({ language }) => language === "js")
  .map(({ code, expected }, index) => ({
    number: index + 1,
    code,
    printed: expected?.language === "text" ? expected.code : null,
  }));

// A program finds the package by its name from inside the repository alone.
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(repository, "test/docs/tutorial-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the tutorial's programs", () => {
  test("there are no blocks that nobody runs", () => {
    expect(programs.length).toBeGreaterThan(5);
    for (const { language } of blocks) expect(["js", "text", "sh"]).toContain(language);
  });

  test.each(programs)("program $number prints what the page says", async ({ number, code, printed }) => {
    const file = join(folder, `part-${number}.mjs`);
    writeFileSync(file, code);
    const { stdout } = await run(process.execPath, [file]);
    if (printed === null) expect(stdout).toMatch(/^(\d+ tokens: \d+\.\d\d ms\n){3}$/);
    else expect(stdout).toBe(printed);
  });

  test("the commands of the page run", async () => {
    const commands = blocks
      .filter(({ language }) => language === "sh")
      .flatMap(({ code }) => code.trim().split("\n"));
    for (const command of commands) {
      const [, program, ...words] = command.split(" ");
      expect(program).toBe("stepwright");
      const { stdout } = await run(process.execPath, [join(repository, "bin/stepwright.js"), ...words]);
      expect(stdout).toContain("agreement");
    }
  });
});

describe("the exercises' answers", () => {
  const speedUp = (acceptance: number, length: number, cost: number) =>
    (1 - acceptance ** (length + 1)) / (1 - acceptance) / (length * cost + 1);

  test("1: acceptance and residual of two tokens", () => {
    const [p, q] = [
      [0.7, 0.3],
      [0.4, 0.6],
    ] as const;
    expect(Math.min(p[0], q[0]) + Math.min(p[1], q[1])).toBeCloseTo(0.7, 12);
    expect(p.map((chance, token) => Math.max(0, chance - q[token]!))).toEqual([expect.closeTo(0.3, 12), 0]);
  });

  test("2: the best length at acceptance 0.6 is 2, and 8 is a loss", () => {
    const figures = [1, 2, 3, 8].map((length) => speedUp(0.6, length, 0.2).toFixed(2));
    expect(figures).toEqual(["1.33", "1.40", "1.36", "0.95"]);
  });

  test("3: two drafts at half the target's cost break even at 0.618", () => {
    expect(speedUp((Math.sqrt(5) - 1) / 2, 2, 0.5)).toBeCloseTo(1, 12);
  });
});

test("the figures are what bench/speculation-figures.js draws", async () => {
  const out = mkdtempSync(join(tmpdir(), "figures-"));
  await run(process.execPath, [join(repository, "bench/speculation-figures.js"), "--out", out]);
  const names = readdirSync(out);
  expect(names).toHaveLength(3);
  for (const name of names) {
    expect(page).toContain(`images/${name}`);
    expect(readFileSync(join(out, name), "utf8")).toBe(
      readFileSync(join(repository, "docs/images", name), "utf8"),
    );
  }
  rmSync(out, { recursive: true });
});
