// How soon a step leaves the server after it was decided for, with 64 streams open: from the moment the run's log has the
// decision to the moment its text is handed to the socket. One process; clients are in another.
//   npm run build && node bench/serve-stream.js [--streams 64] [--rounds 3] [--delay 0.5]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { ServerResponse } from "node:http";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { serveModels, startServer } from "../dist/server/index.js";
import { EventLog } from "../dist/server/runs/event-log.js";
import { echoWorld } from "../dist/testing/echo-world.js";
import { milliseconds, quantile, verdict } from "./serve/statistics.js";

const { values } = parseArgs({
  options: {
    streams: { type: "string", default: "64" },
    rounds: { type: "string", default: "3" },
    // Seconds that a call of the engine takes: the runs are out of step with each other.
    delay: { type: "string", default: "0.5" },
    // The clients' part, in a process of its own.
    client: { type: "string" },
  },
});
if (values.client) await askAll(values.client);
else await measure();

async function askAll(url) {
  const { chat } = await import("./serve/client.js");
  for (let round = 0; round <= Number(values.rounds); round++) {
    await Promise.all(
      Array.from({ length: Number(values.streams) }, (_, index) =>
        chat(url, { nonce: `r${round}s${index}`, steps: 10 }),
      ),
    );
  }
}

async function measure() {
  const decided = new Map();
  const waits = { first: [], all: [] };
  watchDecisions(decided);
  watchSockets(decided, waits);
  const delay = Number(values.delay);
  const world = echoWorld({ delay: () => delay * (0.5 + Math.random()) });
  const models = await serveModels({
    pairs: [
      { name: "echo", roles: ["draft", "target", "reward"], references: {}, open: async () => world.roles },
    ],
    defaults: new Map([["echo", "rsd/echo"]]),
  });
  const server = await startServer({ models, folder: null, port: 0, limits: { concurrency: 256 } });
  const own = fileURLToPath(import.meta.url);
  const flags = ["--client", server.url, "--streams", values.streams, "--rounds", values.rounds];
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  const [code] = await once(spawn(process.execPath, [own, ...flags], { stdio: "inherit" }), "exit");
  await server.stop();
  const told = (times) =>
    `${[0.5, 0.9, 0.99, 1].map((share) => milliseconds(quantile(times, share))).join(", ")} of ${times.length}`;
  const late = quantile(waits.first, 0.99);
  const passes = verdict(`${values.streams} streams`, [
    { what: "first step, decided to sent: p50, p90, p99, most", value: told(waits.first) },
    { what: "all steps", value: told(waits.all) },
    {
      // What the machine does to any timer of this process at the same time, its resolution of 1 ms included.
      what: "event-loop delay p50, p90, p99",
      value: [50, 90, 99].map((share) => milliseconds(loop.percentile(share) / 1e6)).join(", "),
    },
    { what: "first step p99", value: milliseconds(late), limit: "5 ms", passes: late <= 5 },
    { what: "clients ended with", value: code, limit: "0", passes: code === 0 },
  ]);
  process.exit(passes ? 0 : 1);
}

/** When each step's decision came into its run's log, by the step's text, which no other step has. */
function watchDecisions(decided) {
  const { append } = EventLog.prototype;
  const texts = new WeakMap();
  EventLog.prototype.append = function (event) {
    const own = texts.get(this) ?? new Map();
    texts.set(this, own);
    if (event.type === "step-written") own.set(event.node, event.text.trim());
    if (event.type === "step-committed") decided.set(own.get(event.node), performance.now());
    return append.call(this, event);
  };
}

/** When its text is written to the client's socket. */
function watchSockets(decided, waits) {
  const { write } = ServerResponse.prototype;
  ServerResponse.prototype.write = function (chunk, ...rest) {
    const now = performance.now();
    for (const [, content] of Buffer.from(chunk)
      .toString()
      .matchAll(/"content":"([^"]*)"/g)) {
      const text = content.replaceAll("\\n", "").replaceAll("\\\\", "\\").trim();
      const since = decided.get(text);
      if (since === undefined) continue;
      decided.delete(text);
      // The first round warms up.
      if (/ of r0s/.test(text)) continue;
      waits.all.push(now - since);
      if (text.startsWith("Step 1 ")) waits.first.push(now - since);
    }
    return write.call(this, chunk, ...rest);
  };
}
