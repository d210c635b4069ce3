/** Greedy speculation writes what greedy decoding writes, on real weights: the pair Qwen2.5-Coder 0.5B and 1.5B. */
import { describe, expect, it } from "vitest";
import { greedy, type Model } from "../../src/core/model.js";
import type { Passage, Token } from "../../src/core/step.js";
import { Engine, openLlama } from "../../src/models/llama/index.js";
import { speculate } from "../../src/speculation/index.js";
import { draftFile, haveWeights, targetFile } from "./models.js";

const question =
  "Copy this line three times: the red fox of the north runs over the red hill of the north.\n\n" +
  "the red fox of the north runs over the red hill of the north.";
/**
 * Passes of other widths, and caches filled in another order, sum in another order: two best tokens nearer than this, in
 * nats, may change places. We saw the gap of one place read as 0.006 to 0.087 (LOG.md).
 */
const nearTie = 0.2;

async function write(model: Model, prompt: Passage) {
  const branch = await model.open(prompt);
  const written = await branch.extend({
    splitter: { kind: "none" },
    maxTokens: 40,
    sampling: greedy,
    key: "test",
  });
  branch.drop();
  return written;
}

/** Where the texts part, and how far apart the target's best two tokens are there; null where they are equal. */
async function parting(model: Model, prompt: Passage, plain: readonly Token[], other: readonly Token[]) {
  const at = plain.findIndex((token, index) => other[index] !== token);
  if (at < 0) return null;
  const branch = await model.open({ ...prompt, tokens: [...prompt.tokens, ...plain.slice(0, at)] });
  const { topK } = await branch.append("", { topK: 2 });
  branch.drop();
  return { at, gap: topK![0]!.logprob - topK![1]!.logprob };
}

describe.skipIf(!haveWeights)("greedy speculation on real weights", () => {
  it.each(["model", "lookup", "recycling", "model-tree"])("%s: equal but for near ties", async (drafter) => {
    const engine = new Engine();
    await using draft = await openLlama(draftFile, { engine, context: 512 });
    await using target = await openLlama(targetFile, { engine, context: 512 });
    const prompt = await target.renderChat([{ role: "user", content: question }]);
    const plain = await write(target, prompt);
    const controller = "fixed?depth=3&nodes=7";
    const drafted = await write(await speculate(target, { draft, drafter, controller }), prompt);
    const parted = await parting(target, prompt, plain.tokens, drafted.tokens);
    if (parted) console.log(`${drafter}: parted at token ${parted.at}, gap ${parted.gap.toFixed(4)} nats`);
    expect(parted?.gap ?? 0).toBeLessThan(nearTie);
    expect(drafted.speculation!.accepted).toBeGreaterThan(0);
    await engine[Symbol.asyncDispose]();
  });

  it("exact mode: equal to the last bit of the log-probabilities", async () => {
    const engine = new Engine();
    await using target = await openLlama(draftFile, { engine, exact: true, context: 256 });
    const prompt = await target.renderChat([{ role: "user", content: question }]);
    const plain = await write(target, prompt);
    const controller = "fixed?depth=6&nodes=12";
    for (const drafter of ["lookup", "recycling"]) {
      const drafted = await write(await speculate(target, { drafter, controller }), prompt);
      expect(drafted.tokens).toEqual(plain.tokens);
      expect(drafted.logprobs).toEqual(plain.logprobs);
    }
    await engine[Symbol.asyncDispose]();
  });
});
