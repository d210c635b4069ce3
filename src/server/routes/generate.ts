/** Chat completions, plain completions, and runs that go on unwatched: three doors to one order. */
import { createHash } from "node:crypto";
import { Hono } from "hono";
import { answerFrames, Stopwatch, wholeAnswer } from "../answer/answer.js";
import { chatWire, completionWire, type Wire } from "../answer/wire.js";
import { ApiError } from "../api-error.js";
import { type JsonObject, readJsonObject } from "../body.js";
import { clientGone } from "../client.js";
import type { HttpLimits } from "../limits.js";
import { chatAsk } from "../request/chat.js";
import { completionAsk } from "../request/completion.js";
import { type Ask, checkAsk } from "../request/order.js";
import { runAsk } from "../request/run.js";
import { streamResponse } from "../runs/index.js";
import type { RunOrder, ServerApp, ServerContext, ServerEnvironment } from "../types.js";
import type { Served } from "./served.js";

export function generateRoutes(served: Served): ServerApp {
  const app = new Hono<ServerEnvironment>();
  app.post("/v1/chat/completions", (c) => generate(c, served, chatAsk, chatWire));
  app.post("/v1/completions", (c) => generate(c, served, completionAsk, completionWire));
  app.post("/v1/runs", async (c) => {
    const { handle, checked } = await begin(c, served, runAsk, true);
    c.header("x-request-id", handle.id);
    return c.json(
      {
        id: handle.id,
        object: "run",
        created: handle.created,
        model: checked.ask.fields.model,
        method: checked.method.name,
        choices: handle.choices.map(({ id }) => id),
      },
      202,
    );
  });
  return app;
}

async function generate(
  c: ServerContext,
  served: Served,
  read: (body: JsonObject, limits: HttpLimits) => Ask,
  wire: Wire,
): Promise<Response> {
  const { handle, checked, started } = await begin(c, served, read, false);
  const answering = {
    ...{ handle, checked, wire, started },
    state: () => served.service.state,
    onFailure: (error: unknown) => served.onFailure(handle.id, error),
  };
  c.header("x-request-id", handle.id);
  if (handle.joined) c.header("x-stepwright-joined", "true");
  if (checked.ask.fields.stream === true) {
    return streamResponse(c, answerFrames(answering), {
      ...served.limits,
      onEnd: (reason) => handle.leave(reason),
    });
  }
  try {
    return c.json(await wholeAnswer(answering));
  } finally {
    handle.leave("done");
  }
}

/** Everything that can be refused is refused before this returns. */
async function begin(
  c: ServerContext,
  { models, service, limits }: Served,
  read: (body: JsonObject, limits: HttpLimits) => Ask,
  keep: boolean,
) {
  const { incoming, outgoing } = c.env;
  const body = await readJsonObject(incoming, limits);
  const ask = read(body, limits);
  if (ask.ignored.length > 0) c.header("x-stepwright-ignored", ask.ignored.join(", "));
  const asker = {
    owner: c.get("owner"),
    idempotency: idempotencyOf(c.req.header("idempotency-key"), body),
    ...(keep ? { keep } : { signal: clientGone(incoming, outgoing) }),
  };
  const checked = await checkAsk(ask, asker, { models, limits });
  const started = new Stopwatch();
  return { checked, started, handle: await service.submit(checked.order) };
}

function idempotencyOf(key: string | undefined, body: JsonObject): RunOrder["idempotency"] {
  if (key === undefined) return undefined;
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new ApiError(400, "invalid_value", "an idempotency key is 1 to 255 visible ASCII characters", {
      param: "idempotency-key",
    });
  }
  return { key, digest: createHash("sha256").update(JSON.stringify(body)).digest("hex") };
}
