/**
 * One process that grades, with a deadline: what people and models write can keep a parser busy forever or fill its
 * memory, and a thread could not be stopped without the program.
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { compiledEntry } from "../core/entry.js";
import { StepwrightError } from "../core/errors.js";
import type { GradeReply, GradeRequest } from "./grading.js";

const startMilliseconds = 30_000;
const heapMegabytes = 256;

export class GradingProcess {
  private child: ChildProcess | undefined;

  /** All parts of the reply that came before the deadline, in milliseconds. */
  async ask(request: GradeRequest, deadline: number): Promise<GradeReply> {
    const child = await this.running();
    return new Promise<GradeReply>((resolve) => {
      let reply: GradeReply = {};
      const settle = (alive: boolean) => {
        clearTimeout(timer);
        child.off("message", onMessage).off("exit", onLost).off("error", onLost);
        if (!alive) this.stop();
        resolve(reply);
      };
      const onMessage = (part: unknown) => {
        reply = { ...reply, ...(part as GradeReply) };
        if (reply.done) settle(true);
      };
      const onLost = () => settle(false);
      const timer = setTimeout(onLost, deadline);
      child.on("message", onMessage).on("exit", onLost).on("error", onLost);
      child.send(request, (error) => {
        if (error) onLost();
      });
    });
  }

  stop(): void {
    this.child?.kill("SIGKILL");
    this.child = undefined;
  }

  private async running(): Promise<ChildProcess> {
    if (this.child?.connected) return this.child;
    const started = fork(fileURLToPath(compiledEntry(import.meta.url, "./grading-child.js")), {
      // Nothing of the caller's environment, keys least of all, is any of its business.
      env: {},
      execArgv: [`--max-old-space-size=${heapMegabytes}`],
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    this.child = started;
    // Faults are seen by whoever waits for a reply; without a listener they would end the program.
    started.on("error", () => undefined);
    await ready(started);
    // A waiting grader keeps no program alive; a deadline's timer does while an answer is due.
    started.unref();
    started.channel?.unref();
    return started;
  }
}

function ready(started: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      clearTimeout(timer);
      started.off("message", onMessage).off("exit", onLost).off("error", onLost);
      finish();
    };
    const onMessage = () => settle(resolve);
    const onLost = (cause?: unknown) =>
      settle(() => {
        started.kill("SIGKILL");
        reject(
          new StepwrightError("internal", "the process for grading did not start", {
            remedy: "run `npm run build` if you work on the sources; else install stepwright again",
            cause,
          }),
        );
      });
    const timer = setTimeout(onLost, startMilliseconds);
    started.on("message", onMessage).on("exit", onLost).on("error", onLost);
  });
}
