/** Share right against reward, bin by bin, with the diagonal that an honest probability would follow. */
import { percent } from "../figures-text.js";
import type { BenchReliability } from "../reliability.js";
import { frameOf, plot } from "./plot.js";
import { linearScale } from "./scale.js";
import { element, line, title } from "./svg.js";

export function reliabilityFigure({ bins, of, count }: BenchReliability, width: number): string {
  const frame = frameOf(Math.min(width, 480), Math.min(width, 480) * 0.9);
  const { left, right, top, bottom } = frame;
  const format = (value: number) => value.toFixed(1);
  const x = linearScale([0, 1], [left, right], format);
  const y = linearScale([0, 1], [bottom, top], format);
  const most = Math.max(...bins.map((bin) => bin.count));
  const drawn = bins.map((bin) => {
    const words = title(
      `reward ${bin.from} to ${bin.to}: ${bin.count} ${of}, ${percent(bin.right)} right, mean reward ${bin.meanReward.toFixed(2)}`,
    );
    // How many there are, along the foot; a fifth of the height at most.
    const tall = ((bottom - top) / 5) * (bin.count / most);
    const histogram = element("rect", {
      x: x.at(bin.from) + 1,
      y: bottom - tall,
      width: x.at(bin.to) - x.at(bin.from) - 2,
      height: tall,
      class: "histogram",
    });
    const [px, py] = [x.at(bin.meanReward), y.at(bin.right)];
    // A bin of three steps must not look like one of three hundred.
    const radius = 3 + 5 * Math.sqrt(bin.count / most);
    const whisker = line(px, y.at(bin.ci95[0]), px, y.at(bin.ci95[1]), "whisker");
    return element(
      "g",
      {},
      words + histogram + whisker + element("circle", { cx: px, cy: py, r: radius, class: "mark c0" }),
    );
  });
  const diagonal = line(x.at(0), y.at(0), x.at(1), y.at(1), "diagonal");
  return plot(
    frame,
    { x, y, xTitle: "reward", yTitle: "share right" },
    `Reliability of the reward over ${count} ${of}`,
    diagonal + drawn.join(""),
  );
}
