import { describe, expect, it } from "vitest";
import { commandTable } from "../../src/cli/command-table.js";
import { run } from "./captured-host.js";

describe("help", () => {
  it("of the program names every command", async () => {
    const { code, out, talk } = await run(["--help"]);
    expect(code).toBe(0);
    expect(talk).toBe("");
    for (const name of Object.keys(commandTable)) expect(out).toContain(`  ${name}`);
    expect(out).toMatchSnapshot();
  });

  it("is what no arguments give", async () => {
    const help = await run(["--help"]);
    expect((await run([])).out).toBe(help.out);
    expect((await run(["help"])).out).toBe(help.out);
  });

  it.each(Object.keys(commandTable))("of %s", async (name) => {
    const { code, out, talk } = await run([...name.split(" "), "--help"]);
    expect(code).toBe(0);
    expect(talk).toBe("");
    expect(out).toMatchSnapshot();
    for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(110);
    expect((await run([...name.split(" "), "-h"])).out).toBe(out);
    expect((await run(["help", ...name.split(" ")])).out).toBe(out);
  });

  it.each(["models", "trace"])("of the group %s", async (group) => {
    expect((await run([group, "--help"])).out).toMatchSnapshot();
    const bare = await run([group]);
    expect(bare.code).toBe(2);
    expect(bare.talk).toContain(`"${group}" is no command by itself`);
  });

  it("shows the options of the method that is asked for", async () => {
    const { out } = await run(["solve", "--method", "target", "--help"]);
    expect(out).not.toContain("Options of method rsd");
    expect((await run(["solve", "--help"])).out).toContain("Options of method rsd");
  });

  it("is not asked for by what follows --", async () => {
    const { code, talk } = await run(["version", "--", "--help"]);
    expect(code).toBe(2);
    expect(talk).toContain("takes no further operand");
  });
});

describe("names", () => {
  it.each([
    [["slove"], 'unknown command "slove"', 'did you mean "solve"?'],
    [["trace", "reply"], 'unknown command "trace reply"', 'did you mean "trace replay"?'],
    [["solve", "--method", "rds", "x"], 'unknown method "rds"', 'did you mean "rsd"?'],
    [["solve", "--treshold", "1", "x"], "unknown flag --treshold", "did you mean --threshold?"],
    [["solve", "--weight", "clop", "x"], "--weight must be one of", 'did you mean "clip"?'],
    [["methods", "traget"], 'unknown method "traget"', 'did you mean "target"?'],
    [["solve", "--budget", "second=1", "x"], 'unknown limit "second"', 'did you mean "seconds"?'],
  ])("of %j are corrected", async (argv, message, remedy) => {
    const { code, out, talk } = await run(argv);
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(talk).toContain(message);
    expect(talk).toContain(remedy);
  });

  it("become data with --json", async () => {
    const { code, out } = await run(["solve", "--json", "--treshold", "1", "x"]);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toEqual({
      error: {
        code: "invalid-option",
        message: "unknown flag --treshold",
        remedy: "did you mean --threshold?",
        subject: "--treshold",
      },
    });
  });
});

describe("version", () => {
  it("is the package's", async () => {
    const { out } = await run(["--version"]);
    expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(JSON.parse((await run(["version", "--json"])).out).stepwright).toBe(out.trim());
  });
});
