/** What a step costs while it is written: plain stretches, passes over blocks, and a draft model's own. */
import type { DraftTree } from "../core/draft-tree.js";
import { addUsage, type Extension, noUsage, type Usage } from "../core/model.js";

export class StepAccount {
  #plain: Usage = noUsage;
  /** Of blocks, all of it as reading. */
  #passed: Usage = noUsage;
  #drafting: Usage | undefined;
  /** Tokens that blocks wrote. */
  #written = 0;
  readonly #counts = { blocks: 0, drafted: 0, accepted: 0 };

  plain(usage: Usage): void {
    this.#plain = addUsage(this.#plain, usage);
  }

  drafting(usage: Usage | undefined): void {
    if (usage) this.#drafting = this.#drafting ? addUsage(this.#drafting, usage) : usage;
  }

  passed(usage: Usage): void {
    this.#passed = addUsage(this.#passed, usage);
  }

  block(tree: DraftTree, accepted: number, written: number): void {
    this.#written += written;
    if (tree.size === 0) return;
    this.#counts.blocks++;
    this.#counts.drafted += tree.size;
    this.#counts.accepted += accepted;
  }

  get writesBlocks(): boolean {
    return this.#written > 0;
  }

  get flops(): number {
    return this.#plain.flops + this.#passed.flops + (this.#drafting?.flops ?? 0);
  }

  /** Each written token took one pass; what was passed beyond that has read: refused drafts, and what was not in the cache. */
  figures(): Pick<Extension, "usage" | "speculation"> {
    const prefillTokens = Math.max(0, this.#passed.prefillTokens - this.#written);
    const recomputedTokens = Math.min(this.#passed.recomputedTokens, prefillTokens);
    const blocks = { ...this.#passed, prefillTokens, recomputedTokens, decodeTokens: this.#written };
    const usage = addUsage(this.#plain, blocks);
    const draft = this.#drafting;
    if (this.#counts.blocks === 0 && !draft) return { usage };
    return { usage, speculation: { ...this.#counts, ...(draft && { draft }) } };
  }
}
