/** Colours, for a terminal that wants them. */
import type { Host, Output } from "./host.js";

const codes = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
} as const;

export type StyleName = keyof typeof codes;
export type Style = Readonly<Record<StyleName, (text: string) => string>>;

function createStyle(enabled: boolean): Style {
  const entries = Object.entries(codes).map(([name, [open, close]]) => {
    const paint = (text: string) => (text === "" ? "" : `\x1b[${open}m${text}\x1b[${close}m`);
    return [name, enabled ? paint : (text: string) => text];
  });
  return Object.fromEntries(entries) as Style;
}

const plain = createStyle(false);
const coloured = createStyle(true);

/** FORCE_COLOR wins over NO_COLOR (as in Node itself), both over what the stream is. */
export function styleFor(output: Output, environment: Host["environment"]): Style {
  const force = environment.FORCE_COLOR;
  if (force !== undefined) return force === "0" || force === "false" ? plain : coloured;
  if (environment.NO_COLOR || environment.TERM === "dumb") return plain;
  return output.isTerminal ? coloured : plain;
}

/** Who wrote a step is told by colour and, for those who see none, by the word beside it. */
export function originColour(origin: string): StyleName {
  if (origin === "draft") return "cyan";
  if (origin === "target") return "yellow";
  return "magenta";
}
