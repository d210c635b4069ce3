import { z } from "zod";
import { methods } from "../../methods/index.js";
import { defineCommand } from "../command.js";
import { question } from "../demo/story.js";
import { jsonField } from "../fields.js";
import { outputForm, runSession } from "../run-session.js";
import { newTrace } from "../run-trace.js";
import { solveSchema } from "../solve-settings.js";
import { paragraph } from "../terminal-text.js";

/** A token of the draft at the speed at which one can follow. */
const watchable = 0.025;

const disclaimer = "Scripted models: words, probabilities, pace and sizes are made up; the method is real.";

export default defineCommand({
  operands: "",
  operandLimit: 0,
  description:
    "Solves a small arithmetic story with reward-guided speculative decoding. Draft, target and reward are scripted: their words are prepared, their probabilities, their pace and their sizes made up. The method, the ledger and the trace are the real ones.",
  examples: [
    "stepwright demo",
    "stepwright demo --threshold 0",
    "stepwright demo --temperature 1 --seed 7",
    "stepwright demo --json",
  ],
  schema: z.object({
    pace: z
      .number()
      .min(0)
      .max(60)
      .optional()
      .describe(
        "Seconds that the draft takes for a token; default: what one can follow on a terminal, else 0.",
      ),
    ...pick(["temperature", "seed", "budget", "trace", "noTrace", "events"]),
    json: jsonField,
  }),
  async moreFlags() {
    const method = await methods.get("rsd");
    return { title: `Options of method ${method.name}`, schema: method.schema };
  },
  async run(context, settings, _, options) {
    const form = outputForm(settings);
    const { host, say, talkStyle } = context;
    const { temperature, seed, budget } = settings;
    const watched = form === "text" ? host.out.isTerminal : form === "json" && host.talk.isTerminal;
    const pace = settings.pace ?? (watched ? watchable : 0);
    say(talkStyle.dim(paragraph(disclaimer, host.talk)));
    say(`${paragraph(`Question: ${question}`, host.talk)}\n`);
    const trace = await newTrace(context, settings);
    return runSession(context, {
      method: await methods.get("rsd"),
      request: {
        question,
        options,
        seed,
        sampling: { temperature },
        budget,
        ...(trace ? { id: trace.run } : {}),
      },
      references: {
        draft: "demo:draft",
        target: "demo:target",
        reward: "demo:reward",
        threads: 1,
        exact: false,
        pace,
      },
      trace,
      form,
    });
  },
});

function pick<Key extends keyof typeof solveSchema.shape>(
  keys: readonly Key[],
): Pick<typeof solveSchema.shape, Key> {
  const entries = keys.map((key) => [key, solveSchema.shape[key]]);
  return Object.fromEntries(entries) as Pick<typeof solveSchema.shape, Key>;
}
