/** Opens models by reference, each once, and closes them all. Looking for a model loads nothing. */
import { StepwrightError } from "../core/errors.js";
import type { Model } from "../core/model.js";
import type { Reward } from "../core/reward.js";
import type { Role, Writer } from "../core/search.js";
import { loadHead, loadHeadFacts } from "../models/head-file.js";
import { resolveModelFile } from "../models/hub-inventory.js";
import { type HubSettings, hubSettings } from "../models/hub-settings.js";
import { openLlama } from "../models/llama/index.js";
import { parseModelReference } from "../models/reference.js";
import { openReward, settleReward } from "../rewards/index.js";
import { checkDemoReward, demoWriter, isDemo, openDemoModel, openDemoReward } from "./demo/models.js";
import type { References } from "./references.js";

interface Located {
  /** Equal for references to the same weights. */
  readonly key: string;
  open(): Promise<Model>;
}

export interface StoreOptions {
  readonly hub?: HubSettings;
  readonly signal?: AbortSignal;
  /** Shared with other stores, so that what several name is opened once; to be closed by whoever made it. */
  readonly models?: Map<string, Promise<Model>>;
}

export class ModelStore implements AsyncDisposable {
  readonly references: References;
  readonly #hub: HubSettings;
  readonly #signal: AbortSignal | undefined;
  readonly #opened: Map<string, Promise<Model>>;
  readonly #closes: boolean;
  readonly #rewards = new Map<string, Promise<Reward>>();

  constructor(references: References, { hub = hubSettings(), signal, models }: StoreOptions = {}) {
    this.references = references;
    this.#hub = hub;
    this.#signal = signal;
    this.#opened = models ?? new Map();
    this.#closes = models === undefined;
  }

  /** Throws if anything that the roles name, or these further rewards, is missing. Loads nothing. */
  async check(roles: readonly Role[], rewards: readonly string[] = []): Promise<void> {
    for (const role of roles) {
      const reference = this.#reference(role);
      if (role === "reward") await this.#checkReward(reference);
      else await this.#locate(reference);
    }
    for (const reference of rewards) await this.#checkReward(reference);
  }

  async #checkReward(reference: string): Promise<void> {
    if (isDemo(reference)) return checkDemoReward(reference);
    const { resources } = await settleReward(reference);
    for (const resource of resources) await this.#locate(resource);
  }

  model(role: Writer): Promise<Model> {
    return this.#open(this.#reference(role));
  }

  /** Each is opened once. */
  reward(reference = this.#reference("reward")): Promise<Reward> {
    const opened = this.#rewards.get(reference) ?? this.#openReward(reference);
    this.#rewards.set(reference, opened);
    return opened;
  }

  async #openReward(reference: string): Promise<Reward> {
    if (isDemo(reference)) return openDemoReward(reference);
    return openReward(reference, {
      openModel: (model) => this.#open(model),
      loadHead: async (source, names) => loadHead((await this.#locate(source)).key, names),
      loadHeadFacts: async (source) => loadHeadFacts((await this.#locate(source)).key),
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Rewards hold branches of the models.
    await closeAll(this.#rewards.values());
    if (this.#closes) await closeAll(this.#opened.values());
  }

  #reference(role: Role): string {
    const reference = this.references[role];
    if (reference !== undefined) return reference;
    throw new StepwrightError("missing-role", `no ${role} is named`, {
      subject: role,
      remedy: `name one: --${role}`,
    });
  }

  async #open(reference: string): Promise<Model> {
    const { key, open } = await this.#locate(reference);
    const opened = this.#opened.get(key) ?? open();
    this.#opened.set(key, opened);
    return opened;
  }

  /** `draft` and `target` are the run's own models. */
  async #locate(reference: string): Promise<Located> {
    if (reference === "draft" || reference === "target") return this.#locate(this.#reference(reference));
    const { threads, context, exact, pace } = this.references;
    if (isDemo(reference)) {
      demoWriter(reference);
      return { key: reference, open: async () => openDemoModel(reference, pace) };
    }
    const parsed = parseModelReference(reference);
    const path = await resolveModelFile(parsed, this.#hub);
    const whiteBox = parsed.kind === "graph";
    const size = context === undefined ? {} : { context };
    // Every run pays for its own prompt, whatever ran before it.
    const options = {
      threads,
      exact,
      caches: "fitting",
      keptPrompts: 0,
      signal: this.#signal,
      ...size,
    } as const;
    return { key: whiteBox ? `graph:${path}` : path, open: () => openLlama(path, { ...options, whiteBox }) };
  }
}

/** Those that were opened; the others left nothing behind. */
export async function closeAll(opening: Iterable<Promise<AsyncDisposable>>): Promise<void> {
  for (const opened of await Promise.allSettled(opening)) {
    if (opened.status === "fulfilled") await opened.value[Symbol.asyncDispose]();
  }
}
