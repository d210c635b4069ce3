/** Sessions of drafters that keep nothing between blocks but the draft model's branch. */
import type { DraftTree } from "../../core/draft-tree.js";
import type { Model } from "../../core/model.js";
import type { Draft, DraftRequest, DraftSession, OpenDrafter, Verified } from "../../core/speculation.js";
import type { Passage, Token } from "../../core/step.js";
import { DraftReader } from "./draft-reader.js";

/** Drafts one block's tree with the reader. */
export type Propose = (reader: DraftReader, request: DraftRequest) => Promise<DraftTree>;

export function openReader(
  model: Model,
  proposals: NonNullable<OpenDrafter["proposals"]>,
  propose: Propose,
): OpenDrafter {
  return {
    topK: 0,
    proposals,
    size: model.size,
    begin: (_: readonly Token[], prompt?: Passage) =>
      new ReaderSession(new DraftReader(model, prompt), propose),
  };
}

export class ReaderSession implements DraftSession {
  readonly #reader: DraftReader;
  readonly #propose: Propose;

  constructor(reader: DraftReader, propose: Propose) {
    this.#reader = reader;
    this.#propose = propose;
  }

  async propose(request: DraftRequest): Promise<Draft> {
    const tree = await this.#propose(this.#reader, request);
    return { tree, usage: this.#reader.takeUsage() };
  }

  learn({ tokens, written }: Verified): void {
    this.#reader.settle([...tokens, ...written]);
  }

  fork(): ReaderSession {
    return new ReaderSession(this.#reader.fork(), this.#propose);
  }

  drop(): void {
    this.#reader.drop();
  }
}
