/** Figures for people. */
import { scaled } from "../bench/figures-text.js";

const thousands = new Intl.NumberFormat("en-US");

export function count(value: number): string {
  return thousands.format(value);
}

/** "1.23 T"; below a thousand a whole number. */
export function metric(value: number): string {
  const { digits, letter } = scaled(value);
  return letter === "" ? String(Math.round(Number(digits))) : `${digits} ${letter}`;
}

export function seconds(value: number): string {
  if (value === 0) return "0 s";
  if (value >= 100) return `${Math.round(value)} s`;
  return value >= 0.1 ? `${value.toPrecision(2)} s` : `${(value * 1000).toPrecision(2)} ms`;
}

/** Of time to wait for: whole seconds, minutes, or hours and minutes. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}

export function bytes(value: number): string {
  return value < 1000 ? `${value} B` : `${metric(value)}B`;
}

/** A reward: always two digits after the point. */
export function rewardText(value: number | null): string {
  return value === null ? "" : value.toFixed(2);
}
