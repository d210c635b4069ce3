/** What stands for a method: a colour and, for grey prints and eyes that confuse colours, a shape. */
import { element } from "./svg.js";

/** Colours are CSS classes `c0` to `c7`; shapes go round at another rate, so that 40 pairs differ. */
export interface Mark {
  readonly colour: number;
  readonly shape: (typeof shapes)[number];
}

export const colourCount = 8;
const shapes = ["circle", "square", "triangle", "diamond", "cross"] as const;

/** One mark per method, in the order of their first rows; sweeps of one method share it. */
export function marksOf(methods: readonly string[]): ReadonlyMap<string, Mark> {
  return new Map(
    [...new Set(methods)].map((method, index) => [
      method,
      { colour: index % colourCount, shape: shapes[index % shapes.length]! },
    ]),
  );
}

export function drawMark({ colour, shape }: Mark, x: number, y: number, size = 5): string {
  const name = `mark c${colour}`;
  switch (shape) {
    case "circle":
      return element("circle", { cx: x, cy: y, r: size, class: name });
    case "square":
      return element("rect", {
        x: x - size * 0.9,
        y: y - size * 0.9,
        width: size * 1.8,
        height: size * 1.8,
        class: name,
      });
    case "triangle":
      return polygon(
        [
          [x, y - size * 1.2],
          [x + size * 1.1, y + size * 0.8],
          [x - size * 1.1, y + size * 0.8],
        ],
        name,
      );
    case "diamond":
      return polygon(
        [
          [x, y - size * 1.3],
          [x + size * 1.3, y],
          [x, y + size * 1.3],
          [x - size * 1.3, y],
        ],
        name,
      );
    case "cross": {
      const [a, b] = [size * 0.4, size * 1.2];
      const corners: [number, number][] = [
        [-a, -b],
        [a, -b],
        [a, -a],
        [b, -a],
        [b, a],
        [a, a],
        [a, b],
        [-a, b],
        [-a, a],
        [-b, a],
        [-b, -a],
        [-a, -a],
      ];
      return polygon(
        corners.map(([dx, dy]) => [x + dx, y + dy]),
        name,
      );
    }
  }
}

function polygon(corners: readonly (readonly [number, number])[], name: string): string {
  return element("polygon", {
    points: corners.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" "),
    class: name,
  });
}
