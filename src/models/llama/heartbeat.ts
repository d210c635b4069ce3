/** Tells an engine that hangs from one that works: it is silent, and its process does nothing. */
import { readFileSync } from "node:fs";

export interface HeartbeatOptions {
  readonly processId: number;
  /** Seconds of silence without any work. */
  readonly idleSeconds: number;
  /** Seconds of silence whatever the process does. */
  readonly busySeconds: number;
  /** Called once. */
  readonly onHang: (seconds: number) => void;
}

const tickMilliseconds = 1000;

/** Silence is counted in ticks of our own, so that a program that was held up itself blames nobody. */
export class Heartbeat implements Disposable {
  readonly #options: HeartbeatOptions;
  #timer: NodeJS.Timeout | undefined;
  #silent = 0;
  #idle = 0;
  #work: string | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** The engine said something. */
  heard(): void {
    this.#silent = 0;
    this.#idle = 0;
  }

  /** Counts while something is expected of the engine. */
  watch(isExpected: boolean): void {
    if (isExpected === (this.#timer !== undefined)) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.heard();
    if (!isExpected) return;
    this.#timer = setInterval(() => this.#tick(), tickMilliseconds);
    this.#timer.unref();
  }

  [Symbol.dispose](): void {
    this.watch(false);
  }

  #tick(): void {
    const { processId, idleSeconds, busySeconds, onHang } = this.#options;
    this.#silent++;
    const work = workOf(processId);
    this.#idle = work === undefined || work !== this.#work ? 0 : this.#idle + 1;
    this.#work = work;
    if (this.#idle < idleSeconds && this.#silent < busySeconds) return;
    const seconds = this.#silent;
    this.watch(false);
    onHang(seconds);
  }
}

/** Changes while the process computes or waits for a disk; undefined where the system does not tell. */
function workOf(processId: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${processId}/stat`, "latin1");
    // The second field is the program's name in brackets, which may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, userTime, systemTime] = [fields[0], fields[11], fields[12]];
    return state === "D" ? undefined : `${userTime} ${systemTime}`;
  } catch {
    return undefined;
  }
}
