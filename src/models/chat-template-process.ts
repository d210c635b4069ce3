/**
 * Renders templates in a child process: a template is code from a stranger. A worker thread would not do: a single
 * huge allocation in a thread ends the whole program whatever its resource limits say (tried: `range(10 ** 9)`).
 */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { compiledEntry } from "../core/entry.js";
import { StepwrightError, throwIfAborted } from "../core/errors.js";
import type { TemplateAnswer } from "./chat-template-child.js";
import type { TemplateRequest } from "./chat-template-render.js";

export interface TemplateLimits {
  /** Milliseconds for one rendering; default 2000. */
  readonly milliseconds?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const startMilliseconds = 30_000;
const idleMilliseconds = 10_000;
const heapMegabytes = 128;

let child: ChildProcess | undefined;
let idle: NodeJS.Timeout | undefined;
let last: Promise<unknown> = Promise.resolve();

/**
 * The template's text for a conversation. Requests wait for each other, so that a limit only stops the template that
 * broke it. Throws `template-limit`, `template-invalid` or `aborted`.
 */
export function renderInProcess(request: TemplateRequest, limits: TemplateLimits = {}): Promise<string> {
  const result = last.then(() => renderNow(request, limits));
  last = result.catch(() => undefined);
  return result;
}

async function renderNow(request: TemplateRequest, limits: TemplateLimits): Promise<string> {
  throwIfAborted(limits.signal);
  clearTimeout(idle);
  const running = await ready();
  const milliseconds = limits.milliseconds ?? 2000;
  running.send(request);
  const answer = await nextMessage<TemplateAnswer>(running, milliseconds, limits.signal);
  idle = setTimeout(stop, idleMilliseconds).unref();
  if ("text" in answer) return answer.text;
  if (answer.fault === "limit") throw limitError(answer.message);
  throw new StepwrightError("template-invalid", `the chat template failed: ${answer.message}`, {
    remedy: "give the model another chat template, or convert the model again",
  });
}

async function ready(): Promise<ChildProcess> {
  if (child?.connected) return child;
  const started = fork(fileURLToPath(compiledEntry(import.meta.url, "./chat-template-child.js")), {
    // Nothing of the caller's environment, keys least of all, is any of its business.
    env: {},
    execArgv: [`--max-old-space-size=${heapMegabytes}`, "--disallow-code-generation-from-strings"],
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  child = started;
  // Faults are seen by whoever waits for a message; without a listener they would end the program.
  started.on("error", () => undefined);
  await nextMessage(started, startMilliseconds, undefined);
  // An idle renderer keeps no program alive.
  started.unref();
  started.channel?.unref();
  return started;
}

function stop(): void {
  child?.kill("SIGKILL");
  child = undefined;
}

function nextMessage<Message>(
  from: ChildProcess,
  milliseconds: number,
  signal: AbortSignal | undefined,
): Promise<Message> {
  return new Promise<Message>((resolve, reject) => {
    const settle = (finish: () => void) => {
      clearTimeout(timer);
      from.off("message", onMessage).off("exit", onExit).off("error", onError);
      signal?.removeEventListener("abort", onAbort);
      finish();
    };
    const giveUp = (error: StepwrightError) =>
      settle(() => {
        stop();
        reject(error);
      });
    const onMessage = (message: unknown) => settle(() => resolve(message as Message));
    const onExit = () => giveUp(limitError("it used up the memory it may have"));
    const onError = (cause: Error) =>
      giveUp(new StepwrightError("internal", "the process for chat templates failed", { cause }));
    const onAbort = () =>
      giveUp(new StepwrightError("aborted", "the run was aborted", { cause: signal?.reason }));
    const timer = setTimeout(() => giveUp(limitError(`it ran for ${milliseconds} ms`)), milliseconds);
    from.on("message", onMessage).on("exit", onExit).on("error", onError);
    signal?.addEventListener("abort", onAbort);
  });
}

function limitError(what: string): StepwrightError {
  return new StepwrightError("template-limit", `the chat template was stopped: ${what}`, {
    remedy: "give the model another chat template",
  });
}
