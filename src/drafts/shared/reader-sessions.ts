/** Sessions of drafters that draft with a model: its branch is kept beside the target's. */
import type { DraftTree } from "../../core/draft-tree.js";
import type { Model } from "../../core/model.js";
import type { Draft, DraftRequest, DraftSession, OpenDrafter, Verified } from "../../core/speculation.js";
import type { Passage, Token } from "../../core/step.js";
import { DraftReader, type TextView } from "./draft-reader.js";

/** How a block is drafted with the model's rows, and what is remembered from block to block. */
export interface DraftPolicy {
  propose(reader: DraftReader, request: DraftRequest): Promise<DraftTree>;
  learn?(verified: Verified): void;
  /** What the model reads of the text, where that is not all. */
  readonly view?: TextView;
  /** For a fork of the branch; absent where nothing is remembered. */
  fork?(): DraftPolicy;
}

export function openReader(
  model: Model,
  proposals: NonNullable<OpenDrafter["proposals"]>,
  begin: (tokens: readonly Token[], prompt?: Passage) => DraftPolicy,
): OpenDrafter {
  return {
    topK: 0,
    proposals,
    size: model.size,
    begin(tokens: readonly Token[], prompt?: Passage) {
      const policy = begin(tokens, prompt);
      return new ReaderSession(new DraftReader(model, prompt, policy.view), policy);
    },
  };
}

export class ReaderSession implements DraftSession {
  readonly #reader: DraftReader;
  readonly #policy: DraftPolicy;

  constructor(reader: DraftReader, policy: DraftPolicy) {
    this.#reader = reader;
    this.#policy = policy;
  }

  async propose(request: DraftRequest): Promise<Draft> {
    const tree = await this.#policy.propose(this.#reader, request);
    return { tree, usage: this.#reader.takeUsage() };
  }

  learn(verified: Verified): void {
    this.#reader.settle([...verified.tokens, ...verified.written]);
    this.#policy.learn?.(verified);
  }

  fork(): ReaderSession {
    return new ReaderSession(this.#reader.fork(), this.#policy.fork?.() ?? this.#policy);
  }

  drop(): void {
    this.#reader.drop();
  }
}
