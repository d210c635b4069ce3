/** Opens models by reference, each once, and closes them all. Looking for a model loads nothing. */
import { isAbsolute, resolve } from "node:path";
import { StepwrightError } from "../core/errors.js";
import type { Model } from "../core/model.js";
import type { Reward } from "../core/reward.js";
import type { Writer } from "../core/search.js";
import { loadHead } from "../models/head-file.js";
import { openLlama } from "../models/llama/index.js";
import { openReward, parseRewardReference } from "../rewards/index.js";
import { isDemo, openDemoModel, openDemoReward } from "./demo/models.js";

/** What is needed to open the same models again; a trace keeps it. */
export interface References {
  readonly draft?: string | undefined;
  readonly target?: string | undefined;
  readonly reward?: string | undefined;
  readonly threads: number;
  readonly context?: number | undefined;
  readonly exact: boolean;
  /** Seconds that the demo's scripted models take for a token. */
  readonly pace?: number | undefined;
}

interface Located {
  /** Equal for references to the same weights. */
  readonly key: string;
  open(): Promise<Model>;
}

export class ModelStore implements AsyncDisposable {
  readonly references: References;
  readonly #opened = new Map<string, Promise<Model>>();
  readonly #rewards: Reward[] = [];

  /** Paths in `references` must be absolute: a trace is resumed from any folder. */
  constructor(references: References) {
    this.references = references;
  }

  /** Throws if anything that the roles name is missing. Loads nothing. */
  async check(roles: readonly (Writer | "reward")[]): Promise<void> {
    for (const role of roles) {
      const reference = this.#reference(role);
      if (isDemo(reference)) continue;
      await this.#locate(role === "reward" ? parseRewardReference(reference).model : reference);
    }
  }

  async model(role: Writer): Promise<Model> {
    return this.#open(this.#reference(role));
  }

  async reward(): Promise<Reward> {
    const reference = this.#reference("reward");
    const reward = isDemo(reference)
      ? openDemoReward(reference)
      : await openReward(reference, {
          openModel: (model) => this.#open(model),
          loadHead: async (source, names) => loadHead(await this.#headPath(source), names),
        });
    this.#rewards.push(reward);
    return reward;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const reward of this.#rewards) await reward[Symbol.asyncDispose]();
    for (const model of await Promise.allSettled(this.#opened.values())) {
      if (model.status === "fulfilled") await model.value[Symbol.asyncDispose]();
    }
  }

  #reference(role: Writer | "reward"): string {
    const reference = this.references[role];
    if (reference === undefined) {
      throw new StepwrightError("missing-role", `no ${role} is named`, {
        subject: role,
        remedy: `name one: --${role}`,
      });
    }
    return reference;
  }

  async #open(reference: string): Promise<Model> {
    const { key, open } = await this.#locate(reference);
    let model = this.#opened.get(key);
    if (!model) {
      model = open();
      this.#opened.set(key, model);
    }
    return model;
  }

  async #headPath(source: string): Promise<string> {
    return source;
  }

  /** `draft` and `target` are the run's own models. */
  async #locate(reference: string): Promise<Located> {
    if (reference === "draft" || reference === "target") return this.#locate(this.#reference(reference));
    if (isDemo(reference))
      return { key: reference, open: async () => openDemoModel(reference, this.references.pace) };
    const path = reference;
    const { threads, context, exact } = this.references;
    return { key: path, open: () => openLlama(path, { threads, exact, ...(context ? { context } : {}) }) };
  }
}

/** A path as it must stand in a trace; other references stay as they are. */
export function lastingReference(reference: string, folder: string): string {
  return isDemo(reference) || isAbsolute(reference) ? reference : resolve(folder, reference);
}
