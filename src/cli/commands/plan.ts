import { percent } from "../../bench/figures-text.js";
import { bestSpeculation, breakEven } from "../../bench/forecast/speculation.js";
import { printTable } from "../analysis.js";
import { type CommandContext, defineCommand } from "../command.js";
import { jsonField } from "../fields.js";
import { bytes, count, metric, seconds } from "../numbers.js";
import { type Plan, planSchema, plansOf } from "../plan-session.js";

/** Acceptances per token for which token speculation is foretold. */
const shownAcceptances = [0.6, 0.8, 0.9, 0.95];

export default defineCommand({
  operands: "",
  operandLimit: 0,
  description:
    "Foretells, before anything runs, what methods will cost per question: tokens, FLOPs, seconds and memory, against the target alone, and says when speculation will not pay. The method itself runs over stand-ins of the models' sizes; what questions are like comes from a pilot (--pilot, a folder of bench) or is assumed. Seconds need stepwright calibrate.",
  examples: [
    "stepwright plan --draft small.gguf --target large.gguf --acceptance 0.8",
    "stepwright plan --method rsd:threshold=0.8 --draft small.gguf --target large.gguf --pilot runs/pilot",
  ],
  schema: planSchema.extend({ json: jsonField }),
  layered: true,
  async run(context, { json, ...settings }, _operands, _more, given) {
    const plan = await plansOf(context, settings, given);
    if (json) context.printJson(plan);
    else show(context, plan);
    return 0;
  },
});

function show(context: CommandContext, plan: Plan): void {
  const { print, style } = context;
  const { target, rows, workload, memory, speculation } = plan;
  print(style.bold("Per question"));
  printTable(
    context,
    [
      "method",
      "draft writes",
      "target writes",
      "target reads",
      "reward reads",
      "FLOPs",
      "of target",
      "time",
      "of target",
    ],
    rows.map(({ label, roles, flops, seconds: time, flopsVsTarget, secondsVsTarget }) => [
      label,
      count(Math.round(roles.draft?.writtenTokens ?? 0)),
      count(Math.round(roles.target?.writtenTokens ?? 0)),
      count(Math.round(roles.target?.readTokens ?? 0)),
      count(Math.round(roles.reward?.readTokens ?? 0)),
      metric(flops),
      flopsVsTarget === null ? "" : flopsVsTarget.toPrecision(2),
      time === null ? "" : seconds(time),
      secondsVsTarget === null ? "" : secondsVsTarget.toPrecision(2),
    ]),
  );
  print(style.dim(`Questions: ${workload}.`));
  if (target && rows.some(({ seconds: time }) => time === null)) {
    print(style.dim("No seconds: run stepwright calibrate with these models first."));
  }
  for (const { words } of plan.verdicts) print(words);
  if (memory !== null) print(`Memory: about ${bytes(memory)}; ${bytes(plan.availableMemory)} are available.`);
  if (!speculation) return;
  const guesses = shownAcceptances.map((acceptance) => {
    const { length, speedUp } = bestSpeculation(acceptance, speculation.draftCost, speculation.curve);
    return `${percent(acceptance)}: ${speedUp.toFixed(2)} × with ${length}`;
  });
  const least = breakEven(speculation.draftCost, speculation.curve);
  print(style.bold("Guessing single tokens with this draft"));
  print(`By accepted share of tokens, at the best length: ${guesses.join("; ")}.`);
  print(
    least === null
      ? "It will not pay on this machine, however good the draft's guesses are."
      : `Below ${percent(least)} of accepted tokens it will not pay on this machine.`,
  );
}
