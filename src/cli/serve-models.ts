/** The pairs and presets that a server is started with. */
import { StepwrightError } from "../core/errors.js";
import type { Model } from "../core/model.js";
import { parseOptions } from "../core/run.js";
import type { Role } from "../core/search.js";
import { blankLine } from "../core/step.js";
import { methods } from "../methods/index.js";
import { type HubSettings, hubSettings } from "../models/hub-settings.js";
import { type PairSource, type Preset, type ServedModels, serveModels } from "../server/index.js";
import type { CommandContext } from "./command.js";
import { isDemo } from "./demo/models.js";
import { closeAll, ModelStore } from "./model-store.js";
import { lastingModel, lastingReward, type References } from "./references.js";
import type { ServeSettings } from "./serve-settings.js";
import { speculationOf } from "./speculation.js";
import { warnOtherSteps } from "./warn-other-steps.js";

/** What the command line says of them. */
export interface NamedModels {
  readonly settings: ServeSettings;
  /** Options of the default pair's method. */
  readonly options: Readonly<Record<string, unknown>>;
  /** True where the method was named, and is not the default. */
  readonly isMethodGiven: boolean;
}

interface NamedPair {
  readonly name: string;
  readonly draft?: string | undefined;
  readonly target?: string | undefined;
  readonly reward?: string | undefined;
  readonly method?: string | undefined;
}

/** Everything that can be refused before a model is opened is refused here. */
export async function namedModels(
  context: CommandContext,
  named: NamedModels,
  signal: AbortSignal,
): Promise<ServedModels> {
  const { settings, options } = named;
  const hub = hubSettings(context.host.environment);
  const shared = new Map<string, Promise<Model>>();
  const stores: ModelStore[] = [];
  const sources: PairSource[] = [];
  const defaults = new Map<string, string>();
  const presets: Preset[] = [];
  for (const pair of pairsOf(named)) {
    const references = await referencesOf(pair, settings, context, hub);
    const roles = (["draft", "target", "reward"] as const).filter((role) => references[role]);
    const store = new ModelStore(references, { hub, signal, models: shared });
    await store.check(roles);
    stores.push(store);
    sources.push({ name: pair.name, roles, references, open: () => openPair(context, store, roles) });
    const method = await defaultMethod(pair, roles);
    defaults.set(pair.name, `${method}/${pair.name}`);
    if (pair.name === settings.name && method === settings.method) {
      presets.push(await presetOf(`${method}/${pair.name}`, { pair: pair.name, method, options }));
    }
    if ([pair.draft, pair.target].some((reference) => reference !== undefined && isDemo(reference))) {
      context.say(`The pair ${pair.name} is scripted: it tells its one story whatever it is asked.`);
    }
  }
  for (const [id, preset] of Object.entries(settings.presets)) {
    if (!sources.some(({ name }) => name === preset.pair)) {
      throw new StepwrightError(
        "invalid-option",
        `the preset ${id} names a pair that does not exist: ${preset.pair}`,
        {
          subject: `presets.${id}.pair`,
          remedy: `name one of: ${sources.map(({ name }) => name).join(", ")}`,
        },
      );
    }
    presets.push(await presetOf(id, preset));
  }
  return serveModels({
    pairs: sources,
    presets,
    defaults,
    close: async () => {
      for (const store of stores) await store[Symbol.asyncDispose]();
      await closeAll(shared.values());
    },
  });
}

function pairsOf({ settings, isMethodGiven }: NamedModels): NamedPair[] {
  const { draft, target, reward, name, method, pairs } = settings;
  const further = Object.entries(pairs).map(([name, pair]) => ({ ...pair, name }));
  if (draft === undefined && target === undefined) return further;
  if (Object.hasOwn(pairs, name)) {
    throw new StepwrightError("invalid-option", `the pair ${name} is named twice`, {
      subject: "--name",
      remedy: "give the pair of --draft and --target another --name",
    });
  }
  return [{ name, draft, target, reward, ...(isMethodGiven && { method }) }, ...further];
}

async function referencesOf(
  pair: NamedPair,
  settings: ServeSettings,
  { host, say }: CommandContext,
  hub: HubSettings,
): Promise<References> {
  const { workingFolder: folder } = host;
  const { threads, exact, context } = settings;
  const { draft, target, name } = pair;
  let { reward } = pair;
  const speculation = await speculationOf(settings, folder);
  if (reward === undefined && draft !== undefined && target !== undefined) {
    reward = isDemo(target) ? "demo:reward" : "judge:target";
    say(`No reward is named for ${name}: ${reward} judges the steps.`);
  }
  return {
    threads,
    exact,
    ...(context !== undefined && { context }),
    ...(speculation && { speculation }),
    ...(draft !== undefined && { draft: await lastingModel(draft, folder, hub) }),
    ...(target !== undefined && { target: await lastingModel(target, folder, hub) }),
    ...(reward !== undefined && { reward: await lastingReward(reward, folder, hub) }),
  };
}

async function openPair(context: CommandContext, store: ModelStore, roles: readonly Role[]) {
  const draft = roles.includes("draft") ? await store.model("draft") : undefined;
  const target = roles.includes("target") ? await store.model("target") : undefined;
  const reward = roles.includes("reward") ? await store.reward() : undefined;
  if (reward) warnOtherSteps(context, reward, blankLine, (step) => `requests may say "step": "${step}"`);
  return { draft, target, reward };
}

/** The named one, or the first that the pair can serve: RSD, else plain decoding. */
async function defaultMethod({ name, method }: NamedPair, roles: readonly Role[]): Promise<string> {
  for (const candidate of method === undefined ? ["rsd", "target", "draft"] : [method]) {
    const { needs } = await methods.get(candidate);
    const missing = (["draft", "target", "reward"] as const).find(
      (role) => needs[role] && !roles.includes(role),
    );
    if (!missing) return candidate;
    if (method === undefined) continue;
    throw new StepwrightError(
      "missing-role",
      `method ${method} needs a ${missing}, and the pair ${name} has none`,
      {
        subject: missing,
        remedy: `name one: --${missing}`,
      },
    );
  }
  throw new StepwrightError("missing-role", `the pair ${name} has no model that writes`, {
    subject: "target",
    remedy: "name one: --target",
  });
}

async function presetOf(
  id: string,
  {
    pair,
    method: name,
    options,
    description,
  }: { pair: string; method: string; options: object; description?: string | undefined },
): Promise<Preset> {
  const method = await methods.get(name);
  return {
    id,
    pair,
    method,
    options: parseOptions(method, options),
    ...(description !== undefined && { description }),
  };
}
