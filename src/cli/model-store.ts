/** Opens models by reference, each once, and closes them all. Looking for a model loads nothing. */
import { StepwrightError } from "../core/errors.js";
import type { Model, ModelSize } from "../core/model.js";
import type { Reward } from "../core/reward.js";
import type { Role, Writer } from "../core/search.js";
import { checkModelFile } from "../models/gguf/check.js";
import { loadHead, loadHeadFacts } from "../models/head-file.js";
import { resolveModelFile } from "../models/hub-inventory.js";
import { type HubSettings, hubSettings } from "../models/hub-settings.js";
import { openLlama } from "../models/llama/index.js";
import { formatModelReference, parseModelReference } from "../models/reference.js";
import { openRemote } from "../models/remote/index.js";
import { openReward, settleReward } from "../rewards/index.js";
import { checkDemoReward, demoWriter, isDemo, openDemoModel, openDemoReward } from "./demo/models.js";
import type { References } from "./references.js";
import { draftsForDraft, releaseDrafter, speculating } from "./speculation.js";

interface Located {
  /** Equal for references to the same weights. */
  readonly key: string;
  open(): Promise<Model>;
}

export interface StoreOptions {
  /** The folder of this machine's calibrations: what drafts may cost is foretold from it. */
  readonly calibration?: string | undefined;
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
  readonly #calibration: string | undefined;
  readonly #speculating = new Map<string, Promise<Model>>();
  readonly #rewards = new Map<string, Promise<Reward>>();

  constructor(
    references: References,
    { hub = hubSettings(), signal, models, calibration }: StoreOptions = {},
  ) {
    this.references = references;
    this.#hub = hub;
    this.#signal = signal;
    this.#opened = models ?? new Map();
    this.#closes = models === undefined;
    this.#calibration = calibration;
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

  /** One that no role names. Opened once, whoever else names it. */
  other(reference: string): Promise<Model> {
    return this.#open(reference);
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
    for (const opened of await Promise.allSettled(this.#speculating.values())) {
      if (opened.status === "fulfilled") await releaseDrafter(opened.value);
    }
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

  /** Speculating, where that is asked for: one and the same for all who name these weights. */
  async #open(reference: string): Promise<Model> {
    const { speculation, target, draft, threads } = this.references;
    const { key } = await this.#locate(reference);
    if (!speculation || !(await this.#speculates(key))) return this.#plain(reference);
    const isTarget = target !== undefined && key === (await this.#locate(target)).key;
    const known = this.#speculating.get(key);
    if (known) return known;
    const opened = this.#plain(reference).then((model) =>
      speculating(speculation, {
        target: model,
        openDraft: isTarget && draft !== undefined ? () => this.#plain(draft) : undefined,
        ...{ threads, calibration: this.#calibration },
        // Models that outlive the store serve others, too.
        isolated: !this.#closes,
        loadHead: async (source, names) => {
          const path = (await this.#locate(source)).key;
          return { tensors: await loadHead(path, names), facts: await loadHeadFacts(path) };
        },
      }),
    );
    this.#speculating.set(key, opened);
    return opened;
  }

  async #speculates(key: string): Promise<boolean> {
    const { speculation, target, draft } = this.references;
    if (target !== undefined && key === (await this.#locate(target)).key) return true;
    const isDraft = draft !== undefined && key === (await this.#locate(draft)).key;
    return isDraft && speculation !== undefined && draftsForDraft(speculation);
  }

  async #plain(reference: string): Promise<Model> {
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
    if (parsed.kind === "remote") {
      const options = { sizeOf: (file: string) => this.#sizeOf(file), signal: this.#signal };
      return { key: formatModelReference(parsed), open: () => openRemote(parsed, options) };
    }
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

  async #sizeOf(reference: string): Promise<ModelSize> {
    return (await checkModelFile(await resolveModelFile(reference, this.#hub))).size;
  }
}

/** Those that were opened; the others left nothing behind. */
export async function closeAll(opening: Iterable<Promise<AsyncDisposable>>): Promise<void> {
  for (const opened of await Promise.allSettled(opening)) {
    if (opened.status === "fulfilled") await opened.value[Symbol.asyncDispose]();
  }
}
