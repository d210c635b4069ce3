/** The frame that all plots share: axes, grid, titles, and labels that keep out of each other's way. */
import type { Scale } from "./scale.js";
import { element, figure, line, text } from "./svg.js";

export interface Frame {
  readonly width: number;
  readonly height: number;
  /** Of the plotted area. */
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** `width` is that of the figure: 720 beside text, 360 on a phone. */
export function frameOf(width: number, height = Math.round(width * (width < 500 ? 0.85 : 0.56))): Frame {
  return { width, height, left: 52, right: width - 16, top: 14, bottom: height - 46 };
}

export interface Axes {
  readonly x: Scale;
  readonly y: Scale;
  readonly xTitle: string;
  readonly yTitle: string;
}

export function plot(frame: Frame, { x, y, xTitle, yTitle }: Axes, label: string, content: string): string {
  const { width, height, left, right, top, bottom } = frame;
  const grid = [
    ...y.ticks.map(({ value }) => line(left, y.at(value), right, y.at(value), "grid")),
    ...x.ticks.map(({ value }) => line(x.at(value), top, x.at(value), bottom, "grid")),
  ];
  const numbers = [
    ...y.ticks.map((tick) =>
      text(left - 8, y.at(tick.value) + 4, tick.label, { class: "tick", "text-anchor": "end" }),
    ),
    ...x.ticks.map((tick) =>
      text(x.at(tick.value), bottom + 18, tick.label, { class: "tick", "text-anchor": "middle" }),
    ),
  ];
  const titles = [
    text((left + right) / 2, height - 8, xTitle, { class: "axis-title", "text-anchor": "middle" }),
    text(14, (top + bottom) / 2, yTitle, {
      class: "axis-title",
      "text-anchor": "middle",
      transform: `rotate(-90 14 ${Math.round((top + bottom) / 2)})`,
    }),
  ];
  const base = line(left, bottom, right, bottom, "axis");
  return figure(width, height, label, [...grid, base, ...numbers, ...titles, content].join(""));
}

export interface Label {
  readonly x: number;
  readonly y: number;
  readonly words: string;
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Mean width of a letter in the labels' font size, generous. */
const letter = 6.6;

/**
 * Each label beside its point, on the first side that is free of points and of the labels before it. One that fits
 * nowhere is left out: the table below the figure has every row.
 */
export function placeLabels(labels: readonly Label[], frame: Frame): string {
  const taken: Box[] = labels.map(({ x, y }) => ({ left: x - 6, right: x + 6, top: y - 6, bottom: y + 6 }));
  const isFree = (box: Box) =>
    box.left >= frame.left &&
    box.right <= frame.right + 12 &&
    box.top >= frame.top - 8 &&
    box.bottom <= frame.bottom &&
    taken.every(
      (other) =>
        box.right < other.left || box.left > other.right || box.bottom < other.top || box.top > other.bottom,
    );
  return labels
    .map(({ x, y, words }) => {
      const long = words.length * letter;
      const places = [
        { dx: 10, dy: 4, anchor: "start" },
        { dx: -10, dy: 4, anchor: "end" },
        { dx: 0, dy: -11, anchor: "middle" },
        { dx: 0, dy: 20, anchor: "middle" },
        { dx: 9, dy: -9, anchor: "start" },
        { dx: 9, dy: 17, anchor: "start" },
        { dx: -9, dy: -9, anchor: "end" },
        { dx: -9, dy: 17, anchor: "end" },
      ] as const;
      for (const { dx, dy, anchor } of places) {
        const left = x + dx - (anchor === "start" ? 0 : anchor === "end" ? long : long / 2);
        const box = { left, right: left + long, top: y + dy - 10, bottom: y + dy + 3 };
        if (!isFree(box)) continue;
        taken.push(box);
        return text(x + dx, y + dy, words, { class: "label", "text-anchor": anchor });
      }
      return "";
    })
    .join("");
}

/** A line through points, in their order. */
export function path(points: readonly (readonly [x: number, y: number])[], name: string): string {
  const d = points
    .map(([x, y], index) => `${index === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`)
    .join("");
  return element("path", { d, class: name });
}
