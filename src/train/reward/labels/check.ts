/** Exact labels, where a task can check steps by itself. */
import { z } from "zod";
import { defineLabelSource, labeller, noLabelUsage } from "./label-source.js";

export default defineLabelSource({
  name: "check",
  essence: "the task checks each step by its own rules; exact and free, for tasks that can",
  source: "the task's `checkStep`; a right step after a wrong one is right",
  exactness: 4,
  needs: ["step-check"],
  schema: z.strictObject({}),
  open: async (_, context) =>
    labeller(async ({ steps }, question) => {
      const texts = steps.map(({ text }) => text);
      const isRight = (text: string, place: number) =>
        context.checkStep!(question, texts.slice(0, place), text);
      return { values: texts.map((text, place) => (isRight(text, place) ? 1 : 0)), usage: noLabelUsage };
    }),
});
