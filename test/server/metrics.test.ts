/** What /metrics counts is the sum of what the answers reported. */
import { afterEach, expect, test } from "vitest";
import type { LedgerData } from "../../src/core/ledger.js";
import { echoWorld } from "../../src/testing/echo-world.js";
import { chat, type EchoServer, echoServer } from "./runs-world.js";

let server: EchoServer | undefined;
afterEach(() => server?.[Symbol.asyncDispose]());

interface Told {
  readonly choices: readonly { readonly stepwright: { readonly ledger: LedgerData } }[];
  readonly usage: {
    readonly completion_tokens_details: {
      readonly accepted_prediction_tokens: number;
      readonly rejected_prediction_tokens: number;
    };
  };
}

/** Every sample by its name and labels. */
async function samples(): Promise<Map<string, number>> {
  const answered = await server!.fetch("/metrics");
  expect(answered.headers.get("content-type")).toContain("text/plain");
  const found = new Map<string, number>();
  for (const line of (await answered.text()).trimEnd().split("\n")) {
    if (line.startsWith("#")) continue;
    const at = line.lastIndexOf(" ");
    found.set(line.slice(0, at), Number(line.slice(at + 1)));
  }
  return found;
}

function total(found: ReadonlyMap<string, number>, name: string): number {
  let sum = 0;
  for (const [key, value] of found) if (key === name || key.startsWith(`${name}{`)) sum += value;
  return sum;
}

test("counters equal the sum of usages and ledgers, over methods and several choices", async () => {
  server = await echoServer(echoWorld());
  const told: Told[] = [];
  for (const [model, n] of [
    ["rsd/echo", 3],
    ["target/echo", 1],
    ["draft/echo", 2],
    ["best-of-n/echo", 1],
    ["particle-filter/echo", 1],
  ] as const) {
    const answered = await server.post("/v1/chat/completions", { ...chat(model, 7), model, n });
    expect([model, answered.status]).toEqual([model, 200]);
    told.push((await answered.json()) as Told);
  }
  const ledgers = told.flatMap(({ choices }) => choices.map(({ stepwright }) => stepwright.ledger));
  const found = await samples();

  const accepted = told.reduce(
    (sum, one) => sum + one.usage.completion_tokens_details.accepted_prediction_tokens,
    0,
  );
  const rejected = told.reduce(
    (sum, one) => sum + one.usage.completion_tokens_details.rejected_prediction_tokens,
    0,
  );
  expect(accepted).toBeGreaterThan(0);
  expect(rejected).toBeGreaterThan(0);
  expect(total(found, "stepwright_accepted_tokens_total")).toBe(accepted);
  expect(total(found, "stepwright_draft_tokens_total")).toBe(accepted + rejected);

  for (const role of ["draft", "target", "reward"] as const) {
    const sum = (read: (spent: NonNullable<LedgerData["draft"]>) => number) =>
      ledgers.reduce((all, ledger) => all + (ledger[role] ? read(ledger[role]) : 0), 0);
    const of = (kind: string) => found.get(`stepwright_tokens_total{role="${role}",kind="${kind}"}`) ?? 0;
    expect(of("written")).toBe(sum(({ decodeTokens }) => decodeTokens));
    expect(of("discarded")).toBe(sum(({ discardedTokens }) => discardedTokens));
    expect(of("prompt") + of("catch_up") + of("recomputed") + of("reward")).toBe(
      sum(({ prefillTokens }) => prefillTokens),
    );
    expect(found.get(`stepwright_flops_total{role="${role}"}`) ?? 0).toBeCloseTo(
      sum(({ flops }) => flops),
      -1,
    );
  }
  const rewards = ledgers.reduce((sum, ledger) => sum + (ledger.reward?.calls ?? 0), 0);
  expect(total(found, "stepwright_reward_count")).toBe(rewards);
  expect(total(found, "stepwright_runs_total")).toBe(8);
  expect(total(found, "stepwright_run_seconds_count")).toBe(8);
  expect(total(found, "stepwright_queue_seconds_count")).toBe(8);
  expect(total(found, "stepwright_first_step_seconds_count")).toBe(8);
  expect(total(found, "stepwright_runs_running")).toBe(0);
  expect(found.get('stepwright_branches{pair="echo",role="draft"}')).toBe(0);
  expect(found.get("stepwright_ready")).toBe(1);
  expect(found.get('stepwright_requests_total{route="/v1/chat/completions",status="200"}')).toBe(5);
});

test("every line is a comment or a finite sample with a name of our own", async () => {
  server = await echoServer(echoWorld());
  await (await server.post("/v1/chat/completions", chat("one", 3))).json();
  const text = await (await server.fetch("/metrics")).text();
  for (const line of text.trimEnd().split("\n")) {
    expect(line).toMatch(/^(# (HELP|TYPE) )?stepwright_[a-z_]+/);
    if (!line.startsWith("#"))
      expect(Number.isFinite(Number(line.slice(line.lastIndexOf(" ") + 1)))).toBe(true);
  }
  expect(text).not.toContain("Echo one");
});
