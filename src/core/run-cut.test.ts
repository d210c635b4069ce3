/** Runs that were cut while a whole answer was at hand. */
import { expect, test } from "vitest";
import { z } from "zod";
import { carryOut, ofType } from "../testing/carry-out.js";
import { ScriptedModel } from "../testing/index.js";
import { defineMethod } from "./method.js";
import { replay } from "./run.js";

const draft = () =>
  new ScriptedModel({ law: { steps: () => [{ text: "an answer", probability: 1, end: true }] } });

/** Writes answer after answer, each better than the one before. */
const tireless = (count: number, after: (index: number) => void = () => {}) =>
  defineMethod({
    ...{ name: "tireless", essence: "", kind: "plain", source: "", schema: z.object({}) },
    needs: { draft: ["text"] },
    async run(search) {
      let last = search.root;
      for (let index = 0; index < count; index++) {
        last = await search.extend(search.root, { role: "draft" });
        if (last.finish === "stop") search.offer(last, index);
        after(index);
      }
      return search.finish(last);
    },
  });

test("a run whose budget ends gives its best whole answer, says that it was cut, and replays", async () => {
  const method = tireless(5);
  const { result, events } = await carryOut({
    ...{ method, question: "?", roles: { draft: draft() }, budget: { "draft-tokens": 25 } },
  });
  expect(result).toMatchObject({ finish: "stop", text: "an answer" });
  expect(ofType(events, "run-finished")[0]).toMatchObject({ cut: "budget", node: "1" });
  expect(await replay(events, method)).toEqual(result);
});

test("a run aborted with a whole answer at hand can be taken up again", async () => {
  const controller = new AbortController();
  const aborted = await carryOut({
    ...{ question: "?", roles: { draft: draft() }, signal: controller.signal, id: "one" },
    method: tireless(5, (index) => index === 2 && controller.abort()),
  });
  expect(ofType(aborted.events, "run-finished")[0]).toMatchObject({
    finish: "stop",
    cut: "abort",
    node: "2",
  });
  const model = draft();
  const resumed = await carryOut({
    ...{ question: "?", roles: { draft: model }, recording: aborted.events, method: tireless(5) },
  });
  expect(ofType(resumed.events, "run-finished").at(-1)).toMatchObject({ finish: "stop", node: "4" });
  expect(ofType(resumed.events, "run-finished").at(-1)!.cut).toBeUndefined();
});
