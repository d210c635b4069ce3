/** What each threshold of a score lets through: right things against wrong ones, one curve for each score. */
import { frameOf, path, plot } from "./plot.js";
import { linearScale } from "./scale.js";
import { line, text } from "./svg.js";

export interface RocCurve {
  readonly label: string;
  /** Shares of the wrong and of the right things, from (0, 0) to (1, 1). */
  readonly points: readonly (readonly [wrong: number, right: number])[];
}

const lineHeight = 17;
/** Mean width of a letter in the key, generous; and the sample of a curve before it. */
const letter = 6.2;
const sampleWidth = 24;

/** The first curve is the one that the others are compared with. At most eight have a colour of their own. */
export function rocFigure(curves: readonly RocCurve[], width: number): string {
  const frame = frameOf(Math.min(width, 480), Math.min(width, 480) * 0.9);
  const { left, right, top, bottom } = frame;
  const format = (value: number) => value.toFixed(1);
  const x = linearScale([0, 1], [left, right], format);
  const y = linearScale([0, 1], [bottom, top], format);
  const drawn = curves.map(({ points }, index) =>
    path(
      points.map(([wrong, kept]) => [x.at(wrong), y.at(kept)] as const),
      `curve s${index}${index === 0 ? "" : " dashed"}`,
    ),
  );
  // In the corner that a curve leaves empty unless it is worse than chance.
  const from = right - 6 - sampleWidth - letter * Math.max(...curves.map(({ label }) => label.length));
  const to = from + sampleWidth;
  const first = bottom - 10 - (curves.length - 1) * lineHeight;
  const key = curves.map(({ label }, index) => {
    const at = first + index * lineHeight;
    const sample = path(
      [
        [from, at - 4],
        [to, at - 4],
      ],
      `curve s${index}${index === 0 ? "" : " dashed"}`,
    );
    return sample + text(to + 6, at, label, { class: "label" });
  });
  const diagonal = line(x.at(0), y.at(0), x.at(1), y.at(1), "diagonal");
  return plot(
    frame,
    { x, y, xTitle: "share of wrong steps kept", yTitle: "share of right steps kept" },
    `Right against wrong steps kept, for ${curves.map(({ label }) => label).join(", ")}`,
    diagonal + drawn.reverse().join("") + key.join(""),
  );
}
