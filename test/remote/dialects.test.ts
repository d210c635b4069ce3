/**
 * Case 80: recorded answers of real servers give the same tokens, texts and figures as when they were recorded; those
 * of servers that were not at hand are written after their documentation, and say so. To record one anew:
 * `STEPWRIGHT_RECORD='vllm http://127.0.0.1:8091/v1?like=lab:target#local' npx vitest run test/remote/dialects.test.ts`
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkModelFile } from "../../src/models/gguf/check.js";
import { resolveModelFile } from "../../src/models/hub-inventory.js";
import { parseModelReference, type RemoteReference } from "../../src/models/reference.js";
import { Clients, openRemote, usualRemoteSettings } from "../../src/models/remote/index.js";
import { type Exchange, type Fixture, recorder, replayer } from "./recorded-server.js";
import { scenario } from "./scenario.js";

const folder = join(import.meta.dirname, "../fixtures/remote");

async function runAt(origin: string, { model, options }: Pick<Fixture, "model" | "options">) {
  using clients = new Clients({ ...usualRemoteSettings, attempts: 1 });
  const reference = parseModelReference(`${origin}/v1${options}#${model}`) as RemoteReference;
  const sizeOf = async (file: string) => (await checkModelFile(await resolveModelFile(file))).size;
  return scenario(await openRemote(reference, { clients, sizeOf }));
}

const asked = process.env.STEPWRIGHT_RECORD;
test.runIf(asked !== undefined)("record", async () => {
  const [name, text] = asked!.split(" ") as [string, string];
  const { origin, search, hash } = new URL(text);
  const exchanges: Exchange[] = [];
  const facts = { model: decodeURIComponent(hash.slice(1)), options: search };
  await using server = await recorder(origin, exchanges);
  const outcome = await runAt(server.origin, facts);
  const source = `recorded from ${name} on ${new Date().toISOString().slice(0, 10)}`;
  // Where the model lies on the recording machine is nobody's business.
  const clean = exchanges.map((exchange) => ({
    ...exchange,
    text: exchange.text
      .replace(/"root":"[^"]*"/g, '"root":"lab-target"')
      .replace(/"model_path":"[^"]*"/g, '"model_path":"lab-target"'),
  }));
  writeFileSync(
    join(folder, `${name}.json`),
    `${JSON.stringify({ source, ...facts, exchanges: clean, outcome })}\n`,
  );
});

describe.skipIf(asked !== undefined)("80: dialects", () => {
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
    const fixture = JSON.parse(readFileSync(join(folder, file), "utf8")) as Fixture;
    test(`${file}: ${fixture.source}`, async () => {
      await using server = await replayer(fixture);
      expect(await runAt(server.origin, fixture)).toEqual(fixture.outcome);
    });
  }

  test("the real servers answered alike", () => {
    const [one, other] = ["llama-server", "vllm"].map(
      (name) => (JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as Fixture).outcome,
    ) as { steps: { text: string; tokens: number[]; stop: string; logprobs: number[] }[] }[];
    const decided = (steps: typeof one) =>
      steps!.steps.map(({ text, tokens, stop }) => ({ text, tokens, stop }));
    expect(decided(one)).toEqual(decided(other));
    for (const [index, step] of one!.steps.entries())
      for (const [at, logprob] of step.logprobs.entries())
        expect(logprob).toBeCloseTo(other!.steps[index]!.logprobs[at]!, 3);
  });
});
