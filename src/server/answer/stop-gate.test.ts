import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { beforeStop } from "../../core/stop-strings.js";
import { StopGate } from "./stop-gate.js";

/** Few letters, so that stop strings begin, break off and overlap all the time. */
const text = fc.string({ unit: fc.constantFrom("a", "b", " ", "\n"), maxLength: 40 });
const stops = fc.array(fc.string({ unit: fc.constantFrom("a", "b", " "), minLength: 1, maxLength: 4 }), {
  maxLength: 3,
});

describe("the gate before a stream", () => {
  it("lets through, piece by piece, exactly the whole answer's text", () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 12 }), stops, (pieces, stops) => {
        const gate = new StopGate(stops);
        const through = pieces.map((piece) => gate.take(piece)).join("") + gate.end();
        expect(through).toBe(beforeStop(pieces.join(""), stops).trimEnd());
      }),
      { numRuns: 2000 },
    );
  });

  it("holds nothing back that is sure", () => {
    const gate = new StopGate(["stop", "st\n"]);
    expect(gate.take("one st")).toBe("one");
    expect(gate.take("ep")).toBe(" step");
    expect(gate.take("s\n\n")).toBe("s");
    expect(gate.take("two stop three")).toBe("\n\ntwo");
    expect(gate.take("four")).toBe("");
  });
});
