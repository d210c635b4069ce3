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
    ...costSentences(reward).map(say),
    say(chosenSentence(reward)),
    "",
    ...thresholdLines(reward, style),
    "",
    say("Use it:"),
    `  stepwright solve ${flags(settings)} --threshold auto "PROBLEM"`,
    `  stepwright reward explain ${flags(settings)} "PROBLEM"`,
  ];
}

export function dataSentence({ questions, answers, steps }: TrainedReward): string {
  const repeated = questions.repeated > 0 ? `; ${count(questions.repeated)} repeated ones passed over` : "";
  return `${count(questions.training)} questions to train on, ${count(questions.heldOut)} held out${repeated}. ${count(answers.training)} answers of the draft, ${percent(answers.right)} of them right, ${count(steps.training)} steps; held out ${count(answers.heldOut)} answers, ${count(steps.heldOut)} steps.`;
}

export const scoreTitles = [
  "labels",
  "looks at",
  "head",
  "AUROC",
  "95 %",
  "first error F1",
  "calibration error",
  "answers AUROC",
] as const;

function scoreTable({ heads, baselines, chosen }: TrainedReward, bold: (text: string) => string): string[] {
  const columns = scoreTitles.map((title, index) => ({
    title,
    align: index < 3 ? ("left" as const) : ("right" as const),
  }));
  const judged = [...heads, ...baselines];
  const [title, ...rows] = tableLines(columns, judged.map(scoreCells));
  return [title!, ...rows.map((row, index) => (judged[index] === chosen ? bold(row) : row))];
}

export function scoreCells({ labels, name, kind, figures }: JudgedScores): string[] {
  const { steps, firstError, answers } = figures;
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

/** "check on both", or a reward's name. */
export function nameOf({ labels, name }: JudgedScores): string {
  return labels === null ? name : `${labels} on ${name}`;
}

function figure(value: number | null | undefined): string {
  return value == null ? "" : value.toFixed(3);
}

function tableNote({ heads }: TrainedReward): string {
  const without = heads.every(({ figures }) => figures.firstError === null);
  return without ? " Labels of whole answers do not say where the first error is." : "";
}

export function costSentences({ labelCosts }: TrainedReward): string[] {
  const paid = labelCosts.filter(({ calls }) => calls > 0);
  const sentences = paid.map(
    (cost) =>
      `Labels ${cost.source}: ${count(cost.labelled)} steps of ${count(cost.answers)} answers for ${metric(cost.decodeTokens)} tokens written and ${metric(cost.prefillTokens)} read, ${metric(cost.flops)} FLOPs, ${seconds(cost.seconds)} of the engine.`,
  );
  const perAnswer = (name: string) => {
    const cost = paid.find(({ source }) => source === name);
    return cost && { flops: cost.flops / cost.answers, seconds: cost.seconds / cost.answers };
  };
  const [spare, monteCarlo] = [perAnswer("spare"), perAnswer("monte-carlo")];
  if (!spare || !monteCarlo) return sentences;
  const times = (what: "flops" | "seconds") => (monteCarlo[what] / spare[what]).toPrecision(2);
  return [
    ...sentences,
    `An answer's labels by monte-carlo cost ${times("flops")} times the FLOPs of spare, and ${times("seconds")} times its seconds.`,
  ];
}

function chosenSentence({ chosen, heads }: TrainedReward): string {
  const how = heads.length > 1 ? "by cross-validation on the training questions" : "the only one asked for";
  return `Chosen: the ${chosen.kind} head on ${chosen.name}, ${how}.`;
}

const ruleWords: Readonly<Record<RuleThreshold["rule"], string>> = {
  budget: "as high as the share of tokens allows, at most the target's mean",
  "target-mean": "the mean label of the target's own steps",
  best: "the best expected step",
};

export const thresholdTitles = ["rule", "threshold", "rewritten", ""] as const;

export function thresholdCells({ rule, value, rewritten }: RuleThreshold): string[] {
  return [rule, figure(value), percent(rewritten), ruleWords[rule]];
}

function thresholdLines(
  { thresholds, facts, target }: TrainedReward,
  style: CommandContext["style"],
): string[] {
  const columns = thresholdTitles.map((title, index) => ({
    title,
    align: index === 1 || index === 2 ? ("right" as const) : ("left" as const),
  }));
  const [title, ...rows] = tableLines(columns, thresholds.map(thresholdCells));
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
