/** Drafters that are made of others. */
import { namedEntry } from "../../core/named-text.js";
import type {
  Draft,
  DraftRequest,
  DraftResources,
  DraftSession,
  OpenDrafter,
  Verified,
} from "../../core/speculation.js";
import { drafters } from "../index.js";

/** What every opened drafter tells of the kinds of its proposals. */
export type OpenedDrafter = OpenDrafter & { readonly proposals: NonNullable<OpenDrafter["proposals"]> };

/** Opens `name?option=value&...`. Throws as `namedEntry` and as the drafter does. */
export async function openNamed(text: string, resources: DraftResources): Promise<OpenedDrafter> {
  const { entry, options } = await namedEntry(drafters, "drafter", text);
  const opened = await entry.open(resources, options);
  return { ...opened, proposals: opened.proposals ?? entry.proposals };
}

/** What drafters opened together are, seen from outside, but for their sessions. */
export function together(opened: readonly OpenedDrafter[]): Omit<OpenedDrafter, "begin"> {
  const sizes = opened.flatMap(({ size }) => size ?? []);
  return {
    topK: Math.max(...opened.map(({ topK }) => topK)),
    proposals: [...new Set(opened.flatMap(({ proposals }) => proposals))],
    ...(sizes[0] && { size: sizes[0] }),
    async close() {
      await Promise.all(opened.map((each) => each.close?.()));
    },
  };
}

/** A session made of sessions: each learns all, and is forked and dropped with the others. */
export class SessionGroup implements DraftSession {
  readonly #sessions: readonly DraftSession[];
  readonly #propose: (sessions: readonly DraftSession[], request: DraftRequest) => Promise<Draft>;

  constructor(
    sessions: readonly DraftSession[],
    propose: (sessions: readonly DraftSession[], request: DraftRequest) => Promise<Draft>,
  ) {
    this.#sessions = sessions;
    this.#propose = propose;
  }

  propose(request: DraftRequest): Promise<Draft> {
    return this.#propose(this.#sessions, request);
  }

  learn(verified: Verified): void {
    for (const session of this.#sessions) session.learn?.(verified);
  }

  fork(): SessionGroup {
    return new SessionGroup(
      this.#sessions.map((session) => session.fork()),
      this.#propose,
    );
  }

  drop(): void {
    for (const session of this.#sessions) session.drop();
  }
}
