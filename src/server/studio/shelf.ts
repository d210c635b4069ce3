/** Trace files and bench folders that the studio was told to show. Requests name them by ids, never by paths. */
import { createHash } from "node:crypto";
import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { StepwrightError } from "../../core/errors.js";
import type { TraceEvent } from "../../core/trace-event.js";
import { parseTraceEvent } from "../../core/trace-schema.js";

export interface ShelvedTrace {
  readonly id: string;
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
  /** Unix seconds. */
  readonly modified: number;
}

/** More files than this are no list that one reads; the newest are kept. */
const mostTraces = 1000;
const deepest = 3;

export class Shelf {
  readonly #places: readonly string[];
  readonly #benches: readonly string[];
  readonly #facts = new Map<string, { readonly stamp: string; readonly facts: TraceFacts }>();

  /** `places`: trace files, and folders that hold some, looked through anew each time. */
  constructor(places: readonly string[], benches: readonly string[]) {
    this.#places = places;
    this.#benches = benches;
  }

  async traces(): Promise<ShelvedTrace[]> {
    const found = new Map<string, ShelvedTrace>();
    for (const place of this.#places) {
      for (const path of await tracesAt(place)) {
        const facts = await stat(path).catch(() => undefined);
        if (!facts?.isFile()) continue;
        const name = relative(place, path) || basename(path);
        const id = idOf(path);
        found.set(id, { id, path, name, bytes: facts.size, modified: facts.mtimeMs / 1000 });
      }
    }
    return [...found.values()].sort((a, b) => b.modified - a.modified).slice(0, mostTraces);
  }

  async trace(id: string): Promise<ShelvedTrace | undefined> {
    return (await this.traces()).find((trace) => trace.id === id);
  }

  /** From the first record and the last one. */
  async facts({ path, bytes, modified }: ShelvedTrace): Promise<TraceFacts> {
    const stamp = `${bytes} ${modified}`;
    const known = this.#facts.get(path);
    if (known?.stamp === stamp) return known.facts;
    const facts = await readFacts(path, bytes).catch(() => ({}));
    this.#facts.set(path, { stamp, facts });
    return facts;
  }

  get benches(): readonly { readonly id: string; readonly path: string; readonly name: string }[] {
    return this.#benches.map((path) => ({ id: idOf(path), path, name: basename(path) }));
  }
}

/** Throws `storage-failed` for what is not there. */
export async function checkPlace(path: string): Promise<"bench" | "traces"> {
  try {
    const facts = await stat(path);
    if (!facts.isDirectory()) return "traces";
    return (await stat(join(path, "bench.json")).catch(() => undefined))?.isFile() ? "bench" : "traces";
  } catch (cause) {
    throw new StepwrightError("storage-failed", `there is nothing to show at ${path}`, {
      subject: path,
      remedy: "name a trace file, a folder of traces, or a bench's folder",
      cause,
    });
  }
}

async function tracesAt(place: string, depth = 0): Promise<string[]> {
  const entries = await readdir(place, { withFileTypes: true }).catch(() => undefined);
  if (!entries) return depth === 0 ? [place] : [];
  const found: string[] = [];
  for (const entry of entries) {
    const path = join(place, entry.name);
    if (entry.isFile() && entry.name.endsWith(".jsonl")) found.push(path);
    if (entry.isDirectory() && depth < deepest) found.push(...(await tracesAt(path, depth + 1)));
  }
  return found;
}

export interface TraceFacts {
  readonly method?: string;
  readonly question?: string;
  readonly seed?: number;
  readonly finish?: string;
  readonly flops?: number;
  readonly seconds?: number;
}

/** The first line holds the question, the last one the answer's text and the ledger. */
const endBytes = 1 << 18;
const shownCharacters = 300;

async function readFacts(path: string, bytes: number): Promise<TraceFacts> {
  const file = await open(path, "r");
  try {
    const first = recordOf((await text(file, 0, endBytes)).split("\n")[0]!);
    if (first?.type !== "run-started") return {};
    const { method, question, seed } = first;
    const begun = { method, seed, question: Array.from(question.slice(0, shownCharacters)).join("") };
    const last = recordOf(
      (await text(file, Math.max(0, bytes - endBytes), endBytes)).trimEnd().split("\n").at(-1)!,
    );
    if (last?.type === "run-failed") return { ...begun, finish: "failed" };
    if (last?.type !== "run-finished") return { ...begun, finish: "interrupted" };
    const { flops, seconds } = last.ledger.total;
    return { ...begun, finish: last.finish, flops, seconds };
  } finally {
    await file.close();
  }
}

async function text(file: FileHandle, from: number, length: number): Promise<string> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, from);
  return buffer.toString("utf8", 0, bytesRead);
}

function recordOf(line: string): TraceEvent | undefined {
  try {
    const { record } = JSON.parse(line) as { record?: unknown };
    const parsed = parseTraceEvent(record);
    return "event" in parsed ? parsed.event : undefined;
  } catch {
    return undefined;
  }
}

function idOf(path: string): string {
  return createHash("sha256").update(path).digest("hex").slice(0, 16);
}
