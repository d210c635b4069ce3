import { z } from "zod";
import { type RunRequest, type RunResult, startRun } from "../../core/run.js";
import { extractAnswer } from "../../grade/extract.js";
import { methods } from "../../methods/index.js";
import { loadHeadFacts } from "../../models/head-file.js";
import { resolveModelFile } from "../../models/hub-inventory.js";
import { hubSettings } from "../../models/hub-settings.js";
import task from "../../tasks/lab.js";
import { type CommandContext, defineCommand } from "../command.js";
import { ModelStore } from "../model-store.js";
import { metric, seconds } from "../numbers.js";
import type { References } from "../references.js";
import { outputForm, runSession } from "../run-session.js";
import { newTrace } from "../run-trace.js";
import { solveSchema } from "../solve-settings.js";
import { harmless, paragraph } from "../terminal-text.js";

/** A story in which the draft slips once. */
const usualIndex = 600_015;

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
    "Answers a small arithmetic story with the models that come with stepwright, by reward-guided speculative decoding; then lets the target answer alone, to compare. The models are tiny, trained for such stories and nothing else; all that is shown is measured. Without --threshold, the one that was chosen with the lab's reward.",
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
    const { question, reference } = task.generate(settings.index);
    const { host, say } = context;
    say(`${paragraph(`Question: ${question}`, host.talk)}\n`);
    const method = await methods.get("rsd");
    const request = {
      ...{ question, method, seed: settings.seed, sampling: { temperature: settings.temperature } },
      options: given.has("threshold") ? options : { ...options, threshold: await suggestedThreshold() },
    };
    const kept = await newTrace(context, settings);
    const session = { ...request, budget: settings.budget, ...(kept ? { id: kept.run } : {}) };
    const code = await runSession(context, { method, request: session, references, trace: kept, form });
    if (form !== "text" || context.signal.aborted) return code;
    await compareWithTarget(context, request, reference);
    for (const line of nextSteps) context.print(line);
    return code;
  },
});

/** The one that was chosen with the reward, on questions set aside for that. */
async function suggestedThreshold(): Promise<number> {
  const facts = await loadHeadFacts(await resolveModelFile(references.reward!));
  return Number(facts.get("threshold") ?? 0.7);
}

/** Answers again by RSD and by the target alone, both on models that are warm by then. */
async function compareWithTarget(
  { host, signal, print }: CommandContext,
  request: Pick<RunRequest, "question" | "method" | "options" | "seed" | "sampling">,
  reference: string,
): Promise<void> {
  await using store = new ModelStore(references, { hub: hubSettings(host.environment), signal });
  const [draft, target, reward] = [
    await store.model("draft"),
    await store.model("target"),
    await store.reward(),
  ];
  const alone = { ...request, method: await methods.get("target"), options: {} };
  const results: RunResult[] = [];
  for (const asked of [request, alone, request, alone]) {
    results.push(await startRun({ ...asked, roles: { draft, target, reward }, signal }).result);
  }
  const [rsd, whole] = results.slice(-2) as [RunResult, RunResult];
  const cost = ({ text, ledger: { total } }: RunResult) => {
    const answer = harmless(extractAnswer(text)) || "nothing";
    const verdict = answer === reference ? "right" : `wrong: it is ${reference}`;
    return `${answer} (${verdict}), ${metric(total.flops)} FLOPs, ${seconds(total.seconds)}`;
  };
  print("");
  print(`Just measured, warm:  target alone  ${cost(whole)}`);
  print(`                      with a draft  ${cost(rsd)}`);
}

const nextSteps = [
  "",
  "One question says little. Where to go next:",
  "  npx stepwright bench --task lab --offset 700000 --limit 100 --draft lab:draft --target lab:target \\",
  "    --reward lab:reward --method draft,target,rsd:threshold=0.9    a hundred, with intervals",
  '  npx stepwright solve --draft small.gguf --target large.gguf "…"  your own models',
  "  npx stepwright methods                         other ways to spend the compute",
  "  docs/lab.md, docs/rewards.md                   the lab; rewards for other models",
];
