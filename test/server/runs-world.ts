/** A run service over echoing models, without HTTP. */

import type { Method } from "../../src/core/method.js";
import { standing } from "../../src/core/trace-event.js";
import rsd from "../../src/methods/rsd.js";
import { type ServerLimits, serverLimitsSchema } from "../../src/server/limits.js";
import { serveModels } from "../../src/server/models.js";
import { type LiveRunService, openRunService } from "../../src/server/runs/index.js";
import type { NumberedEvent, RunOrder } from "../../src/server/types.js";
import { type EchoWorld, echoQuestion } from "../../src/testing/echo-world.js";

export async function serveEcho(
  world: EchoWorld,
  { folder = null, ...limits }: Partial<ServerLimits> & { folder?: string | null } = {},
): Promise<{ service: LiveRunService; notices: string[] }> {
  const models = await serveModels({
    pairs: [
      { name: "echo", roles: ["draft", "target", "reward"], references: {}, open: async () => world.roles },
    ],
    defaults: new Map([["echo", "rsd/echo"]]),
  });
  await models.opened;
  const notices: string[] = [];
  const service = await openRunService({
    models,
    limits: serverLimitsSchema.parse(limits),
    folder,
    onNotice: (notice) => notices.push(notice),
  });
  return { service, notices };
}

export interface Asked extends Partial<Omit<RunOrder, "request">> {
  readonly nonce?: string;
  readonly steps?: number;
}

export function order(world: EchoWorld, asked: Asked = {}): RunOrder {
  const { nonce = "n0", steps = 4, ...rest } = asked;
  const method: Method = rest.method ?? rsd;
  return {
    owner: "local",
    model: "rsd/echo",
    choices: 1,
    cost: 100,
    ...rest,
    method,
    request: (choice) => ({
      method,
      roles: world.roles,
      question: echoQuestion(nonce, steps),
      seed: choice,
      maxSteps: 1000,
      maxTokens: 100_000,
      references: { pair: "echo" },
    }),
  };
}

export async function eventsOf(events: AsyncIterable<NumberedEvent>): Promise<NumberedEvent[]> {
  const found: NumberedEvent[] = [];
  for await (const event of events) found.push(event);
  return found;
}

/** Numbered events only, those that a resumed run made void left out. */
export async function recordsOf(events: AsyncIterable<NumberedEvent>) {
  const found = await eventsOf(events);
  return standing(found.flatMap(({ event }) => (event.type === "text-written" ? [] : [event])));
}

export async function until(isSo: () => boolean | Promise<boolean>, seconds = 10): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error("it did not come to be in time");
    await new Promise((wake) => setTimeout(wake, 5));
  }
}
