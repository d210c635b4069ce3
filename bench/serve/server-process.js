// Starts a server for a load test, looks at it from outside, and ends it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The echo server of `echo-server.js`, with its options. */
export function startEchoServer(options = {}) {
  return started("./echo-server.js", JSON.stringify(options));
}

/** A bare HTTP server: what the machine does at most. */
export function startBareServer() {
  return started("./bare-server.js");
}

async function started(program, ...words) {
  const path = fileURLToPath(new URL(program, import.meta.url));
  const child = spawn(process.execPath, [path, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = await Promise.race([
    once(createInterface({ input: child.stdout }), "line"),
    once(child, "exit").then(([code]) => {
      throw new Error(`the server ended with ${code} before it was ready`);
    }),
  ]);
  const { url } = JSON.parse(line);
  return {
    url,
    pid: child.pid,
    metrics: () => metricsOf(url),
    memory: () => residentBytes(child.pid),
    handles: () => readdirSync(`/proc/${child.pid}/fd`).length,
    /** Ends it as a supervisor does; the exit code and the seconds it took. */
    async stop(signal = "SIGTERM") {
      const began = performance.now();
      const exited = child.exitCode === null ? once(child, "exit") : [child.exitCode];
      child.kill(signal);
      const [code] = await exited;
      return { code, seconds: (performance.now() - began) / 1000 };
    },
  };
}

/** Sums of samples by name, labels put aside; with its labels each sample by its whole name, too. */
async function metricsOf(url) {
  const found = new Map();
  for (const line of (await (await fetch(`${url}/metrics`)).text()).split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [, name, labels = "", value] = /^(\w+)(\{.*\})? (\S+)$/.exec(line);
    if (labels) found.set(name + labels, Number(value));
    found.set(name, (found.get(name) ?? 0) + Number(value));
  }
  return found;
}

function residentBytes(pid) {
  return 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]);
}
