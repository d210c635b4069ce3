import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDemoModel } from "../../src/cli/demo/models.js";
import { main } from "../../src/cli/main.js";
import { oneInputHead } from "../rewards/heads.js";
import { type CaptureOptions, capture, run } from "./captured-host.js";

const demo = ["--draft", "demo:draft", "--target", "demo:target"];

/** Serves until it is stopped; `files` go into the working folder first. */
async function serving(
  argv: readonly string[],
  options: CaptureOptions = {},
  files: Record<string, string> = {},
) {
  const captured = capture(options);
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(captured.host.workingFolder, name), text);
  const started = new Promise<{ url: string; port: number; presets: string[] }>((resolve) =>
    captured.onWrite((text) => resolve(JSON.parse(text))),
  );
  const ended = main(["serve", "--port", "0", "--json", ...argv], captured.host);
  const facts = await Promise.race([
    started,
    ended.then((code) => {
      throw new Error(`ended with ${code}: ${captured.talk()}`);
    }),
  ]);
  const ask = async (model: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${facts.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ model, messages: [{ role: "user", content: "how many?" }], seed: 0 }),
    });
    // biome-ignore lint/suspicious/noExplicitAny: a wire format
    return { status: response.status, body: (await response.json()) as any };
  };
  return { captured, facts, ask, ended };
}

describe("serve", () => {
  it("answers on scripted models until it is stopped, which is no failure", async () => {
    const { captured, facts, ask, ended } = await serving([...demo, "--threshold", "0.5"]);
    expect(facts.presets).toContain("rsd/default");
    const { status, body } = await ask("default");
    expect(status).toBe(200);
    expect(body.choices[0].message.content).toContain("\\boxed{92}");
    const stored = await (await fetch(`${facts.url}/v1/runs/${body.id}`)).json();
    expect(stored).toMatchObject({ status: "finished", options: { threshold: 0.5 } });
    captured.stop("SIGTERM");
    expect(await ended).toBe(0);
    expect(captured.talk()).toContain("Stopping");
    await expect(fetch(facts.url)).rejects.toThrow();
  });

  it("says which steps its reward was trained on, where requests' own end otherwise", async () => {
    const folder = mkdtempSync(join(tmpdir(), "stepwright-serve-"));
    const headFor = (splitter: string) => {
      const path = join(folder, `${splitter}.safetensors`);
      const draft = openDemoModel("demo:draft").fingerprint;
      writeFileSync(path, oneInputHead({ features: ["statistic:least"], draft, splitter }));
      return `head:${path}`;
    };
    for (const [splitter, says] of [
      ["line", true],
      ["blank-line", false],
    ] as const) {
      const { captured, facts, ended } = await serving([...demo, "--reward", headFor(splitter)]);
      await fetch(`${facts.url}/v1/models`);
      captured.stop("SIGTERM");
      await ended;
      expect(captured.talk().includes('requests may say "step": "line"')).toBe(says);
    }
    rmSync(folder, { recursive: true });
  });

  it.each(["pairs.json", "pairs.yaml"])("takes pairs and presets from %s", async (name) => {
    const yaml = [
      "pairs:",
      "  small: { draft: 'demo:draft' }",
      "  large: { draft: 'demo:draft', target: 'demo:target', reward: 'demo:reward', method: best-of-n }",
      "presets:",
      "  careful: { pair: large, method: rsd, options: { threshold: 0.9 }, description: keeps little }",
      "limits: { queue: 7 }",
    ].join("\n");
    const json = {
      pairs: {
        small: { draft: "demo:draft" },
        large: { draft: "demo:draft", target: "demo:target", reward: "demo:reward", method: "best-of-n" },
      },
      presets: { careful: { pair: "large", method: "rsd", options: { threshold: 0.9 } } },
      limits: { queue: 7 },
    };
    const text = name.endsWith("json") ? JSON.stringify(json) : yaml;
    const { captured, facts, ask, ended } = await serving(
      ["--config", name, "--no-store"],
      {},
      { [name]: text },
    );
    expect(facts.presets).toContain("careful");
    expect(facts.presets).toContain("draft/small");
    expect(facts.presets).not.toContain("rsd/small");
    expect((await ask("small")).body.choices[0].stepwright.method).toBe("draft");
    expect((await ask("large")).body.choices[0].stepwright.method).toBe("best-of-n");
    expect((await ask("careful")).body.choices[0].stepwright.method).toBe("rsd");
    const { limits } = (await (await fetch(`${facts.url}/v1/limits`)).json()) as {
      limits: { queue: number };
    };
    expect(limits.queue).toBe(7);
    captured.stop();
    expect(await ended).toBe(0);
  });

  it("takes keys from the environment and from a file", async () => {
    const environment = { STEPWRIGHT_API_KEY: "key-one,key-two" };
    const { captured, ask, ended } = await serving(
      [...demo, "--api-key-file", "keys"],
      { environment },
      {
        keys: "# keys of clients\nkey-three\n\n",
      },
    );
    expect((await ask("default")).status).toBe(401);
    for (const key of ["key-one", "key-two", "key-three"]) {
      expect((await ask("default", { authorization: `Bearer ${key}` })).status).toBe(200);
    }
    expect(captured.talk() + captured.out()).not.toContain("key-");
    captured.stop();
    expect(await ended).toBe(0);
  });

  it.each([
    [[], "no model is named"],
    [["--host", "0.0.0.0", ...demo], "without a key"],
    [["--draft", "demo:draft", "--method", "rsd"], "needs a target"],
    [["--draft", "demo:nothing"], 'unknown demo model "nothing"'],
    [["--draft", "absent.gguf"], "absent.gguf"],
    [[...demo, "--limits", '{"queu":1}'], "--limits"],
    [[...demo, "--limits", "queue=1"], "--limits must be a JSON object"],
    [[...demo, "--pairs", '{"default":{"draft":"demo:draft"}}'], "named twice"],
    [[...demo, "--presets", '{"x":{"pair":"other","method":"rsd"}}'], "a pair that does not exist"],
    [[...demo, "--presets", '{"x":{"pair":"default","method":"rsd","options":{"treshold":1}}}'], "treshold"],
    [[...demo, "--pairs", '{"../x":{"draft":"demo:draft"}}'], "--pairs"],
    [[...demo, "--api-key-file", "absent"], "cannot be read"],
  ])("refuses %j before anything is opened", async (argv, message) => {
    const { code, talk } = await run(["serve", "--port", "0", ...argv]);
    expect(code).toBe(2);
    expect(talk).toContain(message);
  });

  it("says so where the port is taken", async () => {
    const { captured, facts, ended } = await serving(["--no-store", ...demo]);
    const second = await run(["serve", "--no-store", "--port", String(facts.port), ...demo]);
    expect(second.code).toBe(1);
    expect(second.talk).toContain("another program listens there");
    captured.stop();
    await ended;
  });
});
