/** The real server with the studio, over echoing models, with traces and a bench to show. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeReport } from "../../src/bench/report/write-report.js";
import { summarise } from "../../src/bench/summary.js";
import type { RunRequest } from "../../src/core/run.js";
import { encodeLine } from "../../src/core/trace.js";
import type { TraceEvent } from "../../src/core/trace-event.js";
import beam from "../../src/methods/beam.js";
import rsd from "../../src/methods/rsd.js";
import type { Script } from "../../src/models/scripted-faults.js";
import { type RunningServer, serveModels, startServer } from "../../src/server/index.js";
import { createStudio } from "../../src/server/studio/index.js";
import { benchRoles, runBenchWorld } from "../../src/testing/bench-world.js";
import { echoQuestion, echoWorld } from "../../src/testing/echo-world.js";
import { eventsOf } from "../../src/testing/small-models.js";
import { toyQuestion, toyWorld } from "../../src/testing/toy-world.js";

export const token = "a-start-token-of-the-tests-00001";

/** The draft's third step slips, and the target writes it anew. */
export const question = echoQuestion("heron", 5);

export interface StudioWorld extends AsyncDisposable {
  readonly folder: string;
  readonly link: string;
  readonly origin: string;
  server: RunningServer;
  /** Adds a trace to those that are shown. */
  addTrace(name: string, contents: string | Uint8Array | readonly TraceEvent[]): Promise<void>;
  stop(): Promise<void>;
  /** On the same port, with the same token and folder. */
  start(): Promise<void>;
}

export async function studioWorld({
  bench = false,
  script = {},
}: {
  bench?: boolean;
  script?: Script;
} = {}): Promise<StudioWorld> {
  const folder = await mkdtemp(join(tmpdir(), "stepwright-studio-"));
  const traces = join(folder, "traces");
  const benches = bench ? [await benchFolder(join(folder, "sums"))] : [];
  await mkdir(traces);
  let server = await serve(folder, traces, benches, 0, script);
  const { port } = server;
  return {
    folder,
    origin: `http://127.0.0.1:${port}`,
    link: `http://127.0.0.1:${port}/studio/?token=${token}`,
    get server() {
      return server;
    },
    async addTrace(name, contents) {
      const bytes = isEvents(contents) ? Buffer.concat(contents.map(encodeLine)) : contents;
      await writeFile(join(traces, name), bytes);
    },
    async stop() {
      await server[Symbol.asyncDispose]();
    },
    async start() {
      server = await serve(folder, traces, benches, port, script);
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function isEvents(contents: string | Uint8Array | readonly TraceEvent[]): contents is readonly TraceEvent[] {
  return Array.isArray(contents);
}

async function serve(
  folder: string,
  traces: string,
  benches: readonly string[],
  port: number,
  script: Script,
): Promise<RunningServer> {
  const { roles } = echoWorld(script);
  const models = await serveModels({
    pairs: [
      { name: "default", roles: ["draft", "target", "reward"], references: {}, open: async () => roles },
    ],
    defaults: new Map([["default", "rsd/default"]]),
  });
  const studio = await createStudio({ token, traces: [traces], benches });
  const server = await startServer({
    models,
    port,
    folder: join(folder, "runs"),
    studio,
    limits: { drainSeconds: 0.1 },
  });
  await models.opened;
  return server;
}

async function benchFolder(folder: string): Promise<string> {
  await mkdir(folder);
  const { plan, results } = await runBenchWorld(folder, { questions: 24, methods: "draft,target,rsd" });
  const { draft, target } = benchRoles();
  const summary = summarise("sums", plan, results, { sizes: { draft: draft.size, target: target.size } });
  const file = {
    identity: "0123456789abcdef",
    configuration: {
      version: 1,
      task: { name: "sums", offset: 0, limit: 24, grading: "math", questions: "" },
      seeds: [0],
      methods: [],
      request: {},
      references: {},
    },
  };
  await writeFile(join(folder, "bench.json"), JSON.stringify(file));
  await writeReport(folder, summary, plan, results);
  return folder;
}

async function record(request: Omit<RunRequest, "roles" | "question">): Promise<TraceEvent[]> {
  const { roles } = toyWorld(request.method);
  const seen = await eventsOf({ ...request, question: toyQuestion, roles, sampling: { temperature: 1 } });
  return seen.filter((event): event is TraceEvent => event.type !== "text-written");
}

/** A recorded run in which the draft was rejected here and there. */
export const rsdTrace = () => record({ method: rsd, seed: 1, id: "recorded" });
export const beamTrace = () => record({ method: beam, seed: 1, id: "searched" });
