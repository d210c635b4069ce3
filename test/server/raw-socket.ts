/** HTTP byte by byte, for what no client library sends. */
import { connect, type Socket } from "node:net";

export interface RawOptions {
  /** Closes the sending side after the last part. */
  readonly halfClose?: boolean;
  /** Waits so long between parts. */
  readonly pauseMilliseconds?: number;
  /** Stops sending as soon as something comes back. */
  readonly untilAnswered?: boolean;
}

/** Sends the parts and gives all that came back by the time the server closed. */
export async function raw(
  port: number,
  parts: Iterable<string | Uint8Array>,
  { halfClose = false, pauseMilliseconds = 0, untilAnswered = false }: RawOptions = {},
): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  let answer = "";
  const closed = new Promise<void>((resolve) => {
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
    });
    socket.on("end", resolve).on("close", resolve).on("error", resolve);
  });
  for (const part of parts) {
    if (socket.destroyed || (untilAnswered && answer !== "")) break;
    if (!socket.write(part)) await Promise.race([drained(socket), closed]);
    if (pauseMilliseconds > 0) await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds));
  }
  if (halfClose) socket.end();
  await closed;
  socket.destroy();
  return answer;
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once("drain", resolve));
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One answer after another, each with a content-length. */
export function answersOf(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let rest = text; rest !== ""; ) {
    const end = rest.indexOf("\r\n\r\n");
    if (end < 0) throw new Error(`half an answer: ${rest.slice(0, 200)}`);
    const [first, ...lines] = rest.slice(0, end).split("\r\n");
    const headers = Object.fromEntries(
      lines.map((line) => [
        line.slice(0, line.indexOf(":")).toLowerCase(),
        line.slice(line.indexOf(":") + 1).trim(),
      ]),
    );
    const status = Number(first!.split(" ")[1]);
    const length = status < 200 ? 0 : Number(headers["content-length"] ?? 0);
    answers.push({ status, headers, body: rest.slice(end + 4, end + 4 + length) });
    rest = rest.slice(end + 4 + length);
  }
  return answers;
}

export function postText(path: string, body: string, headers: readonly string[] = []): string {
  return [
    `POST ${path} HTTP/1.1`,
    "host: 127.0.0.1",
    "content-type: application/json",
    `content-length: ${Buffer.byteLength(body)}`,
    ...headers,
    "",
    body,
  ].join("\r\n");
}
