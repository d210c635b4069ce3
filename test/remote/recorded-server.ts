/** Answers of real servers: recorded on the way through, and given again. */
import type { ServerResponse } from "node:http";
import { FaultServer, type Heard } from "./fault-server.js";

export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

export interface Fixture {
  /** What answered, and when; or that it was written after documentation. */
  readonly source: string;
  readonly model: string;
  readonly options: string;
  readonly exchanges: readonly Exchange[];
  /** What the scenario gave. */
  outcome: unknown;
}

/** Passes everything on to a real server and keeps what it says. */
export function recorder(upstream: string, exchanges: Exchange[]): Promise<FaultServer> {
  return FaultServer.start(async ({ method, path, body }, response) => {
    const answer = await fetch(new URL(path, upstream), {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const type = answer.headers.get("content-type") ?? "";
    const exchange = {
      method,
      path,
      ...(body === undefined ? {} : { body }),
      status: answer.status,
      type,
      text: "",
    };
    exchanges.push(exchange);
    response.writeHead(answer.status, { "content-type": type });
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
      exchange.text += Buffer.from(chunk).toString();
      if (response.destroyed) break;
      response.write(chunk);
    }
    response.end();
  });
}

/** Gives the recorded answers again; a question that was not recorded is a 418. */
export function replayer({ exchanges }: Fixture): Promise<FaultServer> {
  const left = [...exchanges];
  return FaultServer.start((heard: Heard, response: ServerResponse) => {
    const at = left.findIndex((exchange) => isSame(exchange, heard));
    const [found] = at < 0 ? [] : left.splice(at, 1);
    response.writeHead(found?.status ?? 418, { "content-type": found?.type ?? "text/plain" });
    response.end(found?.text ?? `not recorded: ${heard.method} ${heard.path} ${JSON.stringify(heard.body)}`);
  });
}

function isSame(exchange: Exchange, { method, path, body }: Heard): boolean {
  return (
    exchange.method === method &&
    exchange.path === path &&
    JSON.stringify(exchange.body) === JSON.stringify(body)
  );
}
