/** Against files that pyarrow 26 wrote of one table, in several forms (test/fixtures/parquet; rows.json is that table). */
import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parquetRows } from "./parquet.js";
import { readQuestions } from "./questions.js";

const fixture = (name: string) => new URL(`../../test/fixtures/parquet/${name}`, import.meta.url).pathname;
const table = JSON.parse(await readFile(fixture("rows.json"), "utf8")) as Record<string, unknown>[];
// A list that is null reads as an empty one: no task tells them apart.
const expected = table.map((row): Record<string, unknown> => ({ ...row, choices: row.choices ?? [] }));

describe("a Parquet file", () => {
  test.each(["snappy", "plain-groups", "gzip", "pages-v2", "pages-v2-plain"])(
    "written as %s",
    async (name) => {
      const rows = parquetRows(await readFile(fixture(`${name}.parquet`)));
      expect(rows.map(({ row }) => row)).toEqual(expected);
      expect(rows.map(({ line }) => line)).toEqual(expected.map((_, index) => index + 1));
    },
  );

  test("in a compression that is not read is refused by its reason", async () => {
    const bytes = await readFile(fixture("zstd.parquet"));
    expect(() => parquetRows(bytes)).toThrow("compressed in a way (6)");
  });

  test("is a task's data", async () => {
    const readQuestion = ({ question, answer }: Record<string, unknown>, line: number) => ({
      id: `${line}`,
      question: String(question),
      reference: String(answer),
    });
    const { questions } = await readQuestions(fixture("snappy.parquet"), { readQuestion });
    expect(questions).toHaveLength(20);
    expect(questions[3]).toEqual({ id: "4", question: expected[3]!.question, reference: "3" });
  });

  test("that is cut or changed anywhere is read or refused, and never hangs", async () => {
    const files = await Promise.all(
      ["snappy", "plain-groups", "pages-v2"].map((name) => readFile(fixture(`${name}.parquet`))),
    );
    const change = fc.record({
      file: fc.integer({ min: 0, max: files.length - 1 }),
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      byte: fc.integer({ min: 0, max: 255 }),
      length: fc.double({ min: 0.5, max: 1, noNaN: true }),
    });
    let refused = 0;
    fc.assert(
      fc.property(change, ({ file, at, byte, length }) => {
        const bytes = Buffer.from(files[file]!);
        bytes[Math.floor(at * bytes.length)] = byte;
        const cut = length < 0.55 ? bytes.subarray(0, Math.floor(length * bytes.length)) : bytes;
        try {
          parquetRows(cut);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          refused++;
        }
      }),
      { numRuns: 500 },
    );
    expect(refused).toBeGreaterThan(0);
  });
});
