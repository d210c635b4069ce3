/** A server that does whatever a test says, on a free port of this machine. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Heard {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies as they know them
  readonly body: any;
}

export type Answering = (heard: Heard, response: ServerResponse, number: number) => void | Promise<void>;

export class FaultServer implements AsyncDisposable {
  readonly heard: Heard[] = [];
  /** Requests that are being answered now, and the most at a time so far. */
  open = 0;
  mostOpen = 0;
  answer: Answering;
  readonly #server;

  private constructor(answer: Answering) {
    this.answer = answer;
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const text = Buffer.concat(chunks).toString();
      const { method = "", url: path = "", headers } = request;
      const heard = { method, path, headers, body: text === "" ? undefined : JSON.parse(text) };
      this.heard.push(heard);
      this.mostOpen = Math.max(this.mostOpen, ++this.open);
      response.once("close", () => this.open--);
      await this.answer(heard, response, this.heard.length - 1);
    });
  }

  static async start(answer: Answering): Promise<FaultServer> {
    const server = new FaultServer(answer);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

export function json(response: ServerResponse, value: unknown, status = 200, headers = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(value));
}

export function stream(response: ServerResponse): (value: unknown) => void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  return (value) => response.write(`data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`);
}

export const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
