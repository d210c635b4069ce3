/** Whether the server lives, whether it can answer, and what it admits. */
import { Hono } from "hono";
import type { ServerApp, ServerEnvironment } from "../types.js";
import type { Served } from "./served.js";

/** They need no key, and tell nothing but states. */
export const openPaths: ReadonlySet<string> = new Set(["/health", "/ready"]);

export function healthRoutes({ models, service, limits }: Served): ServerApp {
  const app = new Hono<ServerEnvironment>();
  const ready = () => models.state === "ready" && service.state === "ready";
  app.get("/health", (c) => {
    const status = models.state === "ready" ? (ready() ? "ok" : service.state) : models.state;
    return c.json({ status }, ready() ? 200 : 503, ready() ? {} : { "retry-after": "2" });
  });
  app.get("/ready", (c) =>
    c.json(
      { ready: ready(), models: models.state, service: service.state },
      ready() ? 200 : 503,
      ready() ? {} : { "retry-after": "2" },
    ),
  );
  app.get("/v1/limits", (c) => c.json({ object: "limits", limits }));
  return app;
}
