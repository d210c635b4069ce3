import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CellTable } from "./cell-table.js";

describe("cell table", () => {
  it("agrees with sets of cells over random forks, growths and rollbacks", () => {
    const action = fc.record({
      kind: fc.constantFrom("grow", "grow-shared", "share", "trim"),
      a: fc.nat(7),
      b: fc.nat(7),
      n: fc.nat(12),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 400 }), (actions) => {
        const table = new CellTable(64);
        // The model: each sequence is a list of distinct cell names; a cell lives while a list names it.
        const rows = new Map<number, number[]>();
        let next = 0;
        const row = (sequence: number) => rows.get(sequence) ?? [];
        const used = () => new Set([...rows.values()].flat()).size;
        for (const { kind, a, b, n } of actions) {
          if (kind === "grow" && n <= 64 - used()) {
            table.grow(a, n);
            rows.set(a, [...row(a), ...Array.from({ length: n }, () => next++)]);
          } else if (kind === "grow-shared" && a !== b && used() < 64) {
            table.growShared([a, b]);
            for (const sequence of [a, b]) rows.set(sequence, [...row(sequence), next]);
            next++;
          } else if (kind === "share" && a !== b && row(b).length === 0) {
            table.share(a, b, n);
            rows.set(b, row(a).slice(0, n));
          } else if (kind === "trim") {
            table.trim(a, n);
            rows.set(a, row(a).slice(0, n));
          }
          expect(table.free).toBe(64 - used());
          for (let sequence = 0; sequence < 8; sequence++) {
            expect(table.length(sequence)).toBe(row(sequence).length);
            const others = new Set(
              [...rows].filter(([key]) => key !== sequence).flatMap(([, cells]) => cells),
            );
            expect(table.owned(sequence)).toBe(row(sequence).filter((cell) => !others.has(cell)).length);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it("refuses to hand out cells that it does not have", () => {
    const table = new CellTable(4);
    table.grow(0, 3);
    expect(() => table.grow(1, 2)).toThrow(RangeError);
    expect(table.free).toBe(1);
    table.growShared([1, 2]);
    expect(() => table.growShared([1, 2])).toThrow(RangeError);
  });
});
