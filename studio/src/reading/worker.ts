/** Reads one run, wherever it comes from, and tells the page what it wants to see of it. */
import "../node-globals.js";
import { StepwrightError } from "../../../src/core/errors.js";
import { TraceReader } from "../../../src/core/trace.js";
import type { RunEvent, TraceEvent } from "../../../src/core/trace-event.js";
import { parseTraceEvent } from "../../../src/core/trace-schema.js";
import { sentEvents } from "./event-stream.js";
import type { Answer, Question, Source, SourceState } from "./protocol.js";
import { problemOf, Refused, refusal } from "./refusals.js";
import { NoRun, RunTree, treeOf } from "./run-tree.js";
import { type Supposer, supposer } from "./suppose.js";
import { eventRows, runView, treeView, type Wanted } from "./views.js";

/** More pictures a second than this nobody sees. */
const frameMilliseconds = 40;
const patience = { least: 400, most: 8000 };
/** A longer run is not run again for every move of a slider. */
const longestSupposed = 50_000;

const scope = self as unknown as {
  postMessage(answer: Answer): void;
  onmessage: ((message: MessageEvent<Question>) => void) | null;
};

let tree = new RunTree();
const events: TraceEvent[] = [];
let state: SourceState = { kind: "reading" };
let share: number | null = null;
let wanted: Wanted = { from: 0, count: 200, tokens: false };
let frame: ReturnType<typeof setTimeout> | undefined;
let again: Promise<Supposer> | undefined;

scope.onmessage = ({ data }) => {
  void answer(data);
};

async function answer(question: Question): Promise<void> {
  switch (question.ask) {
    case "open":
      return read(question.source);
    case "want":
      wanted = question.wanted;
      return show();
    case "tree":
      return scope.postMessage({ tell: "tree", tops: treeView(tree, question.focus) });
    case "events":
      return scope.postMessage({
        tell: "events",
        rows: eventRows(events, question.from, question.count),
        count: events.length,
      });
    case "options":
      return supposed().then(
        ({ schema, options, decisions }) =>
          scope.postMessage({ tell: "options", schema, options, decisions, problem: null }),
        (error) => {
          const problem = StepwrightError.from(error).message;
          scope.postMessage({ tell: "options", schema: null, options: {}, decisions: [], problem });
        },
      );
    case "what-if":
      scope.postMessage({
        tell: "what-if",
        supposition: await (await supposed()).suppose(question.options),
      });
  }
}

/** Only a whole run is supposed otherwise. */
function supposed(): Promise<Supposer> {
  if (state.kind !== "done") return Promise.reject(new Error("the run has not ended"));
  if (events.length > longestSupposed) {
    return Promise.reject(new Error(`it has more than ${longestSupposed.toLocaleString("en")} records`));
  }
  again ??= supposer(events);
  return again;
}

function show(): void {
  clearTimeout(frame);
  frame = undefined;
  scope.postMessage({ tell: "view", state, view: runView(tree, wanted), records: events.length, share });
}

function showSoon(): void {
  frame ??= setTimeout(show, frameMilliseconds);
}

async function read(source: Source): Promise<void> {
  again = undefined;
  try {
    if (source.kind === "run") state = { kind: "done", status: await follow(source.id) };
    else {
      await readFile(await bytesOf(source));
      state = { kind: "done" };
    }
  } catch (error) {
    state = refusal(error);
  }
  show();
}

/** The number of the last record of a run of the server. */
let last = -1;

/** A run of the server, over lost connections and restarts, until it has ended. Resolves to what it is then. */
async function follow(id: string): Promise<string> {
  let wait = patience.least;
  for (;;) {
    try {
      const query = last < 0 ? "" : `?after=${last}`;
      const response = await fetch(`/v1/runs/${encodeURIComponent(id)}/events${query}`, {
        headers: { accept: "text/event-stream" },
      });
      if (!response.ok || !response.body) throw await problemOf(response);
      for await (const sent of sentEvents(response.body)) {
        if (sent.event === "end") {
          const { status } = JSON.parse(sent.data) as { status: string };
          if (status !== "running" && status !== "queued") return status;
          continue;
        }
        const event = parseLive(sent.data);
        wait = patience.least;
        state = { kind: "live" };
        if (event.type !== "text-written") last = Number(sent.id || last + 1);
        takeLive(event);
        showSoon();
      }
      throw new Error("the server closed the stream");
    } catch (error) {
      if (error instanceof Refused || error instanceof NoRun) throw error;
      state = { kind: "waiting", reason: StepwrightError.from(error).message };
      show();
      await new Promise((resolve) => setTimeout(resolve, wait * (0.7 + 0.6 * Math.random())));
      wait = Math.min(wait * 2, patience.most);
      // Text that was being written will come again from its beginning.
      tree = treeOf(events);
    }
  }
}

function takeLive(event: RunEvent): void {
  if (event.type !== "text-written") {
    events.push(event);
    if (event.type === "run-resumed") {
      tree = treeOf(events);
      return;
    }
  }
  tree.take(event);
}

function parseLive(data: string): RunEvent {
  const record = JSON.parse(data) as { type?: unknown; node?: unknown; role?: unknown; text?: unknown };
  if (record.type === "text-written") {
    const { node, role, text } = record;
    if (typeof node === "string" && typeof text === "string" && (role === "draft" || role === "target")) {
      return { type: "text-written", node, role, text };
    }
    throw new NoRun("sends text that belongs to no step");
  }
  const parsed = parseTraceEvent(record);
  if ("problem" in parsed) throw new NoRun(`sends no event of a run (${parsed.problem})`);
  return parsed.event;
}

async function bytesOf(
  source: Exclude<Source, { kind: "run" }>,
): Promise<{ stream: ReadableStream<Uint8Array>; size: number }> {
  if (source.kind === "file") return { stream: source.file.stream(), size: source.file.size };
  const response = await fetch(`/studio/files/traces/${encodeURIComponent(source.id)}`);
  if (!response.ok || !response.body) throw await problemOf(response);
  return { stream: response.body, size: Number(response.headers.get("content-length") ?? 0) };
}

async function readFile({
  stream,
  size,
}: {
  stream: ReadableStream<Uint8Array>;
  size: number;
}): Promise<void> {
  const reader = new TraceReader();
  const input = stream.getReader();
  let bytes = 0;
  for (;;) {
    const { value, done } = await input.read();
    if (done) break;
    bytes += value.length;
    // Small pieces: questions of the page are answered in between.
    for (let at = 0; at < value.length; at += pieceBytes) {
      reader.push(value.subarray(at, at + pieceBytes));
      grow(reader.events);
      share = size > 0 ? Math.min(1, bytes / size) : null;
      showSoon();
      if (performance.now() - rested > restMilliseconds) await rest();
    }
  }
  const { notices } = reader.end();
  grow(reader.events);
  tree.notices.push(...notices);
}

const pieceBytes = 1 << 18;
const restMilliseconds = 60;
let rested = performance.now();

async function rest(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve));
  rested = performance.now();
}

function grow(read: readonly TraceEvent[]): void {
  for (let index = events.length; index < read.length; index++) {
    const event = read[index]!;
    events.push(event);
    try {
      if (event.type === "run-resumed") tree = treeOf(events);
      else tree.take(event);
    } catch (error) {
      throw error instanceof NoRun
        ? new NoRun(`record ${index} (line ${index + 1}) ${error.message}`)
        : error;
    }
  }
}
