/** The runs over HTTP: list, look at, follow, cancel, take up again; and the metrics. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { Hono } from "hono";
import { z } from "zod";
import { encodeLine } from "../../core/trace.js";
import { ApiError } from "../api-error.js";
import type { NumberedEvent, ServerApp, ServerContext, ServerEnvironment } from "../types.js";
import { streamResponse } from "./event-stream.js";
import type { Gauges } from "./metrics.js";
import { occupancies } from "./occupancy.js";
import { type RunFacts, runStatuses } from "./run-facts.js";
import type { LiveRunService } from "./run-service.js";

const filterSchema = z.strictObject({
  method: z.string().max(100).optional(),
  model: z.string().max(300).optional(),
  status: z.enum(runStatuses).optional(),
  /** Unix seconds. */
  since: z.coerce.number().min(0).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
});

const afterSchema = z.coerce.number().int().min(-1).max(Number.MAX_SAFE_INTEGER);

/** Errors are thrown: the app that these routes are mounted in makes answers of them. */
export function runRoutes(service: LiveRunService): ServerApp {
  const app = new Hono<ServerEnvironment>();
  let openStreams = 0;

  app.get("/v1/runs", (c) => {
    const { limit, ...filter } = filterOf(c);
    const found: unknown[] = [];
    for (const facts of service.runs.list(c.get("owner"))) {
      if (!matches(facts, filter)) continue;
      if (found.length === limit) return c.json({ object: "list", data: found, has_more: true });
      found.push(shown(facts));
    }
    return c.json({ object: "list", data: found, has_more: false });
  });

  app.get("/v1/runs/:id", async (c) => {
    const [id, owner] = [c.req.param("id"), c.get("owner")];
    const facts = service.runs.facts(id, owner);
    return c.json({ ...shown(facts), question: await service.runs.question(id, owner) });
  });

  app.delete("/v1/runs/:id", (c) => {
    service.cancel(c.req.param("id"), c.get("owner"));
    return c.body(null, 204);
  });

  app.post("/v1/runs/:id/resume", async (c) => {
    const { id } = await service.resume(c.req.param("id"), c.get("owner"));
    return c.json({ id, object: "run" }, 202);
  });

  app.get("/v1/runs/:id/events", async (c) => {
    const [id, owner] = [c.req.param("id"), c.get("owner")];
    const events = await service.runs.events(id, owner, afterOf(c));
    openStreams++;
    return streamResponse(
      c,
      frames(events, () => service.runs.facts(id, owner)),
      {
        ...service.limits,
        onEnd: () => openStreams--,
      },
    );
  });

  app.get("/v1/runs/:id/trace", async (c) => {
    const [id, owner] = [c.req.param("id"), c.get("owner")];
    const headers = { "content-type": "application/x-ndjson; charset=utf-8" };
    const path = service.runs.tracePath(id, owner);
    if (path && (await stat(path).catch(() => undefined))) {
      return c.body(Readable.toWeb(createReadStream(path)) as ReadableStream, 200, headers);
    }
    const lines = (await service.runs.records(id, owner)).map((event, index) => encodeLine(event, index));
    return c.body(Buffer.concat(lines), 200, headers);
  });

  app.get("/metrics", async (c) => {
    const gauges = await gaugesOf(service, openStreams);
    return c.text(service.metrics.text(gauges), 200, {
      "content-type": "text/plain; version=0.0.4; charset=utf-8",
    });
  });

  return app;
}

/** `id` is the record's number; text that is being written has none, and comes again whole in its step's record. */
async function* frames(events: AsyncIterable<NumberedEvent>, facts: () => RunFacts): AsyncGenerator<string> {
  for await (const { index, event } of events) {
    yield `${index === null ? "" : `id: ${index}\n`}data: ${JSON.stringify(event)}\n\n`;
  }
  yield `event: end\ndata: ${JSON.stringify({ status: statusOf(facts) })}\n\n`;
}

/** A run that is not kept is gone as soon as it is over. */
function statusOf(facts: () => RunFacts): string {
  try {
    return facts().status;
  } catch {
    return "expired";
  }
}

function filterOf(c: ServerContext): z.output<typeof filterSchema> {
  const parsed = filterSchema.safeParse(c.req.query());
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const param = issue!.code === "unrecognized_keys" ? issue!.keys[0] : String(issue!.path[0]);
  throw new ApiError(400, "invalid_value", `${param}: ${issue!.message}`, { param });
}

function matches(facts: RunFacts, filter: Omit<z.output<typeof filterSchema>, "limit">): boolean {
  const { method = facts.method, model = facts.model, status = facts.status, since = 0 } = filter;
  return (
    facts.method === method && facts.model === model && facts.status === status && facts.created >= since
  );
}

function shown({ owner: _, version: __, idempotency, ...facts }: RunFacts) {
  return { object: "run", ...facts, idempotency_key: idempotency?.key ?? null };
}

/** Where the reader goes on: after the last event that it has had. */
function afterOf(c: ServerContext): number | undefined {
  const text = c.req.header("last-event-id") ?? c.req.query("after");
  if (text === undefined || text === "") return undefined;
  const parsed = afterSchema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new ApiError(400, "invalid_value", "after: the number of an event is expected", { param: "after" });
}

async function gaugesOf(service: LiveRunService, openStreams: number): Promise<Gauges> {
  const { waiting, running, tokens } = service.load;
  const models = await occupancies(service.models);
  const isReady = service.state === "ready" && service.models.state === "ready";
  return {
    ready: [[{}, isReady ? 1 : 0]],
    runs_waiting: [[{}, waiting]],
    runs_running: [[{}, running]],
    tokens_admitted: [[{}, tokens]],
    streams_open: [[{}, openStreams]],
    branches: models.map(({ labels, branches }) => [labels, branches] as const),
    kv_cells: models.flatMap(({ labels, cells }) => (cells === undefined ? [] : [[labels, cells] as const])),
    kv_cells_free: models.flatMap(({ labels, freeCells }) =>
      freeCells === undefined ? [] : [[labels, freeCells] as const],
    ),
  };
}
