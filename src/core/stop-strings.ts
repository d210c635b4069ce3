/** Stop strings: texts that end an answer where they first appear, and are no part of it. */
import { type Node, pathText } from "./search.js";
import type { Splitter } from "./step.js";

/** Ends a step after the token that completes a stop string too, wherever in the answer the string began. */
export function endingAtStops(splitter: Splitter, stops: readonly string[], parent: Node): Splitter {
  return stops.length === 0 ? splitter : { kind: "stops", splitter, stops, before: tail(stops, parent) };
}

/** True if the answer holds a stop string once this text follows the parent's. */
export function completesStop(stops: readonly string[], parent: Node, text: string): boolean {
  if (stops.length === 0) return false;
  const whole = tail(stops, parent) + text;
  return stops.some((stop) => whole.includes(stop));
}

/** The text up to the first stop string. */
export function beforeStop(text: string, stops: readonly string[]): string {
  const ends = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return ends.length === 0 ? text : text.slice(0, Math.min(...ends));
}

/** What a stop string may have begun in: one character less than the longest has. */
function tail(stops: readonly string[], parent: Node): string {
  const most = Math.max(...stops.map((stop) => stop.length)) - 1;
  return most < 1 ? "" : pathText(parent).slice(-most);
}
