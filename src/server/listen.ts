/** The listening socket: what is refused before a request is one. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { StepwrightError } from "../core/errors.js";
import { ApiError } from "./api-error.js";
import type { HttpLimits } from "./limits.js";
import type { ServerApp } from "./types.js";

export interface ListenOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly limits: HttpLimits;
}

export interface Listening {
  readonly server: Server;
  readonly port: number;
  /** `http://127.0.0.1:8080` */
  readonly url: string;
  /** Takes no new connection, and ends the open ones; answers that are being sent get a second. */
  close(): Promise<void>;
}

/** How soon after its limit a slow connection is ended. */
const checkMilliseconds = 250;

/** How long the last bytes of answers may take when the server closes. */
const flushMilliseconds = 1000;

/** Throws `server-failed` where the address is not to be had. */
export async function listen(app: ServerApp, { host, port, limits }: ListenOptions): Promise<Listening> {
  const answer = getRequestListener((request, environment) => app.fetch(request, environment), {
    overrideGlobalObjects: false,
    autoCleanupIncoming: false,
  });
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headerSeconds * 1000,
      requestTimeout: limits.bodySeconds * 1000,
      connectionsCheckingInterval: checkMilliseconds,
      keepAliveTimeout: 5000,
    },
    (incoming, outgoing) => {
      latest.set(incoming.socket, outgoing);
      const refusal = refusedHeaders(incoming, limits);
      if (refusal) return refuse(outgoing, refusal);
      outgoing.once("finish", () => endIfHalfClosed(incoming));
      void answer(incoming, outgoing);
    },
  );
  // Headers beyond this count are dropped in silence: count them all, and refuse.
  server.maxHeadersCount = 0;
  // A client may close its sending side and wait for the answer; `clientGone` finds out who is still there.
  Object.assign(server, { httpAllowHalfOpen: true });
  // Each request that a client sends ahead listens to the connection.
  server.on("connection", (socket) => socket.setMaxListeners(0));
  server.on("clientError", answerBrokenRequest);
  server.on("checkExpectation", (incoming, outgoing) => {
    latest.set(incoming.socket, outgoing);
    refuse(outgoing, new ApiError(417, "expectation_failed", "this expectation cannot be met"));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => reject(cannotListen(host, port, cause)));
    server.listen(port, host, resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  return {
    server,
    port: bound,
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}`,
    close: () => closeServer(server),
  };
}

/** Connections whose answer is out end at once, those with an answer on its way as soon as it is out. */
async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const closing = setInterval(() => server.closeIdleConnections(), 10);
  const patience = setTimeout(() => server.closeAllConnections(), flushMilliseconds);
  server.closeIdleConnections();
  await closed;
  clearInterval(closing);
  clearTimeout(patience);
}

/** The answer being made on a connection: an error must not be written into the middle of it. */
const latest = new WeakMap<object, ServerResponse>();

/** Headers that decide who asks for what: given twice, two readers would understand two requests. */
const singular = new Set([
  ...["host", "authorization", "content-type", "content-length", "content-encoding"],
  ...["transfer-encoding", "origin", "idempotency-key"],
]);

function refusedHeaders({ rawHeaders }: IncomingMessage, limits: HttpLimits): ApiError | undefined {
  if (rawHeaders.length / 2 > limits.headers) {
    return new ApiError(431, "too_many_headers", `more than ${limits.headers} headers`);
  }
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase();
    if (singular.has(name) && seen.has(name))
      return new ApiError(400, "duplicate_header", `the header ${name} is given twice`);
    seen.add(name);
  }
  return undefined;
}

function refuse(outgoing: ServerResponse, error: ApiError): void {
  const body = JSON.stringify(error.body());
  outgoing.writeHead(error.status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    connection: "close",
    ...error.headers,
  });
  outgoing.end(body);
}

function endIfHalfClosed({ socket }: IncomingMessage): void {
  if (socket.readableEnded) setImmediate(() => latest.get(socket)?.writableFinished && socket.end());
}

/** What the parser refuses never becomes a request: the answer is written by hand. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket | NodeJS.WritableStream): void {
  const connection = socket as Socket;
  const outgoing = latest.get(connection);
  const midAnswer = outgoing?.headersSent === true && !outgoing.writableFinished;
  if (error.code === "ECONNRESET" || !connection.writable || midAnswer) {
    connection.destroy();
    return;
  }
  const refusal = refusalOf(error.code);
  const body = JSON.stringify(refusal.body());
  const reasons: Readonly<Record<number, string>> = {
    400: "Bad Request",
    408: "Request Timeout",
    413: "Content Too Large",
    431: "Request Header Fields Too Large",
  };
  connection.end(
    `HTTP/1.1 ${refusal.status} ${reasons[refusal.status]}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    () => connection.destroy(),
  );
}

function refusalOf(code: string | undefined): ApiError {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return new ApiError(431, "headers_too_large", "the headers are too large");
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return new ApiError(413, "body_too_large", "the chunks' extensions are too large");
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new ApiError(408, "request_timeout", "the request took too long to arrive");
    default:
      return new ApiError(400, "invalid_http", "the request is not valid HTTP");
  }
}

function cannotListen(host: string, port: number, cause: NodeJS.ErrnoException): StepwrightError {
  const why =
    cause.code === "EADDRINUSE"
      ? "another program listens there"
      : cause.code === "EACCES"
        ? "this needs more rights"
        : cause.message;
  return new StepwrightError("server-failed", `cannot listen on ${host}, port ${port}: ${why}`, {
    subject: "--port",
    remedy: "choose another --port; 0 takes any free one",
    cause,
  });
}
