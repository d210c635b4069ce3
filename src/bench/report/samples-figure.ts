/** Accuracy by number of samples: the vote that can be had, and the perfect choice that cannot. */
import { percent } from "../figures-text.js";
import { drawMark, type Mark } from "./marks.js";
import { frameOf, path, placeLabels, plot } from "./plot.js";
import { linearScale, logScale, padded } from "./scale.js";
import { element, title } from "./svg.js";

export interface SampleCurve {
  readonly words: string;
  /** True for what only someone who knows the answers can reach. */
  readonly isOracle: boolean;
  readonly points: readonly { readonly samples: number; readonly accuracy: number }[];
}

export function samplesFigure(curves: readonly SampleCurve[], marks: readonly Mark[], width: number): string {
  const frame = frameOf(width);
  const { left, right, top, bottom } = frame;
  const all = curves.flatMap(({ points }) => points);
  const most = Math.max(...all.map(({ samples }) => samples));
  const x = logScale([0.9, most * 1.4], [left, right], String, [
    ...new Set(all.map(({ samples }) => samples)),
  ]);
  const [low, high] = padded(
    all.map(({ accuracy }) => accuracy),
    { share: 0.12 },
  );
  const y = linearScale(
    [Math.max(0, low), Math.min(1, Math.max(high, low + 0.1))],
    [bottom, top],
    (value) => `${Math.round(value * 100)} %`,
  );
  const drawn = curves.map(({ points, words, isOracle }, index) => {
    const mark = marks[index]!;
    const curve = path(
      points.map(({ samples, accuracy }) => [x.at(samples), y.at(accuracy)]),
      `curve s${mark.colour}${isOracle ? " dashed" : ""}`,
    );
    const dots = points.map(({ samples, accuracy }) =>
      element(
        "g",
        {},
        title(`${words}, ${samples}: ${percent(accuracy)}`) +
          drawMark(mark, x.at(samples), y.at(accuracy), 3.5),
      ),
    );
    return curve + dots.join("");
  });
  const labels = placeLabels(
    curves.map(({ points, words }) => {
      const { samples, accuracy } = points.at(-1)!;
      return { x: x.at(samples), y: y.at(accuracy), words };
    }),
    frame,
  );
  return plot(
    frame,
    { x, y, xTitle: "samples (log)", yTitle: "right answers" },
    "Accuracy by number of samples",
    drawn.join("") + labels,
  );
}
