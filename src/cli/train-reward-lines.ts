/** What a training of a reward has come to, for a person. */
import type { JudgedScores, RuleThreshold, TrainedReward } from "../train/reward/pipeline.js";
import type { CommandContext } from "./command.js";
import { count, metric, percent, seconds } from "./numbers.js";
import { shellWord } from "./shell-word.js";
import { tableLines } from "./table.js";
import { paragraph } from "./terminal-text.js";
import type { TrainRewardSettings } from "./train-reward-settings.js";

export function trainRewardLines(
  reward: TrainedReward,
  settings: TrainRewardSettings,
  { style, host }: Pick<CommandContext, "style" | "host">,
): string[] {
  const say = (sentence: string) => paragraph(sentence, host.out);
  return [
    say(dataSentence(reward)),
    "",
    ...scoreTable(reward, style.bold),
    say(style.dim(`On questions held out, by the labels ${reward.truth}.${tableNote(reward)}`)),
    "",
    ...costLines(reward, say),
    say(chosenSentence(reward)),
    "",
    ...thresholdLines(reward, style),
    "",
    say("Use it:"),
    `  stepwright solve ${flags(settings)} --threshold auto "PROBLEM"`,
    `  stepwright reward explain ${flags(settings)} "PROBLEM"`,
  ];
}

function dataSentence({ questions, answers, steps }: TrainedReward): string {
  const repeated = questions.repeated > 0 ? `; ${count(questions.repeated)} repeated ones passed over` : "";
  return `${count(questions.training)} questions to train on, ${count(questions.heldOut)} held out${repeated}. ${count(answers.training)} answers of the draft, ${percent(answers.right)} of them right, ${count(steps.training)} steps; held out ${count(answers.heldOut)} answers, ${count(steps.heldOut)} steps.`;
}

function scoreTable({ heads, baselines, chosen }: TrainedReward, bold: (text: string) => string): string[] {
  const columns = [
    { title: "labels" },
    { title: "looks at" },
    { title: "head" },
    { title: "AUROC", align: "right" as const },
    { title: "95 %" },
    { title: "first error F1", align: "right" as const },
    { title: "calibration error", align: "right" as const },
    { title: "answers AUROC", align: "right" as const },
  ];
  const judged = [...heads, ...baselines];
  const [title, ...rows] = tableLines(columns, judged.map(scoreCells));
  return [title!, ...rows.map((row, index) => (judged[index] === chosen ? bold(row) : row))];
}

function scoreCells({ labels, name, kind, figures: { steps, firstError, answers } }: JudgedScores): string[] {
  const ci95 = steps?.aurocCi95;
  return [
    labels ?? "",
    name,
    kind ?? "",
    figure(steps?.auroc),
    ci95 ? `${figure(ci95[0])} to ${figure(ci95[1])}` : "",
    figure(firstError?.f1),
    figure(steps?.calibrationError),
    figure(answers.min),
  ];
}

function figure(value: number | null | undefined): string {
  return value == null ? "" : value.toFixed(3);
}

function tableNote({ heads }: TrainedReward): string {
  const without = heads.every(({ figures }) => figures.firstError === null);
  return without ? " Labels of whole answers do not say where the first error is." : "";
}

function costLines({ labelCosts }: TrainedReward, say: (sentence: string) => string): string[] {
  const paid = labelCosts.filter(({ calls }) => calls > 0);
  if (paid.length === 0) return [];
  const lines = paid.map((cost) =>
    say(
      `Labels ${cost.source}: ${count(cost.labelled)} steps of ${count(cost.answers)} answers for ${metric(cost.decodeTokens)} tokens written and ${metric(cost.prefillTokens)} read, ${metric(cost.flops)} FLOPs, ${seconds(cost.seconds)} of the engine.`,
    ),
  );
  const perAnswer = (name: string) => {
    const cost = paid.find(({ source }) => source === name);
    return cost && { flops: cost.flops / cost.answers, seconds: cost.seconds / cost.answers };
  };
  const [spare, monteCarlo] = [perAnswer("spare"), perAnswer("monte-carlo")];
  if (spare && monteCarlo) {
    const times = (what: "flops" | "seconds") => (monteCarlo[what] / spare[what]).toPrecision(2);
    lines.push(
      say(
        `An answer's labels by monte-carlo cost ${times("flops")} times the FLOPs of spare, and ${times("seconds")} times its seconds.`,
      ),
    );
  }
  return [...lines, ""];
}

function chosenSentence({ chosen, heads }: TrainedReward): string {
  const how = heads.length > 1 ? "by cross-validation on the training questions" : "the only one asked for";
  return `Chosen: the ${chosen.kind} head on ${chosen.name}, ${how}.`;
}

const ruleWords: Readonly<Record<RuleThreshold["rule"], string>> = {
  budget: "as high as the share of tokens allows",
  "target-mean": "the mean label of the target's own steps",
  best: "the best expected step",
};

function thresholdLines(
  { thresholds, facts, target }: TrainedReward,
  style: CommandContext["style"],
): string[] {
  const columns = [
    { title: "rule" },
    { title: "threshold", align: "right" as const },
    { title: "rewritten", align: "right" as const },
    { title: "" },
  ];
  const [title, ...rows] = tableLines(
    columns,
    thresholds.map(({ rule, value, rewritten }) => [
      rule,
      figure(value),
      percent(rewritten),
      ruleWords[rule],
    ]),
  );
  const chosen = thresholds.findIndex(({ rule }) => rule === facts.threshold!.rule);
  return [
    title!,
    ...rows.map((row, index) => (index === chosen ? style.bold(row) : row)),
    style.dim(
      `Rewritten: share of the draft's tokens, on questions held out, that the target would write again. In the file: ${facts.threshold!.rule}.`,
    ),
    ...(target
      ? [
          style.dim(
            `The target's own answers: ${count(target.answers)}, ${percent(target.right)} of them right.`,
          ),
        ]
      : []),
  ];
}

function flags({ draft, target, out }: TrainRewardSettings): string {
  const isPlain = draft === undefined && target === undefined;
  const names = isPlain ? ["lab:draft", "lab:target"] : [draft ?? "MODEL", target ?? "MODEL"];
  const [first, second] = names.map(shellWord);
  return `--draft ${first} --target ${second} --reward head:${shellWord(out)}`;
}
