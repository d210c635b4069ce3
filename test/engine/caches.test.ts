/** One cache for all branches or one for each: another place for the same numbers. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { greedy } from "../../src/core/model.js";
import { type LlamaModel, openLlama } from "../../src/models/llama/index.js";
import { writeTinyModel } from "../../src/testing/tiny-model.js";

const folder = mkdtempSync(join(tmpdir(), "stepwright-caches-"));
const path = join(folder, "tiny.gguf");
beforeAll(() => writeTinyModel(path, { seed: 3, context: 256 }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Two branches that part, one rolled back, written side by side: their texts, and the cells that the model has. */
async function texts(model: LlamaModel) {
  const write = {
    splitter: { kind: "tokens", count: 12 },
    maxTokens: 12,
    sampling: greedy,
    key: "0",
  } as const;
  await using root = await model.open("The answer is 12 plus 25");
  await root.append("");
  await using left = root.fork();
  await using right = root.fork();
  await right.append(" coins");
  const both = await Promise.all([left.extend(write), right.extend(write)]);
  await using third = right.fork();
  third.trim(root.length);
  const again = await third.extend(write);
  const { cells } = await model.statistics();
  return { texts: [...both, again].map(({ tokens }) => tokens), cells };
}

it("gives the same texts, forks and rollbacks included", async () => {
  await using shared = await openLlama(path, { caches: "shared", context: 128 });
  await using fitting = await openLlama(path, { caches: "fitting", context: 128, sequences: 8 });
  const [one, other] = [await texts(shared), await texts(fitting)];
  expect(other.texts).toEqual(one.texts);
  expect(one.texts[2]).toEqual(one.texts[0]);
  // So small a model gets a cache per branch where it may.
  expect(one.cells).toBe(256);
  expect(other.cells).toBe(8 * 256);
});

it("keeps the room of every branch: none is read again for want of cells", async () => {
  await using model = await openLlama(path, { caches: "separate", context: 128, sequences: 4 });
  const branches = await Promise.all(Array.from({ length: 4 }, () => model.open("The answer is 12 plus 25")));
  const write = {
    splitter: { kind: "tokens", count: 60 },
    maxTokens: 60,
    sampling: greedy,
    key: "0",
  } as const;
  const written = await Promise.all(branches.map((branch) => branch.extend(write)));
  for (const { usage } of written) expect(usage.recomputedTokens).toBe(0);
  expect((await model.statistics()).evictions).toBe(0);
  for (const branch of branches) branch.drop();
});
