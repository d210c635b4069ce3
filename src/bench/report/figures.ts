/** Every figure of a bench, by the name of its file. */
import type { BenchReport } from "./bench-report.js";
import { costFigure } from "./cost-figure.js";
import { marksOf } from "./marks.js";
import { type Cost, paretoFigure } from "./pareto-figure.js";
import { reliabilityFigure } from "./reliability-figure.js";
import { type SampleCurve, samplesFigure } from "./samples-figure.js";
import { sweepFigure, sweepsOf } from "./sweep-figure.js";

export interface Figure {
  /** Without an ending: "accuracy-by-flops". */
  readonly name: string;
  readonly heading: string;
  readonly caption: string;
  /** A square one, which needs less room. */
  readonly isHalf?: boolean;
  /** At a width in pixels: what is drawn for 720 is not legible on a phone. */
  draw(width: number): string;
}

interface NamedCost extends Cost {
  readonly name: string;
  readonly heading: string;
  readonly caption: string;
  /** True where plain samples have a known cost of this kind, whatever machine they ran on. */
  readonly showsVotes: boolean;
}

const costs: readonly NamedCost[] = [
  {
    name: "flops",
    heading: "Accuracy against FLOPs",
    showsVotes: true,
    words: "FLOPs per question",
    of: ({ flops, runs }) => flops / Math.max(1, runs),
    caption:
      "Every token that any model read or wrote. The dotted line is the front: nothing above and left of it. Dashed lines, where drawn, are majority votes over more and more plain samples.",
  },
  {
    name: "seconds",
    heading: "Accuracy against seconds",
    showsVotes: false,
    words: "seconds per question",
    of: ({ seconds, runs }) => seconds / Math.max(1, runs),
    caption: "Wall seconds of the runs on this machine.",
  },
];

export function figuresOf({ summary, reliabilities, curves }: BenchReport): Figure[] {
  const { rows } = summary;
  const marks = marksOf(rows.map(({ method }) => method));
  const figures: Figure[] = [];
  const votes = curves.flatMap(({ label, curves: { majority }, flops }) =>
    flops === null
      ? []
      : [
          {
            words: `${label}, votes`,
            points: majority.map((accuracy, index) => ({ cost: flops[index]!, accuracy })),
          },
        ],
  );
  for (const cost of costs) {
    if (!rows.some((row) => cost.of(row) > 0)) continue;
    figures.push({
      name: `accuracy-by-${cost.name}`,
      heading: cost.heading,
      caption: `${cost.caption} Bars are 95 % intervals.`,
      draw: (width) => paretoFigure(rows, cost, marks, width, cost.showsVotes ? votes : [])!,
    });
  }
  if (costFigure(rows, 720) !== null) {
    figures.push({
      name: "cost-by-role",
      heading: "Where the FLOPs go",
      caption: "Per question. A role's FLOPs are shared between reading and writing by its tokens.",
      draw: (width) => costFigure(rows, width)!,
    });
  }
  sweepsOf(rows).forEach((sweep, index) => {
    figures.push({
      name: `sweep-${index + 1}-${plain(sweep.method)}-${plain(sweep.option)}`,
      heading: `${sweep.method}: ${sweep.option}`,
      caption:
        "Right answers with 95 % intervals, and the share of draft steps that were kept. The best of a sweep looks better than it is: choose on other questions.",
      draw: (width) => sweepFigure(sweep, marks.get(sweep.method)!, width),
    });
  });
  if (curves.length > 0) figures.push(samples(curves));
  reliabilities.forEach(({ label, reliability }, index) => {
    const { auroc, aurocCi95, calibrationError, count, of } = reliability;
    const area =
      auroc === null
        ? "All were right or all wrong, so there is no AUROC."
        : `AUROC ${auroc.toFixed(3)} (${aurocCi95!.map((end) => end.toFixed(3)).join(" to ")}).`;
    const judged =
      of === "steps"
        ? "each step judged by the task's own checker"
        : "the least reward of an answer's steps against the grade of the answer, for this task checks no steps";
    figures.push({
      name: `reliability-${index + 1}-${plain(label)}`,
      heading: `Can the reward be trusted? ${label}`,
      caption: `${area} Expected calibration error ${calibrationError.toFixed(3)}. ${count} ${of}: ${judged}. Larger dots, and the bars along the foot, stand for more of them.`,
      isHalf: true,
      draw: (width) => reliabilityFigure(reliability, width),
    });
  });
  return figures;
}

function samples(all: BenchReport["curves"]): Figure {
  const curves: SampleCurve[] = all.flatMap(({ label, curves: { samples, majority, oracle } }) => {
    const points = (values: readonly number[]) =>
      values.map((accuracy, index) => ({ samples: samples[index]!, accuracy }));
    return [
      { words: `${label}, majority`, isOracle: false, points: points(majority) },
      { words: `${label}, oracle`, isOracle: true, points: points(oracle) },
    ];
  });
  const marks = marksOf(all.map(({ label }) => label));
  const marksByCurve = all.flatMap(({ label }) => [marks.get(label)!, marks.get(label)!]);
  return {
    name: "accuracy-by-samples",
    heading: "More samples of plain decoding",
    caption:
      "The vote is what can be had. The oracle picks a right answer wherever one was drawn: it is a bound, not a score.",
    draw: (width) => samplesFigure(curves, marksByCurve, width),
  };
}

/** Safe as a part of a file's name. */
function plain(words: string): string {
  return words
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 40);
}
