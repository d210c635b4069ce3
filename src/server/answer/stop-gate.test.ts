import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { startRun } from "../../core/run.js";
import { beforeStop } from "../../core/stop-strings.js";
import draft from "../../methods/draft.js";
import { ScriptedModel } from "../../models/scripted.js";
import { StopGate } from "./stop-gate.js";

/** Few letters, so that stop strings begin, break off and overlap all the time. */
const text = fc.string({ unit: fc.constantFrom("a", "b", " ", "\n"), maxLength: 40 });
const stops = fc.array(fc.string({ unit: fc.constantFrom("a", "b", " "), minLength: 1, maxLength: 4 }), {
  maxLength: 3,
});

/** A model writes no further than the piece that completes a stop, also where a longer one began before it. */
function written(pieces: readonly string[], stops: readonly string[]): string {
  let whole = "";
  for (const piece of pieces) {
    whole += piece;
    if (stops.some((stop) => whole.includes(stop))) break;
  }
  return whole;
}

describe("the gate before a stream", () => {
  it("lets through, piece by piece, exactly the whole answer's text", () => {
    fc.assert(
      fc.property(fc.array(text, { maxLength: 12 }), stops, (pieces, stops) => {
        const gate = new StopGate(stops);
        const through = pieces.map((piece) => gate.take(piece)).join("") + gate.end();
        expect(through).toBe(beforeStop(written(pieces, stops), stops).trimEnd());
      }),
      {
        numRuns: 2000,
        examples: [
          [
            ["ba", " "],
            ["ba ", "a"],
          ],
        ],
      },
    );
  });

  it("agrees with the run that writes the pieces", async () => {
    const model = new ScriptedModel({
      pieces: ["ba", " ", "b"],
      law: { tokens: ({ begun }) => [{ text: begun.length % 3 === 2 ? " " : "ba", probability: 1 }] },
    });
    const stop = ["ba ", "a"];
    const gate = new StopGate(stop);
    let through = "";
    const run = startRun({ method: draft, question: "go on", roles: { draft: model }, stop });
    for await (const event of run) if (event.type === "text-written") through += gate.take(event.text);
    expect(through + gate.end()).toBe("b");
    expect(await run.result).toMatchObject({ text: "b", finish: "stop" });
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
