/** A server from its settings to its end. `studio` starts the same one. */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { StepwrightError } from "../core/errors.js";
import { type RunningServer, type ServedModels, type StudioParts, startServer } from "../server/index.js";
import type { CommandContext } from "./command.js";
import { type NamedModels, namedModels } from "./serve-models.js";
import type { ServeSettings } from "./serve-settings.js";
import { stateFolder } from "./state-folder.js";

export interface ServeSession extends NamedModels {
  readonly studio?: StudioParts | undefined;
  /** Says what a person or program needs to know once the server listens. */
  readonly onListening: (server: RunningServer, models: ServedModels) => void;
  readonly onReady: (server: RunningServer, models: ServedModels) => void;
}

/** Serves until the context's signal fires; 0 where all ended well. Throws where the models cannot be opened. */
export async function serveSession(context: CommandContext, session: ServeSession): Promise<number> {
  const { settings, studio, onListening, onReady } = session;
  const { say, signal } = context;
  // A stop ends the opening of models, but not the calls on those that are open.
  const opening = new AbortController();
  const giveUp = () => opening.abort(signal.reason);
  signal.addEventListener("abort", giveUp, { once: true });
  const models = await namedModels(context, session, opening.signal);
  models.opened.finally(() => signal.removeEventListener("abort", giveUp)).catch(() => {});
  const server = await startServer({
    models,
    host: settings.host,
    port: settings.port,
    keys: await keysOf(settings, context),
    origins: settings.allowOrigin,
    hosts: settings.allowHost,
    limits: settings.limits,
    folder: settings.noStore ? null : runsFolderOf(settings, context),
    studio,
    onNotice: say,
  }).catch(async (error) => {
    await models[Symbol.asyncDispose]();
    throw error;
  });
  onListening(server, models);
  const stopped = new Promise<void>((done) => {
    if (signal.aborted) done();
    else signal.addEventListener("abort", () => done(), { once: true });
  });
  try {
    await Promise.race([models.opened, stopped]);
    if (!signal.aborted) onReady(server, models);
    await stopped;
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  say("Stopping: running answers get their time, new ones are refused. Stop again to end at once.");
  await server.stop();
  return 0;
}

async function keysOf({ apiKey, apiKeyFile }: ServeSettings, { host }: CommandContext): Promise<string[]> {
  if (apiKeyFile === undefined) return apiKey;
  const path = resolve(host.workingFolder, apiKeyFile);
  const text = await readFile(path, "utf8").catch((cause) => {
    throw new StepwrightError("invalid-option", "the file of keys cannot be read", {
      subject: "--api-key-file",
      remedy: "check the path",
      cause,
    });
  });
  const keys = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (keys.length > 0) return [...apiKey, ...keys];
  // An empty file must not open the server to everybody.
  throw new StepwrightError("invalid-option", "the file of keys holds none", {
    subject: "--api-key-file",
    remedy: "write a key on each line",
  });
}

function runsFolderOf({ runs }: ServeSettings, { host }: CommandContext): string {
  return runs === undefined ? join(stateFolder(host), "served") : resolve(host.workingFolder, runs);
}
