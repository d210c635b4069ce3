import { expect, test } from "vitest";
import { type RunRequest, startRun } from "../core/run.js";
import type { TraceEvent } from "../core/trace-event.js";
import { toyQuestion, toyWorld } from "../testing/index.js";
import draftAlone from "./draft.js";
import particleFilter from "./particle-filter.js";
import particleGibbs from "./particle-gibbs.js";

async function carryOut(request: Pick<RunRequest, "method"> & Partial<RunRequest>) {
  const { roles } = toyWorld(request.method);
  const run = startRun({ question: toyQuestion, roles, sampling: { temperature: 1 }, ...request });
  const events: TraceEvent[] = [];
  for await (const event of run) if (event.type !== "text-written") events.push(event);
  return { result: await run.result, events };
}

test("particle card: one particle is one plain sample, whatever the reward says", async () => {
  for (let seed = 0; seed < 30; seed++) {
    const options = { particles: 1, sampleTemperature: 1 };
    const filtered = await carryOut({ method: particleFilter, options, seed });
    const plain = await carryOut({ method: draftAlone, seed });
    expect(filtered.result.text).toBe(plain.result.text);
    expect(filtered.result.ledger.draft).toEqual(plain.result.ledger.draft);
  }
});

test("particle card: Gibbs with one iteration equals the filter", async () => {
  for (let seed = 0; seed < 30; seed++) {
    const gibbs = await carryOut({ method: particleGibbs, options: { iterations: 1 }, seed });
    const filtered = await carryOut({ method: particleFilter, seed });
    expect(gibbs.result.text).toBe(filtered.result.text);
    expect(gibbs.result.ledger.draft).toEqual(filtered.result.ledger.draft);
  }
});

test("more iterations find better answers", async () => {
  const right = async (iterations: number) => {
    let count = 0;
    for (let seed = 0; seed < 200; seed++) {
      const { result } = await carryOut({
        method: particleGibbs,
        options: { iterations, particles: 2 },
        seed,
      });
      if (result.text.split("\n\n").every((step) => step.startsWith("right"))) count++;
    }
    return count / 200;
  };
  expect(await right(4)).toBeGreaterThan((await right(1)) + 0.1);
});

test("the answer is a whole one where there is one", async () => {
  for (let seed = 0; seed < 20; seed++) {
    for (const select of ["best", "sample", "vote"]) {
      const { result } = await carryOut({ method: particleFilter, options: { select }, seed });
      expect(result.finish).toBe("stop");
    }
  }
});
