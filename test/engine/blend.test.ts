/** Mixtures of tokens as one input of the white box: what superposed decoding reads. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BlendPart, greedy } from "../../src/core/model.js";
import { writeGguf } from "../../src/models/gguf/write.js";
import { Engine, openLlama } from "../../src/models/llama/index.js";
import { speculate } from "../../src/speculation/index.js";
import { tinyFamilies, tinyFamilyContent } from "../../src/testing/tiny-families.js";

let folder: string;
let engine: Engine;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "stepwright-blend-"));
  engine = new Engine();
  for (const family of tinyFamilies) await writeGguf(fileOf(family), tinyFamilyContent(family));
});

afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const fileOf = (family: string) => join(folder, `${family}.gguf`);
const [one, other] = [70, 90];

describe.each([...tinyFamilies])("%s", (family) => {
  it("a token alone is itself, two halves of it are it, and a mixture is neither of its tokens", async () => {
    await using model = await openLlama(fileOf(family), { engine, whiteBox: true });
    const row = async (token: number, blend?: readonly BlendPart[]) => {
      await using branch = await model.open("coins in the box");
      const passage = { text: "", tokens: [token], vocabulary: model.vocabulary };
      const { row } = await branch.append(passage, { row: true, ...(blend && { blend }) });
      return row!;
    };
    const [plain, blended, halves, mixed, away] = await Promise.all([
      row(one),
      row(other, [{ token: one, weight: 1 }]),
      row(other, [
        { token: one, weight: 0.25 },
        { token: one, weight: 0.75 },
      ]),
      row(one, [
        { token: one, weight: 0.5 },
        { token: other, weight: 0.5 },
      ]),
      row(other),
    ]);
    const distance = (a: Float32Array, b: Float32Array) =>
      a.reduce((most, value, index) => Math.max(most, Math.abs(value - b[index]!)), 0);
    expect(distance(blended, plain)).toBeLessThan(2e-3);
    expect(distance(halves, plain)).toBeLessThan(2e-3);
    expect(distance(away, plain)).toBeGreaterThan(0.02);
    for (const end of [plain, away]) expect(distance(mixed, end)).toBeGreaterThan(0.01);
    expect(mixed.reduce((sum, logprob) => sum + Math.exp(logprob), 0)).toBeCloseTo(1, 3);
  });
});

it("libllama takes no mixtures, and a mixture wants something to be read off", async () => {
  const [family] = tinyFamilies;
  const blend = [{ token: one, weight: 1 }];
  const passage = (vocabulary: string) => ({ text: "", tokens: [one], vocabulary });
  await using black = await openLlama(fileOf(family!), { engine });
  await using closed = await black.open("coins");
  await expect(closed.append(passage(black.vocabulary), { topK: 1, blend })).rejects.toMatchObject({
    code: "missing-capability",
  });
  await using white = await openLlama(fileOf(family!), { engine, whiteBox: true });
  await using open = await white.open("coins");
  for (const wrong of [{ blend }, { topK: 1, blend: [] }, { topK: 1, blend: [{ token: -1, weight: 1 }] }]) {
    await expect(open.append(passage(white.vocabulary), wrong)).rejects.toMatchObject({
      code: "invalid-option",
    });
  }
});

it("a white-box draft superposes drafts for a black-box target, which writes what it writes alone", async () => {
  const [family] = tinyFamilies;
  await using target = await openLlama(fileOf(family!), { engine });
  await using draft = await openLlama(fileOf(family!), { engine, whiteBox: true });
  const options = { splitter: { kind: "none" }, maxTokens: 24, sampling: greedy, key: "k" } as const;
  await using plain = await target.open("coins in the box");
  const { tokens } = await plain.extend(options);
  const model = await speculate(target, {
    draft,
    drafter: "superposed?drafts=2",
    controller: "fixed?depth=3&nodes=6",
  });
  await using branch = await model.open("coins in the box");
  const written = await branch.extend(options);
  expect(written.tokens).toEqual(tokens);
  const { blocks, drafted, accepted, draft: usage } = written.speculation!;
  expect(drafted).toBeGreaterThan(blocks);
  // The same weights: the first text of a mixture mostly is the target's own.
  expect(accepted).toBeGreaterThan(0);
  expect(usage!.prefillTokens).toBeGreaterThan(blocks);
});
