/** A small hub on this machine, with faults on demand: large files come from a second server, as the real hub's do. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface FakeRequest {
  readonly server: "hub" | "store";
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
}

/** What goes wrong with one request for a file's bytes. */
export interface FakeFault {
  /** The connection breaks after so many bytes. */
  readonly cutAfter?: number;
  /** So many bytes, then silence. */
  readonly stallAfter?: number;
  /** All bytes are sent, whatever range was asked for. */
  readonly ignoreRange?: true;
  /** Other bytes than the hub lists, of the same length. */
  readonly corrupt?: true;
  /** No bytes, this status. */
  readonly status?: number;
  readonly retryAfter?: string;
}

export interface FakeRepository {
  readonly kind?: "models" | "datasets";
  readonly repository?: string;
}

export interface FakeHub extends AsyncDisposable {
  readonly endpoint: string;
  readonly commit: string;
  readonly requests: FakeRequest[];
  /** Applied to the next requests for file bytes, one each, in order. */
  readonly faults: FakeFault[];
  /** Applied to the next requests to the list of files. */
  readonly listFaults: { status: number; retryAfter?: string }[];
  /** The store's tag of its files; change it, and a resumed download must begin anew. */
  etag: string;
  /** Only requests with this token are served by the hub. */
  token: string | null;
}

/** `files` by path in the only repository; those under `small/` are not "large" (listed by git's hash). */
export async function startFakeHub(
  files: Readonly<Record<string, Uint8Array>>,
  { kind = "models", repository = "owner/model" }: FakeRepository = {},
): Promise<FakeHub> {
  const state = {
    requests: [] as FakeRequest[],
    faults: [] as FakeFault[],
    listFaults: [] as { status: number; retryAfter?: string }[],
    etag: '"store-1"',
    token: null as string | null,
  };
  const commit = createHash("sha1").update(Object.keys(files).join()).digest("hex");
  const store = await listen((request, response) => {
    state.requests.push({ server: "store", url: request.url!, headers: request.headers });
    const bytes = files[decodeURIComponent(request.url!.slice(1))];
    if (!bytes) return refuse(response, 404);
    sendFile(request, response, bytes, state);
  });
  const hub = await listen((request, response) => {
    state.requests.push({ server: "hub", url: request.url!, headers: request.headers });
    if (state.token !== null && request.headers.authorization !== `Bearer ${state.token}`)
      return refuse(response, 401);
    const { pathname } = new URL(request.url!, "http://hub");
    if (pathname === `/api/${kind}/${repository}/revision/main` || pathname.endsWith(`/revision/${commit}`)) {
      const fault = state.listFaults.shift();
      if (fault) return refuse(response, fault.status, fault.retryAfter);
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ sha: commit, siblings: Object.entries(files).map(sibling) }));
      return;
    }
    const resolve = `/${kind === "models" ? "" : `${kind}/`}${repository}/resolve/${commit}/`;
    const path = pathname.startsWith(resolve) ? pathname.slice(resolve.length) : undefined;
    const bytes = path === undefined ? undefined : files[path];
    if (path === undefined || !bytes) return refuse(response, 404);
    if (path.startsWith("small/")) return sendFile(request, response, bytes, state);
    response.writeHead(302, { location: `http://127.0.0.1:${port(store)}/${encodeURIComponent(path)}` });
    response.end();
  });
  return Object.assign(state, {
    commit,
    endpoint: `http://127.0.0.1:${port(hub)}`,
    [Symbol.asyncDispose]: async () => {
      for (const server of [hub, store]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  });
}

function sibling([rfilename, bytes]: [string, Uint8Array]): Record<string, unknown> {
  const blobId = createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
  if (rfilename.startsWith("small/")) return { rfilename, size: bytes.length, blobId };
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { rfilename, size: bytes.length, blobId, lfs: { sha256, size: bytes.length, pointerSize: 134 } };
}

function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Uint8Array,
  state: { faults: FakeFault[]; etag: string },
): void {
  const fault: FakeFault = state.faults.shift() ?? {};
  if (fault.status !== undefined) {
    refuse(response, fault.status, fault.retryAfter);
    return;
  }
  const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1];
  const condition = request.headers["if-range"];
  const isValid = condition === undefined || condition === state.etag;
  const start = asked !== undefined && isValid && !fault.ignoreRange ? Number(asked) : 0;
  if (start >= bytes.length) {
    refuse(response, 416);
    return;
  }
  const body = Buffer.from(bytes.subarray(start));
  if (fault.corrupt) body[body.length >> 1]! ^= 0xff;
  response.writeHead(start > 0 ? 206 : 200, {
    etag: state.etag,
    "content-length": body.length,
    "accept-ranges": "bytes",
    ...(start > 0 ? { "content-range": `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}),
  });
  if (fault.cutAfter !== undefined)
    response.write(body.subarray(0, fault.cutAfter), () => response.destroy());
  else if (fault.stallAfter !== undefined) response.write(body.subarray(0, fault.stallAfter));
  else response.end(body);
}

function refuse(response: ServerResponse, status: number, retryAfter?: string): void {
  response.writeHead(status, retryAfter === undefined ? {} : { "retry-after": retryAfter });
  response.end();
}

async function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Server> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

function port(server: Server): number {
  return (server.address() as AddressInfo).port;
}
