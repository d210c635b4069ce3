/** The program's end of the engine's process: starts it when needed, speaks `protocol.ts`, turns its death into errors. */
import { type ChildProcess, fork } from "node:child_process";
import { compiledEntry } from "../../core/entry.js";
import { StepwrightError, throwIfAborted } from "../../core/errors.js";
import { Heartbeat } from "./heartbeat.js";
import type { Answers, Call, FromEngine, Order, ToEngine } from "./protocol.js";

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
  readonly onText: ((text: string) => void) | undefined;
}

export interface EngineOptions {
  /** A process that neither says nor does anything for so long, while it should, is ended. Default 10. */
  readonly idleSeconds?: number;
}

/** One that works, but says nothing for so long, is ended too: the longest pass on a slow machine is far shorter. */
const busySeconds = 300;

/** Last words of the process, for the error that its death becomes. */
const stderrLimit = 4096;

export class Engine implements AsyncDisposable {
  readonly #idleSeconds: number;
  #process: ChildProcess | null = null;
  #heartbeat: Heartbeat | undefined;
  #stderr = "";
  #outbox: ToEngine[] = [];
  #calls = 0;
  readonly #pending = new Map<number, Pending>();
  /** Counts the starts: what was made by an earlier process is gone. */
  generation = 0;

  constructor({ idleSeconds = 10 }: EngineOptions = {}) {
    this.#idleSeconds = idleSeconds;
  }

  /** The process id of the running engine, for diagnostics and fault tests. */
  get processId(): number | undefined {
    return this.#process?.pid;
  }

  /** False before the first call and after the process has ended. */
  get running(): boolean {
    return this.#process !== null;
  }

  /** A call that is answered. An abort ends it in the engine too; the promise settles with the engine's word. */
  async call<Type extends Call["type"]>(
    message: Extract<Call, { type: Type }>,
    options: { signal?: AbortSignal | undefined; onText?: ((text: string) => void) | undefined } = {},
  ): Promise<Answers[Type]> {
    const { signal, onText } = options;
    throwIfAborted(signal);
    const call = ++this.#calls;
    const cancel = () => this.order({ type: "cancel", model: message.model, call });
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      return await new Promise<Answers[Type]>((resolve, reject) => {
        this.#pending.set(call, { resolve, reject, onText });
        this.#post({ ...message, call } as ToEngine);
      });
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  /** A message that is not answered. To an engine that is not running it means nothing. */
  order(message: Order): void {
    if (this.#process) this.#post(message);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#process;
    if (!child) return;
    this.#process = null;
    this.#failPending("the engine was closed");
    await new Promise<void>((resolve) => {
      child.once("exit", () => resolve());
      child.ref();
      child.disconnect();
    });
  }

  /** Messages of one turn go out in one packet, so that the scheduler sees them together. */
  #post(message: ToEngine): void {
    this.#process ??= this.#start();
    if (this.#outbox.length === 0) queueMicrotask(() => this.#flush());
    this.#outbox.push(message);
  }

  #flush(): void {
    const packet = this.#outbox;
    this.#outbox = [];
    const child = this.#process;
    if (!child?.connected) return;
    this.#keepAlive(child);
    child.send(packet, (error) => {
      if (error) this.#failPending(`the engine cannot be reached: ${error.message}`);
    });
  }

  #start(): ChildProcess {
    this.generation++;
    this.#stderr = "";
    const child = fork(compiledEntry(import.meta.url, "./engine-main.js"), [], {
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      execArgv: [],
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-stderrLimit);
    });
    const heartbeat = new Heartbeat({
      processId: child.pid ?? 0,
      idleSeconds: this.#idleSeconds,
      busySeconds,
      onHang: (seconds) => {
        this.#stderr = `it had not answered for ${seconds} s`;
        child.kill("SIGKILL");
      },
    });
    this.#heartbeat = heartbeat;
    child.on("message", (packet: FromEngine[]) => {
      heartbeat.heard();
      for (const message of packet) this.#receive(message);
      this.#keepAlive(child);
    });
    child.on("exit", (code, signal) => {
      heartbeat[Symbol.dispose]();
      if (this.#process !== child) return;
      this.#process = null;
      const how = signal ? `was ended by ${signal}` : `ended with code ${code}`;
      const words = this.#stderr.trim();
      this.#failPending(`the engine's process ${how}${words === "" ? "" : `: ${words.slice(-500)}`}`);
    });
    child.on("error", (error) => this.#failPending(`the engine cannot be started: ${error.message}`));
    return child;
  }

  #receive(message: FromEngine): void {
    const pending = this.#pending.get(message.call);
    if (!pending) return;
    if (message.type === "text") {
      pending.onText?.(message.text);
      return;
    }
    this.#pending.delete(message.call);
    if (message.type === "answer") pending.resolve(message.value as never);
    else pending.reject(StepwrightError.fromJSON(message.error));
  }

  #failPending(message: string): void {
    const error = new StepwrightError("engine-failed", message, {
      remedy: "run the command again; `stepwright doctor` checks the engine, a trace resumes the run",
    });
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(error);
  }

  /** The process keeps the program alive while a call is out, and not longer; it is watched as long. */
  #keepAlive(child: ChildProcess): void {
    this.#heartbeat?.watch(this.#pending.size > 0);
    const handles = [child, child.channel, child.stderr as unknown as { ref(): void; unref(): void } | null];
    for (const handle of handles) {
      if (this.#pending.size > 0) handle?.ref();
      else handle?.unref();
    }
  }
}

let shared: Engine | undefined;

/** One engine for the whole program: its models share one compute queue. */
export function sharedEngine(): Engine {
  shared ??= new Engine();
  return shared;
}
