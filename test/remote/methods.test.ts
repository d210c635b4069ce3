/**
 * Every method with its models behind servers, where these offer what it needs: the promises of the conformance suite
 * that hold over a network. Which steps are drawn is the servers' business, since they draw.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { StepwrightError } from "../../src/core/errors.js";
import { ledgerOf } from "../../src/core/ledger.js";
import type { Method } from "../../src/core/method.js";
import { offers } from "../../src/core/model.js";
import { type RunRequest, replay, startRun } from "../../src/core/run.js";
import type { TraceEvent } from "../../src/core/trace-event.js";
import { methods } from "../../src/methods/index.js";
import rsd from "../../src/methods/rsd.js";
import { parseModelReference, type RemoteReference } from "../../src/models/reference.js";
import { Clients, openRemote, type RemoteModel, usualRemoteSettings } from "../../src/models/remote/index.js";
import { timeless } from "../../src/testing/method-bench.js";
import { toyQuestion, toyWorld } from "../../src/testing/toy-world.js";
import type { FaultServer } from "./fault-server.js";
import { scriptedEngine } from "./scripted-engine.js";

const world = toyWorld(rsd);
const { draft: localDraft, target: localTarget, reward } = world;
const clients = new Clients({ ...usualRemoteSettings, attempts: 1 });
const servers: FaultServer[] = [];
let draft: RemoteModel;
let target: RemoteModel;

beforeAll(async () => {
  [draft, target] = (await Promise.all(
    [localDraft, localTarget].map(async (model) => {
      const server = await scriptedEngine(model, { kind: "llama-server", tellsCache: false });
      servers.push(server);
      const reference = parseModelReference(`${server.origin}/v1?layers=2#${model.name}`) as RemoteReference;
      return openRemote(reference, { clients });
    }),
  )) as [RemoteModel, RemoteModel];
});

afterAll(async () => {
  clients[Symbol.dispose]();
  for (const server of servers) await server[Symbol.asyncDispose]();
});

function request(method: Method, more: Partial<RunRequest> = {}): RunRequest {
  const roles = {
    ...(method.needs.draft && { draft }),
    ...(method.needs.target && { target }),
    ...(method.needs.reward && { reward }),
  };
  return { method, question: toyQuestion, id: "toy", sampling: { temperature: 1 }, roles, seed: 5, ...more };
}

async function traced(asked: RunRequest) {
  const run = startRun(asked);
  const events: TraceEvent[] = [];
  for await (const event of run) if (event.type !== "text-written") events.push(event);
  return { result: await run.result, events };
}

describe("methods over servers", async () => {
  for (const method of await methods.all()) {
    test(method.name, async () => {
      const missing = (["draft", "target"] as const).flatMap((role) =>
        (method.needs[role] ?? []).filter(
          (capability) => !offers(role === "draft" ? draft : target, capability),
        ),
      );
      if (missing.length > 0) {
        expect(() => startRun(request(method))).toThrow(StepwrightError);
        expect(() => startRun(request(method))).toThrow(missing[0]!);
        return;
      }
      const { result, events } = await traced(request(method));
      expect(ledgerOf(events)).toEqual(result.ledger);
      for (const role of ["draft", "target"] as const) {
        const spent = result.ledger[role];
        if (spent && spent.calls > 0)
          expect(Math.min(spent.prefillTokens, spent.flops, spent.seconds)).toBeGreaterThan(0);
      }
      // A race is won by whoever is first: every other method gives the same trace again.
      if (method.name !== "first-finish")
        expect(timeless((await traced(request(method))).events)).toEqual(timeless(events));
      expect(await replay(events, method)).toEqual(result);
      for (const [name, limit] of [
        ["flops", result.ledger.total.flops / 2],
        ["draft-tokens", Math.floor((result.ledger.draft?.decodeTokens ?? 0) / 2)],
      ] as const) {
        const { ledger } = (await traced(request(method, { budget: { [name]: limit } }))).result;
        const spent = name === "flops" ? ledger.total.flops : (ledger.draft?.decodeTokens ?? 0);
        expect(spent).toBeLessThanOrEqual(limit);
      }
      const controller = new AbortController();
      const cut = startRun(request(method, { signal: controller.signal }));
      let seen = 0;
      for await (const _ of cut) if (++seen === 5) controller.abort();
      expect(["abort", "stop"]).toContain((await cut.result).finish);
    });
  }

  test("a local draft with a remote target decides as the local pair does", async () => {
    const greedy = { sampling: { temperature: 0 }, options: { threshold: 0.7 } };
    const all = await traced({
      ...request(rsd, greedy),
      roles: { draft: localDraft, target: localTarget, reward },
    });
    for (const roles of [
      { draft: localDraft, target, reward },
      { draft, target: localTarget, reward },
      { draft, target, reward },
    ]) {
      const { result } = await traced({ ...request(rsd, greedy), roles });
      expect(result.steps).toEqual(all.result.steps);
    }
  });
});
