/** What can be asked for: presets with their methods, models and options. */
import { Hono } from "hono";
import { z } from "zod";
import { modelNotFound } from "../model-not-found.js";
import type { Pair, Preset, ServedModels, ServerApp, ServerEnvironment } from "../types.js";

export function modelRoutes(models: ServedModels): ServerApp {
  const app = new Hono<ServerEnvironment>();
  const created = Math.floor(Date.now() / 1000);
  app.get("/v1/models", (c) =>
    c.json({ object: "list", data: models.presets.map((preset) => shown(preset, models, created)) }),
  );
  // A preset's id holds a slash, written as it is or as %2F.
  app.get("/v1/models/:id{.+}", (c) => {
    const id = c.req.param("id");
    const preset = models.find(id);
    if (!preset) throw modelNotFound(id);
    return c.json({ ...shown(preset, models, created), id });
  });
  return app;
}

function shown({ id, pair, method, options, description }: Preset, models: ServedModels, created: number) {
  const { name, kind, essence, source, cost, use, needs } = method;
  const opened = models.state === "ready" ? models.pair(pair) : undefined;
  return {
    id,
    object: "model",
    created,
    owned_by: "stepwright",
    ...(opened && { context_length: contextOf(opened, needs) }),
    stepwright: {
      method: name,
      pair,
      ...{ kind, essence, source, cost, use, needs },
      ...(description !== undefined && { description }),
      ...(opened && { models: namesOf(opened) }),
      options: z.toJSONSchema(method.schema, { io: "input", unrepresentable: "any" }),
      defaults: options,
    },
  };
}

function contextOf(pair: Pair, needs: Preset["method"]["needs"]): number {
  const writers = [needs.draft && pair.draft, needs.target && pair.target].filter(
    (model) => model !== undefined,
  );
  return Math.min(...writers.map(({ size }) => size.context));
}

function namesOf({ draft, target, reward }: Pair) {
  return {
    ...(draft && { draft: draft.name }),
    ...(target && { target: target.name }),
    ...(reward && { reward: reward.name }),
  };
}
