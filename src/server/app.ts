/** The HTTP application: what every request passes, and where it goes. */
import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import type { Access } from "./access.js";
import { ApiError, apiErrorFrom } from "./api-error.js";
import { RouteTable } from "./route-table.js";
import { generateRoutes } from "./routes/generate.js";
import { healthRoutes, openPaths } from "./routes/health.js";
import { modelRoutes } from "./routes/models.js";
import { rewardRoutes } from "./routes/rewards.js";
import type { Served } from "./routes/served.js";
import { tokenRoutes } from "./routes/tokens.js";
import { runRoutes } from "./runs/index.js";
import type { ServerApp, ServerContext, ServerEnvironment } from "./types.js";

export interface AppOptions extends Served {
  readonly access: Access;
  /** The studio's pages, and how its own requests are known. */
  readonly studio?: StudioParts | undefined;
}

export interface StudioParts {
  readonly routes: ServerApp;
  /** True for a request that the studio, opened with its start token, sends. */
  isAllowed(request: Request): boolean;
  /** True for the paths of its pages, which it guards itself. */
  owns(path: string): boolean;
}

export function createApp(options: AppOptions): ServerApp {
  const { access, studio, service, onFailure } = options;
  const app = new Hono<ServerEnvironment>();
  const routes = [
    generateRoutes(options),
    runRoutes(service),
    modelRoutes(options.models),
    rewardRoutes(options),
    tokenRoutes(options),
    healthRoutes(options),
    ...(studio ? [studio.routes] : []),
  ];
  const table = new RouteTable(routes.flatMap((route) => route.routes));

  app.use(async (c, next) => {
    const id = `req-${randomUUID()}`;
    c.set("requestId", id);
    c.header("x-request-id", id);
    c.header("x-content-type-options", "nosniff");
    await next();
    // The head of a stream is all that was asked for: whatever was opened for its body is let go.
    if (c.req.method === "HEAD") await c.res.body?.cancel();
    service.metrics.countRequest(table.pattern(c.req.path), c.res.status);
  });

  app.use(async (c, next) => {
    const { headers } = c.env.incoming;
    access.checkHost(headers.host);
    const origin = access.allowedOrigin(headers);
    if (origin !== undefined) {
      c.header("access-control-allow-origin", origin);
      c.header("access-control-expose-headers", exposed);
    }
    c.header("vary", "origin");
    const allowed = table.methods(c.req.path);
    if (c.req.method === "OPTIONS") return preflight(c, allowed, origin !== undefined);
    if (!isReading(c.req.method)) access.checkOrigin(headers);
    c.set("owner", ownerOf(c, access, studio));
    if (allowed.length === 0) throw notFound();
    if (!allowed.includes(c.req.method)) {
      throw new ApiError(405, "method_not_allowed", `this path takes ${allowed.join(", ")}`, {
        headers: { allow: allowed.join(", ") },
      });
    }
    return next();
  });

  for (const route of routes) app.route("/", route);
  app.notFound((c) => render(c, notFound()));
  app.onError((error, c) => {
    const shown = apiErrorFrom(error);
    if (shown.status === 500) onFailure(idOf(c), error);
    return render(c, shown);
  });
  return app;
}

const exposed = "x-request-id, retry-after, x-stepwright-ignored, x-stepwright-joined";

function isReading(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

function ownerOf(c: ServerContext, access: Access, studio: StudioParts | undefined): string {
  if (openPaths.has(c.req.path) || studio?.owns(c.req.path)) return "";
  if (studio?.isAllowed(c.req.raw)) return "studio";
  const { incoming } = c.env;
  return access.owner(incoming.headers.authorization, incoming.socket.remoteAddress ?? "");
}

function preflight(c: ServerContext, allowed: readonly string[], mayAsk: boolean): Response {
  if (allowed.length === 0) throw notFound();
  c.header("allow", [...allowed, "OPTIONS"].join(", "));
  if (mayAsk && c.req.header("access-control-request-method") !== undefined) {
    c.header("access-control-allow-methods", allowed.join(", "));
    c.header("access-control-allow-headers", "authorization, content-type, idempotency-key, last-event-id");
    c.header("access-control-max-age", "600");
  }
  return c.body(null, 204);
}

function notFound(): ApiError {
  return new ApiError(404, "not_found", "there is no such path", { remedy: "docs/server.md lists them" });
}

/** The run's, where the request became one. */
function idOf(c: ServerContext): string {
  return c.res.headers.get("x-request-id") ?? c.get("requestId");
}

function render(c: ServerContext, error: ApiError): Response {
  const body = JSON.stringify(error.body(idOf(c)));
  return c.body(body, error.status as 400, { "content-type": "application/json", ...error.headers });
}
