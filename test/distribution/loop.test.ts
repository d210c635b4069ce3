/** The whole loop, over many texts: drafts, trees, walks, kept tokens and plain stretches write the target's law. */
import { describe, expect, test } from "vitest";
import type { Model, Sampling } from "../../src/core/model.js";
import type { Answer } from "../../src/models/scripted-law.js";
import { speculate } from "../../src/speculation/index.js";
import { ids, letterModel, letters, sampled, spell } from "../../src/testing/draft-world.js";
import { type ContextLaw, chiSquareDeviation, plainLaw } from "../../src/testing/index.js";

const target = letterModel(1);
const draft = letterModel(2);
const prompt = "abcab";
const length = 4;

const targetLaw: ContextLaw = (tokens) => {
  const { law } = target.options;
  const text = prompt + spell(tokens);
  const choices = "tokens" in law ? law.tokens({ prompt: "", text } as Answer) : [];
  return { tokens: ids(letters.join("")), probabilities: choices.map(({ probability }) => probability) };
};

/** How often each text of so many tokens came, written by forks of one branch. */
async function counts(model: Model, sampling: Sampling, runs: number): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const root = await model.open(prompt);
  for (let seed = 0; seed < runs; seed++) {
    const branch = root.fork();
    const { tokens } = await branch.extend({
      splitter: { kind: "tokens", count: length },
      maxTokens: length,
      sampling: { ...sampling, seed },
      key: "text",
    });
    branch.drop();
    const text = tokens.join(" ");
    found.set(text, (found.get(text) ?? 0) + 1);
  }
  root.drop();
  return found;
}

const warm = { ...sampled, temperature: 0.8, topP: 0.9 };

describe("texts that a speculating model writes", () => {
  test.each([
    ["model?draws=sampled", "rejection", "fixed?depth=3", sampled],
    ["model-tree?branching=2+1", "recursive", "confidence?depth=3", warm],
    ["suffix", "point", "fixed?nodes=6&depth=3", warm],
    ["jacobi", "recursive", "fixed?depth=3", sampled],
  ] as const)("%s, %s, %s", async (drafter, rule, controller, sampling) => {
    const model = await speculate(target, { draft, drafter, rule, controller });
    const law = plainLaw({ target: targetLaw, sampling, length });
    expect(chiSquareDeviation(await counts(model, sampling, 2500), law)).toBeLessThan(4);
  });

  test("are the plain ones, bit for bit, under the rule agreement", async () => {
    const model = await speculate(target, { draft, rule: "agreement", controller: "fixed?depth=3" });
    expect(await counts(model, warm, 200)).toEqual(await counts(target, warm, 200));
  });
});
