/** Agreement with 600 labelled pairs, where this machine has them: they are not ours to ship. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { lenientVerdict } from "../../src/grade/lenient-verdict.js";
import { strictVerdict } from "../../src/grade/strict/verdict.js";
import labels from "./strict-labels.json" with { type: "json" };

interface LabelledPair {
  readonly task: string;
  readonly kind: string;
  readonly prediction: string;
  readonly reference: string;
  readonly correct: boolean;
}

const file = fileURLToPath(new URL("../../../shared/data/grading-dev.jsonl", import.meta.url));
const present = existsSync(file);
if (!present) console.warn(`skipped: agreement of grades, for want of ${file}`);

const plain = new Set(["base", "wrapper", "choice", "notation", "fraction", "decimal", "wrong"]);
const share = <Item>(items: readonly Item[], holds: (item: Item, index: number) => boolean) =>
  items.filter(holds).length / items.length;

describe.skipIf(!present)("agreement on the development pairs", () => {
  const pairs: LabelledPair[] = present
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line))
    : [];

  it("with the official verdict is 97% or better, on the plain kinds 99%", () => {
    const agrees = (pair: LabelledPair) => lenientVerdict(pair).correct === pair.correct;
    expect(share(pairs, agrees)).toBeGreaterThanOrEqual(0.97);
    const easy = pairs.filter(({ kind }) => plain.has(kind.split(":", 1)[0]!));
    expect(easy.length).toBeGreaterThan(300);
    expect(share(easy, agrees)).toBeGreaterThanOrEqual(0.99);
  });

  it("with a careful reader is 98% or better", () => {
    const rows = labels.rows as Readonly<Record<string, { strict: boolean }>>;
    const agrees = (pair: LabelledPair, row: number) =>
      strictVerdict(pair) === (rows[row]?.strict ?? pair.correct);
    expect(share(pairs, agrees)).toBeGreaterThanOrEqual(0.98);
  });
});
