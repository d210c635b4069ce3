/** The page of a reward's training: how far its scores can be trusted, beside those that need no training. */
import { basename } from "node:path";
import type { BenchReliability } from "../bench/reliability.js";
import { figureSection, page, tableSection } from "../bench/report/page.js";
import { reliabilityFigure } from "../bench/report/reliability-figure.js";
import { type RocCurve, rocFigure } from "../bench/report/roc-figure.js";
import { harmless } from "../bench/report/svg.js";
import type { TrainedReward } from "../train/reward/pipeline.js";
import {
  costSentences,
  dataSentence,
  nameOf,
  scoreCells,
  scoreTitles,
  thresholdCells,
  thresholdTitles,
} from "./train-reward-lines.js";

export function trainRewardPage(reward: TrainedReward, out: string): string {
  const { chosen, baselines, truth, facts } = reward;
  const { figures } = chosen;
  const cards: [string, string][] = [
    [figures.steps?.auroc?.toFixed(3) ?? "none", "chance that a right step scores above a wrong one"],
    [figures.steps?.calibrationError.toFixed(3) ?? "none", "mean distance of score and share right"],
    [facts.threshold!.value.toFixed(3), `threshold, by the rule ${facts.threshold!.rule}`],
  ];
  const reliability = figures.steps && ({ ...figures.steps, of: "steps" } satisfies BenchReliability);
  const curves: RocCurve[] = [chosen, ...baselines]
    .filter(({ roc }) => roc.length > 0)
    .slice(0, 8)
    .map((one) => ({ label: nameOf(one), points: one.roc }));
  return page(`${basename(out)}: stepwright train reward`, [
    `<h1>${harmless(basename(out))}</h1><p class="soft">${harmless(dataSentence(reward))}</p>`,
    `<div class="cards">${cards.map(([figure, words]) => `<div class="card"><b>${harmless(figure)}</b><span>${harmless(words)}</span></div>`).join("")}</div>`,
    tableSection(
      {
        caption: "Heads and free scores",
        titles: ["", ...scoreTitles.slice(2)],
        rows: [...reward.heads, ...baselines].map((one) => [nameOf(one), ...scoreCells(one).slice(2)]),
      },
      `On questions held out, by the labels ${truth}. The file holds the ${chosen.kind} head on ${chosen.name}, trained on labels ${chosen.labels}.`,
    ),
    ...(reliability
      ? [
          figureSection({
            heading: "Does 0.7 mean right in seven of ten cases?",
            caption: `Steps held out, by the score of the head in the file. Bars along the foot: how many there are. Labels: ${truth}.`,
            isHalf: true,
            draw: (width) => reliabilityFigure(reliability, width),
          }),
        ]
      : []),
    ...(curves.length > 0
      ? [
          figureSection({
            heading: "Right steps kept against wrong steps kept",
            caption:
              "Every threshold is a point of its curve; the nearer to the corner above on the left, the better. The dotted line is chance.",
            isHalf: true,
            draw: (width) => rocFigure(curves, width),
          }),
        ]
      : []),
    tableSection(
      {
        caption: "Thresholds",
        titles: ["", ...thresholdTitles.slice(1, 3)],
        rows: reward.thresholds.map((one) => {
          const [rule, value, rewritten, words] = thresholdCells(one);
          return [`${rule}: ${words}`, value!, rewritten!];
        }),
      },
      "Rewritten: share of the draft's tokens, on questions held out, that the target would write again.",
    ),
    ...costSentences(reward).map((sentence) => `<p>${harmless(sentence)}</p>`),
    `<h2>How it was made</h2><div class="scroll"><table><tbody>${Object.entries(facts.record)
      .map(
        ([name, value]) =>
          `<tr><td>${harmless(name)}</td><td class="words mono" style="white-space:normal">${harmless(JSON.stringify(value))}</td></tr>`,
      )
      .join("")}</tbody></table></div>`,
  ]);
}
