import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RowTable } from "./row-table.js";

const rows = 12;
const sequences = 3;

type Step =
  | { readonly do: "append"; readonly sequences: number[] }
  | { readonly do: "remove"; readonly sequence: number; readonly from: number; readonly to: number }
  | { readonly do: "share"; readonly from: number; readonly to: number };

const sequence = fc.integer({ min: 0, max: sequences - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant("append" as const),
    sequences: fc.uniqueArray(sequence, { minLength: 1 }),
  }),
  fc.record({
    do: fc.constant("remove" as const),
    sequence,
    from: fc.integer({ min: 0, max: 8 }),
    to: fc.integer({ min: -1, max: 8 }),
  }),
  fc.record({ do: fc.constant("share" as const), from: sequence, to: sequence }),
);

describe("a row table", () => {
  it("keeps what every sequence holds, whatever others do, and frees what none holds", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const table = new RowTable({ rows, sequences });
        // What each sequence holds, as numbers given to tokens; a row keeps its token while it is held.
        const held: { token: number; position: number }[][] = Array.from({ length: sequences }, () => []);
        const tokenOf = new Map<number, number>();
        let tokens = 0;
        for (const each of steps) {
          if (each.do === "append") {
            const position = Math.max(...each.sequences.map((id) => held[id]!.length));
            const row = table.append(each.sequences, position);
            if (row < 0) {
              expect(table.free).toBe(0);
              continue;
            }
            const token = tokens++;
            tokenOf.set(row, token);
            for (const id of each.sequences) held[id]!.push({ token, position });
          } else if (each.do === "remove") {
            table.remove(each.sequence, each.from, each.to);
            held[each.sequence] = held[each.sequence]!.filter(
              ({ position }) => position < each.from || (each.to >= 0 && position >= each.to),
            );
          } else {
            table.share(each.from, each.to);
            held[each.to] = held[each.from]!.slice();
          }
          for (let id = 0; id < sequences; id++) {
            const found = table
              .rowsOf(id)
              .map((row) => ({ token: tokenOf.get(row), position: table.positions[row] }));
            expect(found).toEqual(held[id]);
          }
          const used = new Set(held.flat().map(({ token }) => token)).size;
          expect(table.free).toBe(rows - used);
          const last = Math.max(-1, ...Array.from({ length: sequences }, (_, id) => table.rowsOf(id)).flat());
          expect(table.extent).toBe(last + 1);
        }
      }),
    );
  });

  it("gives separate sequences rows of their own, in order, until theirs are used up", () => {
    const table = new RowTable({ rows, sequences, separate: true });
    expect([0, 1, 2, 3, 4].map((position) => table.append([1], position))).toEqual([4, 5, 6, 7, -1]);
    expect(table.append([2], 0)).toBe(8);
    table.remove(1, 2, -1);
    expect(table.append([1], 2)).toBe(6);
    expect(() => table.append([0, 1], 0)).toThrow(/cannot share/);
  });

  it("knows no other sequences", () => {
    expect(() => new RowTable({ rows, sequences }).rowsOf(3)).toThrow(/sequence 3 of 3/);
  });
});
