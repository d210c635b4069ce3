/** A browser warns of no listeners, so there is no limit to lift. */
export function setMaxListeners(): void {}
