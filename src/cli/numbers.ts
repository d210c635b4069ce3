/** Figures for people. */

const thousands = new Intl.NumberFormat("en-US");

export function count(value: number): string {
  return thousands.format(value);
}

const powers = [
  [1e18, "E"],
  [1e15, "P"],
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
] as const;

/** Three digits and a letter: "1.23 T". */
export function metric(value: number): string {
  // Rounded first, so that 999,999 is "1.00 M" and not "1000 k".
  const rounded = Number(value.toPrecision(3));
  for (const [power, letter] of powers) {
    if (rounded >= power) return `${(rounded / power).toPrecision(3)} ${letter}`;
  }
  return String(Math.round(rounded));
}

export function seconds(value: number): string {
  if (value === 0) return "0 s";
  if (value >= 100) return `${Math.round(value)} s`;
  return value >= 0.1 ? `${value.toPrecision(2)} s` : `${(value * 1000).toPrecision(2)} ms`;
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
