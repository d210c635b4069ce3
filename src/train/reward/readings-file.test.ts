import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeStates, encodeStates, needsOfParts, partsOf } from "./readings-file.js";

test("states come back to the bit, from whatever memory they stood in", () => {
  const floats = (length: number) =>
    fc.float32Array({ minLength: length + 1, maxLength: length + 1 }).map((array) => array.subarray(1));
  const states = fc
    .integer({ min: 1, max: 40 })
    .chain((width) => fc.record({ least: floats(width), mean: floats(width), end: floats(width) }));
  fc.assert(
    fc.property(states, (written) => {
      const read = decodeStates(encodeStates(written));
      for (const place of ["least", "mean", "end"] as const) {
        expect(Buffer.from(new Uint8Array(read[place].slice().buffer))).toEqual(
          Buffer.from(new Uint8Array(written[place].slice().buffer)),
        );
      }
    }),
  );
});

test("what is needed has a part of its own for each model", () => {
  const needs = {
    likelihoods: ["target"],
    typicals: ["target"],
    states: ["draft", "target"],
    judges: ["draft"],
  } as const;
  expect(partsOf(needs)).toEqual([
    "likelihood:target",
    "typical:target",
    "state:draft",
    "state:target",
    "judge:draft",
  ]);
  expect(needsOfParts(partsOf(needs))).toEqual(needs);
});
