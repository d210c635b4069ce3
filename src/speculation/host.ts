/** What all branches of a speculating model share. */
import type { Model } from "../core/model.js";
import type { OpenController, OpenDrafter, OpenRule } from "../core/speculation.js";
import { TokenBytes } from "./token-bytes.js";

export interface HostParts {
  readonly target: Model;
  readonly drafter: OpenDrafter;
  readonly controller: OpenController;
  /** A rule for one opened branch and its forks: what it keeps between places is theirs alone. */
  readonly openRule: () => OpenRule;
  /** Seconds; what a controller learns its costs from. */
  readonly now?: () => number;
}

export class Host {
  readonly target: Model;
  readonly drafter: OpenDrafter;
  readonly controller: OpenController;
  readonly openRule: () => OpenRule;
  readonly now: () => number;
  /** Most drafts that one pass of the target can read. */
  readonly mostNodes: number;
  readonly bytes: TokenBytes;
  /** Branches that write at this moment. */
  writing = 0;
  readonly #prompts = new Map<string, Promise<readonly number[]>>();

  constructor({ target, drafter, controller, openRule, now }: HostParts) {
    this.target = target;
    this.drafter = drafter;
    this.controller = controller;
    this.openRule = openRule;
    this.now = now ?? (() => performance.now() / 1000);
    this.mostNodes = target.treeLimits?.nodes ?? Number.POSITIVE_INFINITY;
    this.bytes = new TokenBytes(target);
  }

  /** The tokens of a rule's own prompt. */
  tokensOf(prompt: string): Promise<readonly number[]> {
    const known = this.#prompts.get(prompt) ?? this.target.tokenize(prompt);
    this.#prompts.set(prompt, known);
    return known;
  }
}
