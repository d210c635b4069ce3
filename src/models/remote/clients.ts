/** The clients of a program. */
import { Client } from "./client.js";
import { type RemoteSettings, usualRemoteSettings } from "./settings.js";

/** One client per origin, so that limits and breakers are shared by all models behind it. */
export class Clients implements Disposable {
  readonly #settings: RemoteSettings;
  readonly #clients = new Map<string, Client>();

  constructor(settings: RemoteSettings = usualRemoteSettings) {
    this.#settings = settings;
  }

  at(address: string): Client {
    const { origin } = new URL(address);
    const client = this.#clients.get(origin) ?? new Client(origin, this.#settings);
    this.#clients.set(origin, client);
    return client;
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients.values()) client.close();
  }
}
