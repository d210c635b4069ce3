import { z } from "zod";
import { StepwrightError } from "../../core/errors.js";
import { type RunResult, startRun } from "../../core/run.js";
import { extractAnswer } from "../../grade/extract.js";
import { methods } from "../../methods/index.js";
import { loadHeadFacts } from "../../models/head-file.js";
import { resolveModelFile } from "../../models/hub-inventory.js";
import { hubSettings } from "../../models/hub-settings.js";
import { findTask } from "../../tasks/index.js";
import { isGenerated } from "../../tasks/task.js";
import { type CommandContext, defineCommand } from "../command.js";
import { ModelStore } from "../model-store.js";
import { metric, seconds } from "../numbers.js";
import type { References } from "../references.js";
import { outputForm, runSession } from "../run-session.js";
import { newTrace } from "../run-trace.js";
import { solveSchema } from "../solve-settings.js";
import { harmless, paragraph } from "../terminal-text.js";

/** A story in which the draft slips once. */
const usualIndex = 600_000;

const references: References = {
  draft: "lab:draft",
  target: "lab:target",
  reward: "lab:reward",
  threads: 1,
  exact: false,
  task: "lab",
};

const { temperature, seed, budget, trace, noTrace, events, json } = solveSchema.shape;

export default defineCommand({
  operands: "",
  operandLimit: 0,
  description:
    "Answers a small arithmetic story with the models that come with stepwright, by reward-guided speculative decoding; then lets the target answer alone, to compare. The models are tiny, trained for such stories and nothing else; all that is shown is measured.",
  examples: ["stepwright lab", "stepwright lab --index 600123", "stepwright lab --threshold 0.5 --json"],
  schema: z.object({
    index: z
      .int()
      .min(0)
      .max(999_999)
      .default(usualIndex)
      .describe("Which story; the models were trained on those below 500000."),
    ...{ temperature, seed, budget, trace, noTrace, events, json },
  }),
  async moreFlags() {
    const { schema, name } = await methods.get("rsd");
    return { title: `Options of method ${name}`, schema };
  },
  async run(context, settings, _, options, given) {
    const form = outputForm(settings);
    const task = await findTask("lab");
    if (!isGenerated(task)) throw new StepwrightError("internal", "the lab makes no questions");
    const { question, reference } = task.generate(settings.index);
    const { host, say } = context;
    say(`${paragraph(`Question: ${question}`, host.talk)}\n`);
    let answered: RunResult | undefined;
    const request = {
      question,
      ...{ seed: settings.seed, sampling: { temperature: settings.temperature }, budget: settings.budget },
    };
    const kept = await newTrace(context, settings);
    const code = await runSession(context, {
      method: await methods.get("rsd"),
      request: {
        ...request,
        options: given.has("threshold") ? options : { ...options, threshold: await suggestedThreshold() },
        ...(kept ? { id: kept.run } : {}),
      },
      references,
      trace: kept,
      form,
      onResult: (result) => {
        answered = result;
      },
    });
    if (form !== "text" || !answered) return code;
    await compareWithTarget(context, request, answered, reference);
    for (const line of nextSteps) context.print(line);
    return code;
  },
});

/** The one that was chosen with the reward, on questions set aside for that. */
async function suggestedThreshold(): Promise<number> {
  const facts = await loadHeadFacts(await resolveModelFile(references.reward!));
  return Number(facts.get("threshold") ?? 0.7);
}

async function compareWithTarget(
  { host, signal, print }: CommandContext,
  request: { readonly question: string; readonly seed: number },
  rsd: RunResult,
  reference: string,
): Promise<void> {
  await using store = new ModelStore(references, { hub: hubSettings(host.environment), signal });
  const target = await store.model("target");
  const method = await methods.get("target");
  const alone = await startRun({ ...request, method, roles: { target }, signal }).result;
  const [whole, part] = [alone.ledger.total, rsd.ledger.total];
  const says = (text: string) => {
    const answer = harmless(extractAnswer(text)) || "nothing";
    return `${answer} (${answer === reference ? "right" : `wrong, it is ${reference}`})`;
  };
  print("");
  print(
    paragraph(
      `Just measured: the target alone says ${says(alone.text)} for ${metric(whole.flops)} FLOPs in ${seconds(whole.seconds)}; ` +
        `with the draft it was ${says(rsd.text)} for ${metric(part.flops)} in ${seconds(part.seconds)}, ` +
        `${(part.flops / whole.flops).toPrecision(2)} of the FLOPs.`,
      host.out,
    ),
  );
}

const nextSteps = [
  "",
  "One question says little. Where to go next:",
  "  npx stepwright bench --task lab --offset 700000 --limit 100 \\",
  "    --draft lab:draft --target lab:target --reward lab:reward    the same on a hundred, with intervals",
  '  npx stepwright solve --draft small.gguf --target large.gguf "…"    your own models, any question',
  "  npx stepwright methods                                           other ways to spend the compute",
  "  docs/lab.md, docs/rewards.md                                     what the lab is; rewards for other models",
];
