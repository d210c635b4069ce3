/** A run service over echoing models, without HTTP. */

import type { Method } from "../../src/core/method.js";
import { standing } from "../../src/core/trace-event.js";
import rsd from "../../src/methods/rsd.js";
import { type RunningServer, serveModels, startServer } from "../../src/server/index.js";
import { type ServerLimits, serverLimitsSchema } from "../../src/server/limits.js";
import { type LiveRunService, openRunService } from "../../src/server/runs/index.js";
import type { NumberedEvent, RunOrder } from "../../src/server/types.js";
import { type EchoWorld, echoQuestion } from "../../src/testing/echo-world.js";

type EchoSettings = Partial<ServerLimits> & { readonly folder?: string | null };

function modelsOf(world: EchoWorld) {
  return serveModels({
    pairs: [
      { name: "echo", roles: ["draft", "target", "reward"], references: {}, open: async () => world.roles },
    ],
    defaults: new Map([["echo", "rsd/echo"]]),
  });
}

export async function serveEcho(
  world: EchoWorld,
  { folder = null, ...limits }: EchoSettings = {},
): Promise<{ service: LiveRunService; notices: string[] }> {
  const models = await modelsOf(world);
  await models.opened;
  const notices: string[] = [];
  const service = await openRunService({
    models,
    limits: serverLimitsSchema.parse(limits),
    folder,
    onNotice: (notice) => notices.push(notice),
  });
  return { service, notices };
}

export interface EchoServer extends RunningServer {
  readonly notices: string[];
  fetch(path: string, init?: RequestInit): Promise<Response>;
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>;
}

/** The whole server over real sockets. */
export async function echoServer(
  world: EchoWorld,
  { folder = null, keys = [], ...limits }: EchoSettings & { readonly keys?: readonly string[] } = {},
): Promise<EchoServer> {
  const models = await modelsOf(world);
  await models.opened;
  const notices: string[] = [];
  const onNotice = (notice: string) => notices.push(notice);
  const server = await startServer({ models, port: 0, folder, keys, limits, onNotice });
  const reach = (path: string, init?: RequestInit) => fetch(`${server.url}${path}`, init);
  return Object.assign(server, {
    notices,
    fetch: reach,
    post: (path: string, body: unknown, { headers, ...init }: RequestInit = {}) =>
      reach(path, {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "content-type": "application/json", ...headers },
        ...init,
      }),
  });
}

/** The body of a chat completion that asks for an echo. */
export function chat(nonce: string, steps: number, further: Record<string, unknown> = {}) {
  return { model: "echo", messages: [{ role: "user", content: echoQuestion(nonce, steps) }], ...further };
}

export interface Frame {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: string;
}

/** Frames of an event stream, comments left out. */
export async function* framesOf(response: Response): AsyncGenerator<Frame, void, void> {
  let rest = "";
  for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n\n");
    rest = parts.pop()!;
    for (const part of parts) {
      const lines = part.split("\n").filter((line) => line !== "" && !line.startsWith(":"));
      if (lines.length === 0) continue;
      const field = (name: string) =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      yield { id: field("id"), event: field("event"), data: field("data") ?? "" };
    }
  }
}

export async function allFrames(response: Response): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of framesOf(response)) frames.push(frame);
  return frames;
}

/** Text of each choice in a stream of chat chunks. */
export function textsOf(frames: readonly Frame[]): string[] {
  const texts: string[] = [];
  for (const { data } of frames) {
    if (data === "[DONE]") continue;
    for (const { index, delta } of JSON.parse(data).choices ?? []) {
      texts[index] = (texts[index] ?? "") + (delta.content ?? "");
    }
  }
  return texts;
}

export interface Asked extends Partial<Omit<RunOrder, "request">> {
  readonly nonce?: string;
  readonly steps?: number;
}

export function order(world: EchoWorld, asked: Asked = {}): RunOrder {
  const { nonce = "n0", steps = 4, ...rest } = asked;
  const method: Method = rest.method ?? rsd;
  return {
    owner: "local",
    model: "rsd/echo",
    choices: 1,
    cost: 100,
    ...rest,
    method,
    request: (choice) => ({
      method,
      roles: world.roles,
      question: echoQuestion(nonce, steps),
      seed: choice,
      maxSteps: 1000,
      maxTokens: 100_000,
      references: { pair: "echo" },
    }),
  };
}

export async function eventsOf(events: AsyncIterable<NumberedEvent>): Promise<NumberedEvent[]> {
  const found: NumberedEvent[] = [];
  for await (const event of events) found.push(event);
  return found;
}

/** Numbered events only, those that a resumed run made void left out. */
export async function recordsOf(events: AsyncIterable<NumberedEvent>) {
  const found = await eventsOf(events);
  return standing(found.flatMap(({ event }) => (event.type === "text-written" ? [] : [event])));
}

export async function until(isSo: () => boolean | Promise<boolean>, seconds = 10): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error("it did not come to be in time");
    await new Promise((wake) => setTimeout(wake, 5));
  }
}
