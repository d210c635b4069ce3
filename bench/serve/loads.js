// The load tests, each a function that starts its own server and returns its figures.
import { execFileSync } from "node:child_process";
import { setMaxListeners } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { echoAnswer, echoQuestion } from "../../dist/testing/echo-world.js";
import { chat, keptRun, trickle } from "./client.js";
import { startBareServer, startEchoServer } from "./server-process.js";
import { megabytes, milliseconds, quantile } from "./statistics.js";

const open = { concurrency: 4096, queue: 100_000, requestCost: 1e9, capacityTokens: 1e12 };
const sleep = (seconds) => new Promise((wake) => setTimeout(wake, seconds * 1000));
let nonces = 0;

/** 64 clients, mixed n, an engine that takes 5 ms a call. */
async function l1({ seconds, clients = 64 }) {
  const server = await startEchoServer({ delay: 0.005, limits: open });
  const gaps = [];
  const count = { requests: 0, choices: 0, wrong: 0, cut: 0, errors: 0, frames: 0 };
  await forSeconds(seconds, clients, async (client) => {
    const nonce = `c${client}-${nonces++}`;
    const n = 1 + (nonces % 8);
    const steps = 3 + (nonces % 6);
    let last;
    const onFrame = (_, now) => {
      if (last !== undefined) gaps.push(now - last);
      last = now;
    };
    const answer = await chat(server.url, { nonce, steps, n, onFrame });
    count.requests++;
    count.choices += n;
    count.frames += answer.frames;
    if (!answer.isWhole) count.cut++;
    if (answer.errors.length > 0) count.errors++;
    const expected = echoAnswer(echoQuestion(nonce, steps));
    for (let choice = 0; choice < n; choice++) if (answer.texts[choice] !== expected) count.wrong++;
  });
  await server.stop();
  const between = gaps.filter((gap) => gap > 0.2);
  const [middle, late] = [quantile(between, 0.5), quantile(between, 0.99)];
  return [
    { what: "requests, answers, frames", value: `${count.requests}, ${count.choices}, ${count.frames}` },
    {
      what: "answers lost or mixed up",
      value: count.wrong + count.cut,
      limit: "0",
      passes: count.wrong + count.cut === 0,
    },
    { what: "errors", value: count.errors, limit: "0", passes: count.errors === 0 },
    {
      what: "gap between events, median and p99",
      value: `${milliseconds(middle)}, ${milliseconds(late)}`,
      limit: "p99 under 5 medians",
      passes: late < 5 * middle,
    },
  ];
}

/** 64 clients, an engine that takes no time: how many events one process sends, with and without making them. */
async function l2({ seconds, clients = 64 }) {
  const folder = mkdtempSync(join(tmpdir(), "stepwright-load-"));
  const server = await startEchoServer({ folder, limits: open });
  const ask = () => chat(server.url, { nonce: `t${nonces++}`, steps: 30, stepwright: { provisional: true } });
  await forSeconds(2, clients, ask);
  const before = server.memory();
  const earlier = await server.metrics();
  const made = await perSecond(seconds, clients, async () => (await ask()).frames);
  const later = await server.metrics();
  const delay = later.get('stepwright_event_loop_delay_seconds{quantile="0.99"}') * 1000;
  const cpu = later.get("stepwright_cpu_seconds") - earlier.get("stepwright_cpu_seconds");
  const growth = server.memory() - before;
  const [{ id }] = (await (await fetch(`${server.url}/v1/runs?status=finished&limit=1`)).json()).data;
  const follow = async () =>
    (await (await fetch(`${server.url}/v1/runs/${id}/events`)).text()).split("data: ").length - 1;
  const sent = await perSecond(seconds, clients, follow);
  await server.stop();
  const bare = await startBareServer();
  const most = await perSecond(
    seconds,
    clients,
    async () => (await fetch(bare.url).then((told) => told.text())).split("data: ").length - 1,
  );
  await bare.stop();
  rmSync(folder, { recursive: true });
  return [
    {
      what: "events per second, made by runs as they go",
      value: made.toFixed(0),
      limit: "15000",
      passes: made >= 15_000,
    },
    {
      what: "the same per second of the server's own processor time, scripted engine included",
      value: ((made * seconds) / cpu).toFixed(0),
    },
    { what: "events per second, of kept runs", value: sent.toFixed(0) },
    { what: "events per second, of a bare server with a write each", value: most.toFixed(0) },
    { what: "event-loop delay p99", value: milliseconds(delay), limit: "20 ms", passes: delay < 20 },
    { what: "growth of memory", value: megabytes(growth), limit: "50 MB", passes: growth < 50 * 2 ** 20 },
  ];
}

/** 512 connections at once, a queue of 128. */
async function l3({ connections = 512 }) {
  const [concurrency, queue] = [16, 128];
  const folder = mkdtempSync(join(tmpdir(), "stepwright-load-"));
  const server = await startEchoServer({ delay: 0.5, folder, limits: { ...open, concurrency, queue } });
  const answers = await Promise.all(
    Array.from({ length: connections }, (_, index) => chat(server.url, { nonce: `q${index}`, steps: 3 })),
  );
  const { data: runs } = await (await fetch(`${server.url}/v1/runs?limit=1000`)).json();
  await server.stop();
  rmSync(folder, { recursive: true });
  const served = answers.filter(({ status, isWhole }) => status === 200 && isWhole).length;
  const refused = answers.filter(({ status }) => status === 429);
  const told = refused.filter(({ headers }) => Number(headers["retry-after"]) >= 1).length;
  const overflow = connections - concurrency - queue;
  const broken = answers.filter(({ failure }) => failure).length;
  runs.sort((a, b) => a.created - b.created);
  const overtaken = runs.filter(
    ({ started }, index) => index > 0 && started < runs[index - 1].started,
  ).length;
  return [
    {
      what: "answered whole",
      value: served,
      limit: concurrency + queue,
      passes: served === concurrency + queue,
    },
    {
      what: "429, and of them with retry-after",
      value: `${refused.length}, ${told}`,
      limit: overflow,
      passes: refused.length === overflow && told === overflow,
    },
    { what: "broken connections", value: broken, limit: "0", passes: broken === 0 },
    { what: "started before one that came earlier", value: overtaken, limit: "0", passes: overtaken === 0 },
  ];
}

/** 32 readers of 1 KB/s, of a run whose events fill every socket's buffers, beside 32 usual clients. */
async function l5({ seconds, clients = 32 }) {
  const long = "slow".repeat(12_500);
  const server = await startEchoServer({ delay: 0.002, words: [long], limits: open });
  const rate = () =>
    perSecond(seconds, clients, async () => {
      const { frames } = await chat(server.url, { nonce: `u${nonces++}`, steps: 20 });
      return frames;
    });
  await rate();
  const alone = await rate();
  const { id } = await keptRun(server.url, { nonce: long, steps: 300 });
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  const slow = Array.from({ length: clients }, () =>
    trickle(`${server.url}/v1/runs/${id}/events`, 1024, controller.signal),
  );
  while ((await server.metrics()).get("stepwright_runs_running") > 0) await sleep(0.2);
  const before = server.memory();
  const beside = await rate();
  const growth = server.memory() - before;
  const stillOpen = (await server.metrics()).get("stepwright_streams_open");
  controller.abort();
  const taken = await Promise.all(slow);
  await server.stop();
  const share = beside / alone;
  return [
    {
      what: "events/s of usual clients alone, and beside slow readers",
      value: `${alone.toFixed(0)}, ${beside.toFixed(0)}`,
    },
    { what: "share", value: share.toFixed(3), limit: "at least 0.9", passes: share >= 0.9 },
    {
      what: "slow streams still open, and bytes each has had",
      value: `${stillOpen}, ${quantile(taken, 0.5)}`,
    },
    {
      what: "growth of memory beside them",
      value: megabytes(growth),
      limit: "50 MB",
      passes: growth < 50 * 2 ** 20,
    },
  ];
}

/** Clients that leave at random moments; at the end nothing may be left of them. */
async function l6({ cycles = 1000, clients = 32 }) {
  const server = await startEchoServer({ delay: 0.002, limits: open });
  await chat(server.url, { nonce: "first", steps: 3 });
  await sleep(0.5);
  const before = { handles: server.handles(), memory: server.memory() };
  let left = cycles;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (left-- > 0) {
        const controller = new AbortController();
        setTimeout(() => controller.abort(), Math.random() * 60);
        const one = { nonce: `x${nonces++}`, steps: 30, n: 1 + (nonces % 3) };
        await chat(server.url, { ...one, signal: controller.signal });
      }
    }),
  );
  await sleep(2);
  const metrics = await server.metrics();
  const still = (name) => metrics.get(`stepwright_${name}`);
  const children = childrenOf(server.pid);
  const handles = server.handles() - before.handles;
  const growth = server.memory() - before.memory;
  await server.stop();
  return [
    { what: "cycles, runs begun", value: `${cycles}, ${metrics.get("stepwright_runs_total")}` },
    { what: "branches open", value: still("branches"), limit: "0", passes: still("branches") === 0 },
    {
      what: "runs at work or waiting",
      value: still("runs_running") + still("runs_waiting"),
      limit: "0",
      passes: still("runs_running") + still("runs_waiting") === 0,
    },
    // One may be the connection that reads the metrics.
    { what: "handles more than before", value: handles, limit: "at most 2", passes: handles <= 2 },
    { what: "child processes", value: children, limit: "0", passes: children === 0 },
    { what: "growth of memory", value: megabytes(growth) },
  ];
}

/** One key with jobs of 64 answers, another with single questions. */
async function l7() {
  const server = await startEchoServer({ delay: 0.1, keys: ["many", "single"] });
  const single = async () => {
    const began = performance.now();
    const { isWhole } = await chat(server.url, { nonce: `one${nonces++}`, steps: 5, key: "single" });
    return isWhole ? performance.now() - began : Number.POSITIVE_INFINITY;
  };
  const five = async () => [await single(), await single(), await single(), await single(), await single()];
  await single();
  const alone = quantile(await five(), 0.5);
  const jobs = Array.from({ length: 4 }, () =>
    chat(server.url, { nonce: `all${nonces++}`, steps: 5, n: 64, key: "many" }),
  );
  await sleep(1);
  const beside = Math.max(...(await five()));
  const whole = (await Promise.all(jobs)).filter(
    ({ isWhole, errors }) => isWhole && errors.length === 0,
  ).length;
  await server.stop();
  return [
    { what: "a single question on an idle server, median", value: milliseconds(alone) },
    {
      what: "beside 256 answers of another key, longest of five",
      value: milliseconds(beside),
      limit: "twice its time alone",
      passes: beside <= 2 * alone,
    },
    { what: "jobs of 64 that ended whole", value: whole, limit: "4", passes: whole === 4 },
  ];
}

/** SIGTERM while 64 clients are served: short answers end in time, long ones do not. */
async function l9({ clients = 64 }) {
  const drainSeconds = 3;
  const folder = mkdtempSync(join(tmpdir(), "stepwright-load-"));
  const server = await startEchoServer({ delay: 0.02, folder, limits: { ...open, drainSeconds } });
  const asked = Array.from({ length: clients }, (_, index) =>
    chat(server.url, { nonce: `s${index}`, steps: index % 4 === 0 ? 400 : 8, max_tokens: 20_000 }),
  );
  while ((await server.metrics()).get("stepwright_runs_running") < clients) await sleep(0.1);
  const children = childrenOf(server.pid);
  const stopped = server.stop();
  await sleep(0.1);
  const late = await Promise.all(
    Array.from({ length: 8 }, () => chat(server.url, { nonce: "late", steps: 1 })),
  );
  const answers = await Promise.all(asked);
  const { code, seconds } = await stopped;
  rmSync(folder, { recursive: true });
  const whole = answers.filter(({ isWhole, errors }) => isWhole && errors.length === 0).length;
  const told = answers.filter(({ isWhole, errors }) => isWhole && errors.length > 0).length;
  const refused = late.filter(({ status, failure }) => status === 503 || failure === "ECONNREFUSED").length;
  return [
    {
      what: "accepted requests: finished, told why not, of all",
      value: `${whole}, ${told}, ${clients}`,
      passes: whole + told === clients,
    },
    { what: "requests after SIGTERM that were refused", value: `${refused} of 8`, passes: refused === 8 },
    { what: "exit code", value: code, limit: "0", passes: code === 0 },
    {
      what: "seconds to the end",
      value: seconds.toFixed(1),
      limit: `${drainSeconds} and 2 to clean up`,
      passes: seconds < drainSeconds + 2,
    },
    { what: "child processes of its own before", value: children },
  ];
}

/** What all clients together count in a second. */
async function perSecond(seconds, clients, ask) {
  let count = 0;
  const began = performance.now();
  await forSeconds(seconds, clients, async (client) => {
    const more = await ask(client);
    count += more;
  });
  return count / ((performance.now() - began) / 1000);
}

/** So many clients, each asking again and again until the time is over. */
async function forSeconds(seconds, clients, ask) {
  const end = performance.now() + seconds * 1000;
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      while (performance.now() < end) await ask(client);
    }),
  );
}

function childrenOf(pid) {
  try {
    return execFileSync("pgrep", ["-P", String(pid)], { encoding: "utf8" })
      .trim()
      .split("\n").length;
  } catch {
    // None.
    return 0;
  }
}

export const loads = { L1: l1, L2: l2, L3: l3, L5: l5, L6: l6, L7: l7, L9: l9 };
