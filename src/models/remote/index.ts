/** Opens models behind OpenAI-compatible servers. */
import type { CallOptions, ModelSize } from "../../core/model.js";
import type { RemoteReference } from "../reference.js";
import { Clients } from "./clients.js";
import { probe } from "./probe.js";
import { RemoteModel } from "./remote-model.js";
import { remoteSettings } from "./settings.js";
import { remoteSize } from "./size.js";

export { Clients } from "./clients.js";
export { RemoteModel } from "./remote-model.js";
export { type RemoteSettings, remoteSettings, usualRemoteSettings } from "./settings.js";

let shared: Clients | undefined;

/** Those of this process, with the keys of its environment. */
export function sharedClients(): Clients {
  shared ??= new Clients(remoteSettings());
  return shared;
}

export interface OpenRemoteOptions extends CallOptions {
  /** Default: the process's own, so that limits and breakers hold per server. */
  readonly clients?: Clients;
  /** The size of the model that `?like=` names. */
  readonly sizeOf?: (reference: string) => Promise<ModelSize>;
}

/**
 * Asks the server what it is and can. Throws `remote-unavailable`, `remote-invalid`, `remote-refused`, `model-not-found`,
 * and `invalid-option` where nobody says how large the model is.
 */
export async function openRemote(
  reference: RemoteReference,
  { clients = sharedClients(), sizeOf, signal }: OpenRemoteOptions = {},
): Promise<RemoteModel> {
  const client = clients.at(reference.url);
  const probed = await probe(reference, { client, signal });
  const { like, parameters, layers, width, context } = reference.options;
  const given = { parameters, layers, width, context };
  const alike = like === undefined ? undefined : await sizeOf?.(like);
  const size = alike
    ? {
        ...alike,
        context: Math.min(probed.told.context ?? alike.context, context ?? Number.POSITIVE_INFINITY),
      }
    : remoteSize(reference.model, probed.told, given);
  return new RemoteModel(reference, client, probed, size);
}
