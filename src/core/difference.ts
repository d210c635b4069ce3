/** Where two plain values differ, in words for a person. */
import { canonical } from "./run-identity.js";

export interface Difference {
  /** As `request.sampling.temperature`. */
  readonly at: string;
  readonly there: string;
  readonly here: string;
}

/** The first place, in the order in which a person reads it, where two plain values differ. */
export function firstDifference(there: unknown, here: unknown, at = ""): Difference | undefined {
  if (canonical(there) === canonical(here)) return undefined;
  if (isObject(there) && isObject(here)) {
    for (const key of new Set([...Object.keys(there), ...Object.keys(here)])) {
      const inside = at === "" ? key : `${at}.${key}`;
      const difference = firstDifference(there[key], here[key], inside);
      if (difference) return difference;
    }
  }
  return { at, there: shown(there), here: shown(here) };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
