/** The models that a server answers with: opened once, all of them, before it is ready. */
import type { Method } from "../core/method.js";
import { type Capability, type Model, offers } from "../core/model.js";
import type { Role } from "../core/search.js";
import { methods } from "../methods/index.js";
import { ApiError } from "./api-error.js";
import { modelNotFound } from "./model-not-found.js";
import type { ModelState, Pair, Preset, ServedModels } from "./types.js";

/** Opens the models of a pair; the roles that it has are known before. */
export interface PairSource {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly references: Readonly<Record<string, unknown>>;
  open(): Promise<Pick<Pair, Role>>;
}

export interface ServedModelsOptions {
  /** The first is the default. May be empty: then nothing but stored runs can be asked for. */
  readonly pairs: readonly PairSource[];
  /** Presets under names of their own, beside METHOD/PAIR for every method that a pair can serve. */
  readonly presets?: readonly Preset[];
  /** What a pair's plain name stands for: a preset's id by the pair's name. */
  readonly defaults: ReadonlyMap<string, string>;
  /** Closes what was opened. */
  readonly close?: () => Promise<void>;
}

export async function serveModels(options: ServedModelsOptions): Promise<ServedModels> {
  return new OpenedModels(options, await methods.all());
}

class OpenedModels implements ServedModels {
  readonly pairNames: readonly string[];
  readonly opened: Promise<void>;
  #state: ModelState = "loading";
  #failure: Error | undefined;
  #presets: ReadonlyMap<string, Preset>;
  readonly #pairs = new Map<string, Pair>();
  readonly #options: ServedModelsOptions;
  readonly #all: readonly Method[];

  constructor(options: ServedModelsOptions, all: readonly Method[]) {
    this.#options = options;
    this.#all = all;
    this.pairNames = options.pairs.map(({ name }) => name);
    this.#presets = this.#listPresets();
    this.opened = this.#open();
    // Whoever does not wait for it reads the state.
    this.opened.catch(() => {});
  }

  get presets(): readonly Preset[] {
    return [...this.#presets.values()];
  }

  get state(): ModelState {
    return this.#state;
  }

  get failure(): Error | undefined {
    return this.#failure;
  }

  find(model: string): Preset | undefined {
    const [first] = this.pairNames;
    const id =
      this.#options.defaults.get(model) ??
      (model === "draft" || model === "target" ? `${model}/${first}` : model);
    return this.#presets.get(id);
  }

  pair(name: string): Pair {
    const pair = this.#pairs.get(name);
    if (pair) return pair;
    if (!this.pairNames.includes(name)) throw modelNotFound(name);
    if (this.#state === "failed") {
      throw new ApiError(503, "models_failed", "the models could not be opened", { cause: this.#failure });
    }
    throw new ApiError(503, "models_loading", "the models are being opened", {
      retryAfter: 2,
      remedy: "ask again when GET /ready answers 200",
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.opened.catch(() => {});
    await this.#options.close?.();
  }

  async #open(): Promise<void> {
    try {
      for (const source of this.#options.pairs) {
        this.#pairs.set(source.name, {
          name: source.name,
          references: source.references,
          ...(await source.open()),
        });
      }
      this.#presets = this.#listPresets();
      this.#state = "ready";
    } catch (error) {
      this.#state = "failed";
      this.#failure = error as Error;
      throw error;
    }
  }

  #listPresets(): ReadonlyMap<string, Preset> {
    const presets = new Map<string, Preset>();
    const named = this.#options.presets ?? [];
    for (const source of this.#options.pairs) {
      for (const method of this.#all) {
        if (!this.#canServe(source, method)) continue;
        const id = `${method.name}/${source.name}`;
        presets.set(id, { id, pair: source.name, method, options: method.schema.parse({}) });
      }
    }
    for (const preset of named) presets.set(preset.id, preset);
    return presets;
  }

  /** By the roles that are named; by the opened models' capabilities as soon as they are known. */
  #canServe(source: PairSource, { needs }: Method): boolean {
    const roles = (["draft", "target", "reward"] as const).filter((role) => needs[role]);
    if (!roles.every((role) => source.roles.includes(role))) return false;
    const pair = this.#pairs.get(source.name);
    return (["draft", "target"] as const).every((role) =>
      (needs[role] ?? []).every((capability) => isOffered(pair?.[role], capability)),
    );
  }
}

/** Before the model is opened, whatever is asked of it. */
function isOffered(model: Model | undefined, capability: Capability): boolean {
  return model === undefined || offers(model, capability);
}
