import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { StepwrightError } from "../core/errors.js";
import humanEval, { codeOf, programOf } from "./human-eval.js";
import { runPython, usualLimits } from "./sandbox/python-sandbox.js";

const row = {
  task_id: "HumanEval/0",
  prompt:
    'from typing import List\n\n\ndef helper(x):\n    return x + 1\n\n\ndef total(numbers: List[int]) -> int:\n    """Adds them up. Like def nothing(."""\n',
  test: "def check(candidate):\n    assert candidate([1, 2]) == 3\n    assert candidate([]) == 0\n",
  entry_point: "total",
};

test("a row becomes a question, and what tests its answer", () => {
  const question = humanEval.readQuestion(row, 0);
  expect(question).toMatchObject({ id: "HumanEval/0", question: expect.stringContaining("def total(") });
  expect(humanEval.readQuestion({ prompt: "def f():" }, 0)).toBe("has no answer");
});

describe("the code of an answer", () => {
  test.each([
    ["```python\ndef total(n):\n    return sum(n)\n```", "def total(n):\n    return sum(n)"],
    [
      "First:\n```python\ndef total(n):\n    return 0\n```\nBetter:\n```py\ndef total(n):\n    return 1\n```\nRun it:\n```\ntotal([])\n```",
      "def total(n):\n    return 1",
    ],
    ["    return sum(numbers)\n", "    return sum(numbers)"],
    ["```python\ndef total(n):\n    return 2", "def total(n):\n    return 2"],
  ])("is its last block that defines the function: %s", (text, code) => {
    expect(codeOf(text, "total")).toBe(code);
  });

  test("keeps the prompt's imports and helpers, and its head where the answer has none", () => {
    const reference = { prompt: row.prompt, test: row.test, entry: "total" };
    const whole = programOf("def total(n):\n    return 0", reference, "token");
    expect(whole.match(/def total/g)).toHaveLength(1);
    expect(whole).toContain("def helper");
    expect(whole).toContain("from typing");
    expect(programOf("    return 0", reference, "token").match(/def total/g)).toHaveLength(1);
  });
});

const sandbox = await runPython("print(1 + 1)").catch((error: unknown) => error);
const isHere = !StepwrightError.is(sandbox);
if (!isHere) console.warn(`SKIPPED: ${String(sandbox)}`);

test("where there is no sandbox, nothing is run and the error says why", () => {
  if (!isHere)
    expect(sandbox).toMatchObject({ code: "sandbox-unavailable", remedy: expect.stringContaining("Linux") });
  else expect(sandbox).toEqual({ exitCode: 0, output: "2\n" });
});

describe.skipIf(!isHere)("a program in the sandbox", () => {
  let secrets: string;
  beforeAll(() => {
    secrets = mkdtempSync(join(tmpdir(), "stepwright-secret-"));
    writeFileSync(join(secrets, "secret"), "secret");
    // Folders that others make meanwhile are none of ours.
    vi.stubEnv("TMPDIR", secrets);
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(secrets, { recursive: true, force: true });
  });

  const outputOf = async (program: string, limits = usualLimits) =>
    (await runPython(program, limits)).output.trim();
  const short = { ...usualLimits, seconds: 2 };

  test.each([
    ["the network", "import socket; socket.create_connection(('1.1.1.1', 53), 1)"],
    ["its own machine's network", "import socket; socket.create_connection(('127.0.0.1', 22), 1)"],
    ["a file beside its own", "open('/root/.bashrc')"],
    ["the system's files", "open('/etc/hostname')"],
    ["processes", "import os; os.listdir('/proc')"],
    ["devices", "open('/dev/mem')"],
    ["the file system, to write", "open('/usr/lib/x', 'w')"],
    [
      "new namespaces",
      "import ctypes, os; os.chdir('/none') if ctypes.CDLL(None).unshare(0x10000000) else None",
    ],
    ["chroot", "import os; os.chroot('/tmp')"],
    ["another user", "import os; os.setgroups([0, 1])"],
  ])("cannot reach %s", async (_, code) => {
    const program = `try:\n    ${code}\n    print("reached")\nexcept (OSError, PermissionError) as error:\n    print("refused")`;
    expect(await outputOf(program)).toBe("refused");
  });

  test("sees an empty folder of its own, no file of ours and no environment", async () => {
    expect(await outputOf("import os; print(sorted(os.listdir('/')), os.listdir('/tmp'))")).toMatch(
      /^\['bin', 'dev', 'lib'.*'tmp', 'usr'\] \[\]$/,
    );
    expect(
      await outputOf(`import os; print(os.path.exists(${JSON.stringify(join(secrets, "secret"))}))`),
    ).toBe("False");
    expect(await outputOf("import os; print(sorted(os.environ))")).not.toMatch(/NODE|HOME_|PWD_|TOKEN/);
    expect(await outputOf("open('/tmp/x', 'w').write('mine'); print(open('/tmp/x').read())")).toBe("mine");
    expect(await outputOf("import os; print(os.path.exists('/tmp/x'))")).toBe("False");
  });

  test("holds no capability and can gain none", async () => {
    // prctl(PR_CAPBSET_READ, every capability) and prctl(PR_GET_NO_NEW_PRIVS).
    const program =
      "import ctypes; p = ctypes.CDLL(None).prctl; print(sum(p(23, c) == 1 for c in range(40)), p(39, 0, 0, 0, 0))";
    expect(await outputOf(program)).toBe("0 1");
  });

  test("ends at its limits of time, memory, files and output, and leaves nothing behind", async () => {
    const started = performance.now();
    expect((await runPython("while True: pass", short)).exitCode).not.toBe(0);
    expect((await runPython("import time; time.sleep(60)", short)).exitCode).not.toBe(0);
    const detached =
      "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(61.5)\ntime.sleep(61.5)";
    expect((await runPython(detached, short)).exitCode).not.toBe(0);
    expect(performance.now() - started).toBeLessThan(30_000);
    expect(await outputOf("x = bytearray(3 << 30)")).toContain("MemoryError");
    expect(await outputOf("open('/tmp/x', 'wb').write(bytes(64 << 20))")).toMatch(
      /File too large|No space left/,
    );
    expect((await runPython("while True: print('x' * 1000)", short)).output.length).toBe(64 * 1024);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith("stepwright-sandbox-"))).toEqual([]);
    // Another test's program may be at work just now; one that got away would sleep for a minute.
    const running = () => execFileSync("ps", ["-eo", "args"]).toString();
    await expect.poll(running, { timeout: 20_000, interval: 500 }).not.toContain("python3 -I -B -");
  });

  test("passes where it is right, and not where it is wrong, ends itself early or breaks", async () => {
    const { reference } = humanEval.readQuestion(row, 0) as { reference: string };
    const grade = async (body: string) =>
      (await humanEval.gradeAnswer!({ prediction: `\`\`\`python\n${body}\n\`\`\``, reference })).correct;
    expect(await grade("def total(n):\n    return sum(n)")).toBe(true);
    expect(await grade("def total(n: List[int]):\n    return helper(sum(n)) - 1")).toBe(true);
    expect(await grade("    return sum(numbers)")).toBe(true);
    expect(await grade("def total(n):\n    return 3")).toBe(false);
    expect(await grade("def total(n):\n    return sum(n)\nraise SystemExit(0)")).toBe(false);
    expect(await grade("import os\nos._exit(0)")).toBe(false);
    expect(await grade("def total(n)\n    return")).toBe(false);
    expect(await grade("")).toBe(false);
  });
});
