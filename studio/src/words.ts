/** Figures and names as people read them. */

import { scaled } from "../../src/bench/figures-text.js";

export { chance, percent, points } from "../../src/bench/figures-text.js";

/** "308 M", "12": a figure is not parted from its letter at the end of a line. */
export function metric(value: number): string {
  const { digits, letter } = scaled(value);
  return letter === "" ? digits : `${digits}\u00a0${letter}`;
}

export function seconds(value: number): string {
  if (value < 0.0995) return `${Math.round(value * 1000)} ms`;
  if (value < 120) return `${value < 10 ? value.toPrecision(2) : Math.round(value)} s`;
  return `${Math.floor(value / 60)} min`;
}

export function count(value: number, word: string, words = `${word}s`): string {
  return `${value.toLocaleString("en")} ${value === 1 ? word : words}`;
}

export function bytes(value: number): string {
  return value < 1000 ? `${value} bytes` : `${metric(value)}B`;
}

/** "2 min ago", and further back the date. */
export function ago(unixSeconds: number, now = Date.now() / 1000): string {
  const passed = Math.max(0, now - unixSeconds);
  if (passed < 60) return "just now";
  if (passed < 3600) return `${Math.floor(passed / 60)} min ago`;
  if (passed < 86_400) return `${Math.floor(passed / 3600)} h ago`;
  return new Date(unixSeconds * 1000).toLocaleDateString("en", {
    day: "numeric",
    month: "short",
    year: "numeric",
  });
}

/** Who wrote a step, for colour and shape. */
export function writerClass(origin: string): "draft" | "target" | "other" {
  return origin === "draft" || origin === "target" ? origin : "other";
}

export const finishWords: Readonly<Record<string, string>> = {
  stop: "finished",
  length: "cut at its greatest length",
  stalled: "stopped: it went in circles",
  budget: "stopped: the budget is spent",
  abort: "stopped before its end",
  failed: "failed",
};

/** Characters that would act instead of showing (terminal codes, marks that turn text round) show as what they are. */
export function visible(text: string): string {
  return text
    .replace(hidden, (mark) => `‹U+${mark.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}›`)
    .replace(controls, (code) =>
      code === "\u007f" ? "␡" : String.fromCharCode(0x2400 + code.charCodeAt(0)),
    );
}

const hidden = /[\u200e\u200f\u202a-\u202e\u2066-\u2069\u061c\ufeff]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that must not act
const controls = /[\u0000-\u0008\u000b-\u001f\u007f]/g;
