import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
import { StepwrightError, throwIfAborted } from "../../core/errors.js";
import { aggregate, aggregations } from "../../core/reward.js";
import { mathsSystem } from "../../core/run-request.js";
import type { Role } from "../../core/search.js";
import { hubSettings } from "../../models/hub-settings.js";
import { type CommandContext, defineCommand } from "../command.js";
import { type ExplainedAnswer, explainDraft, explainGiven } from "../explanation.js";
import { explanationLines, thresholdSentence, weakestOf } from "../explanation-lines.js";
import { jsonField } from "../fields.js";
import { ModelStore } from "../model-store.js";
import { count, metric, seconds } from "../numbers.js";
import { readQuestion } from "../read-question.js";
import { printLedger, stepCheckOf } from "../run-session.js";
import { referencesOf, refuseOtherQuestions } from "../solve-request.js";
import { solveSchema } from "../solve-settings.js";
import { paragraph } from "../terminal-text.js";
import { warnOtherSteps } from "../warn-other-steps.js";

const { draft, target, reward, threads, context, exact } = solveSchema.shape;
const { temperature, topP, topK, minP, seed } = solveSchema.shape;
const { maxTokens, maxSteps, maxStepTokens, budget } = solveSchema.shape;
const { task, system, noSystem, step, config } = solveSchema.shape;

const schema = z.object({
  ...{ draft, target, reward, threads, context, exact },
  solution: z
    .string()
    .optional()
    .describe("A text to explain in place of the draft's answer; its steps end as --step says.")
    .meta({ group: "Prompt", placeholder: "FILE" }),
  threshold: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("Marks the steps below it; default: the reward's own, where it was trained with one.")
    .meta({ group: "Output" }),
  ...{ temperature, topP, topK, minP, seed, maxTokens, maxSteps, maxStepTokens, budget },
  ...{ task, system, noSystem, step, config },
  json: jsonField,
});

type Settings = z.output<typeof schema>;

export default defineCommand({
  operands: "[PROBLEM | -]",
  operandLimit: 1,
  description:
    "Shows what a reward says of an answer to PROBLEM, step by step: the draft's own, or the text of --solution. The weakest step is marked, and those that rsd would have rewritten. A head with one layer also tells the three features that pulled most, in log-odds against the mean step of its training.",
  examples: [
    'stepwright reward explain --draft small.gguf --reward confidence "What is 17 * 23?"',
    "stepwright reward explain --draft small.gguf --target large.gguf --reward head:head.safetensors PROBLEM",
    "stepwright reward explain --target large.gguf --reward judge:target --solution answer.txt PROBLEM",
  ],
  schema,
  layered: true,
  async run(context, settings, [problem]) {
    const { host, signal } = context;
    const hub = hubSettings(host.environment);
    const question = await readQuestion(problem, context);
    const solution = await solutionOf(settings, context);
    const roles = rolesOf(settings);
    const references = await referencesOf({ ...settings, method: "explain" }, context, roles, hub);
    refuseOtherQuestions(references, question);
    await using store = new ModelStore(references, { hub, signal });
    await store.check(roles);
    if (host.talk.isTerminal) context.say(context.talkStyle.dim("opening models …"));
    const opened = {
      draft: roles.includes("draft") ? await store.model("draft") : undefined,
      reward: await store.reward(),
    };
    const systemMessage = settings.noSystem ? null : (settings.system ?? mathsSystem);
    const checkStep = settings.task === undefined ? undefined : await stepCheckOf(settings.task, question);
    const writer = opened.draft && ({ role: "draft", model: opened.draft } as const);
    const { seed, maxTokens, maxSteps, maxStepTokens, step: splitter } = settings;
    const { temperature, topP, topK, minP, budget } = settings;
    warnOtherSteps(context, opened.reward, splitter);
    const answer =
      solution === undefined
        ? await explainDraft({
            ...{
              question,
              system: systemMessage,
              seed,
              splitter,
              maxTokens,
              maxSteps,
              maxStepTokens,
              budget,
            },
            ...{ roles: opened, sampling: { temperature, topP, topK, minP }, signal },
            ...(checkStep && { checkStep }),
          })
        : await explainGiven(opened.reward, {
            ...{ question, solution, splitter, writer, signal },
            occasion: { system: systemMessage, checkStep },
          });
    throwIfAborted(signal);
    const threshold = settings.threshold ?? opened.reward.advice?.threshold ?? null;
    if (settings.json) context.printJson(documentOf(question, opened.reward.name, answer, threshold));
    else print(context, answer, threshold, settings.threshold === undefined);
    return 0;
  },
});

/** A solution has its writer only where one is named. */
function rolesOf({ solution, draft }: Settings): Role[] {
  return solution === undefined || draft !== undefined ? ["draft", "reward"] : ["reward"];
}

async function solutionOf({ solution }: Settings, { host }: CommandContext): Promise<string | undefined> {
  if (solution === undefined) return undefined;
  return readFile(resolve(host.workingFolder, solution), "utf8").catch((cause) => {
    throw new StepwrightError("invalid-option", `${solution} cannot be read`, {
      subject: "--solution",
      remedy: "name a text file",
      cause,
    });
  });
}

function documentOf(
  question: string,
  reward: string,
  { steps, cost }: ExplainedAnswer,
  threshold: number | null,
) {
  const scores = steps.map(({ score }) => score);
  return {
    ...{ question, reward, threshold },
    steps: steps.map(({ text, tokens, score, pulls }, index) => ({
      ...{ index, text, tokens, reward: score },
      below: threshold === null ? null : score < threshold,
      pulls,
    })),
    weakest: weakestOf(steps),
    aggregates: Object.fromEntries(aggregations.map((kind) => [kind, aggregate(kind, scores)])),
    ...("total" in cost ? { ledger: cost } : { usage: cost }),
  };
}

function print(
  context: CommandContext,
  answer: ExplainedAnswer,
  threshold: number | null,
  isAdvised: boolean,
) {
  const { host, style } = context;
  const explanation = { steps: answer.steps, threshold };
  for (const line of explanationLines(explanation, style, host.out.columns)) context.print(line);
  const sentence = thresholdSentence(explanation, isAdvised);
  if (sentence) context.print(paragraph(sentence, host.out));
  context.print("");
  const { cost } = answer;
  if ("total" in cost) return printLedger(context, cost);
  for (const [name, usage] of [
    ["the writer's figures", cost.figures],
    ["the reward", cost.reward],
  ] as const) {
    context.print(
      `${name}: ${count(usage.prefillTokens)} tokens read, ${metric(usage.flops)} FLOPs, ${seconds(usage.seconds)}`,
    );
  }
}
