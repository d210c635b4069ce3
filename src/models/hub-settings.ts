import { homedir, hostname } from "node:os";
import { delimiter, join } from "node:path";
import { StepwrightError } from "../core/errors.js";

export interface HubSettings {
  /** Where the hub is; its origin is the only one that is sent the token. */
  readonly endpoint: URL;
  /** The cache folder that other Hugging Face tools share. */
  readonly cache: string;
  readonly token: string | null;
  readonly offline: boolean;
  /** More folders with model files. */
  readonly folders: readonly string[];
  readonly host: string;
}

/**
 * The variables that Hugging Face's own tools read: HF_ENDPOINT, HF_HUB_CACHE, HF_HOME, HF_TOKEN, HF_HUB_OFFLINE
 * (XDG_CACHE_HOME for the default folder); and STEPWRIGHT_MODELS, folders separated as in PATH. A token saved by a
 * login is not read: what is sent is what was given.
 */
export function hubSettings(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): HubSettings {
  const given = (name: string) => environment[name] || undefined;
  const caches = given("XDG_CACHE_HOME") ?? join(homedir(), ".cache");
  const home = given("HF_HOME") ?? join(caches, "huggingface");
  return {
    endpoint: endpointOf(given("HF_ENDPOINT") ?? "https://huggingface.co"),
    cache: given("HF_HUB_CACHE") ?? join(home, "hub"),
    token: given("HF_TOKEN")?.trim() || null,
    offline: /^(1|true|yes|on)$/i.test(given("HF_HUB_OFFLINE") ?? ""),
    folders: (given("STEPWRIGHT_MODELS")?.split(delimiter) ?? [join(caches, "stepwright-models")]).filter(
      Boolean,
    ),
    host: hostname(),
  };
}

function endpointOf(text: string): URL {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) {
    return new URL(text.endsWith("/") ? text : `${text}/`);
  }
  throw new StepwrightError("invalid-option", "HF_ENDPOINT is not an http address", {
    subject: "HF_ENDPOINT",
  });
}
