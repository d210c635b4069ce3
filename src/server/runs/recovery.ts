/** After the engine's end: holds back what waits, and tries the models again, longer and longer apart. */
import { StepwrightError } from "../../core/errors.js";
import type { Model } from "../../core/model.js";
import type { RunRoles } from "../../core/run.js";

export interface RecoveryOptions {
  /** Told when the models answer again. */
  readonly onReady: () => void;
  readonly onNotice: (notice: string) => void;
  /** Seconds before the first try, doubled after each that fails. */
  readonly firstDelay?: number;
}

const longestDelay = 30;
/** An engine that lived so long after its last end is well: the next end starts with the first delay again. */
const healthySeconds = 60;

export class Recovery implements Disposable {
  readonly #options: RecoveryOptions;
  readonly #firstDelay: number;
  #delay: number;
  #timer: NodeJS.Timeout | undefined;
  #isOver = false;
  #lastEnd = Number.NEGATIVE_INFINITY;

  constructor(options: RecoveryOptions) {
    this.#options = options;
    this.#firstDelay = options.firstDelay ?? 0.1;
    this.#delay = this.#firstDelay;
  }

  get isReady(): boolean {
    return this.#timer === undefined;
  }

  /** A run failed. If the engine is to blame, nothing starts before its models answer again. */
  note(error: unknown, roles: RunRoles): void {
    if (this.#isOver || this.#timer || !StepwrightError.is(error, "engine-failed")) return;
    const models = [roles.draft, roles.target].filter((model) => model !== undefined);
    if (models.length === 0) return;
    const now = performance.now() / 1000;
    if (now - this.#lastEnd > healthySeconds) this.#delay = this.#firstDelay;
    this.#lastEnd = now;
    this.#options.onNotice(`the engine failed and is started again: ${(error as Error).message}`);
    this.#tryLater(models);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #tryLater(models: readonly Model[]): void {
    this.#timer = setTimeout(() => void this.#try(models), this.#delay * 1000);
    this.#delay = Math.min(longestDelay, 2 * this.#delay);
  }

  async #try(models: readonly Model[]): Promise<void> {
    try {
      // A call on a model whose engine is gone starts the engine and loads the model.
      await Promise.all(models.map((model) => model.tokenize("ready?")));
    } catch (error) {
      if (this.#isOver) return;
      this.#options.onNotice(`the engine cannot be started: ${(error as Error).message}`);
      this.#tryLater(models);
      return;
    }
    this.#timer = undefined;
    if (!this.#isOver) this.#options.onReady();
  }
}
