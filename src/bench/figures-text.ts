/** Figures as texts, as the tables and the report write them. */

/** To a tenth of a point, as papers print it. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** A difference of shares in points, with its sign. */
export function points(difference: number): string {
  return `${difference < 0 ? "−" : "+"}${Math.abs(difference * 100).toFixed(1)}`;
}

/** A p value: below a thousandth its size says nothing more. */
export function chance(p: number): string {
  return p < 0.001 ? "< 0.001" : p.toPrecision(2);
}

export function ratio(factor: number | null): string {
  return factor === null ? "" : `${factor.toPrecision(3)} ×`;
}

const powers = [
  [1e18, "E"],
  [1e15, "P"],
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
] as const;

/** Three digits and the letter of their power: 1.23 and "T"; no letter below a thousand. */
export function scaled(value: number): { readonly digits: string; readonly letter: string } {
  // Rounded first, so that 999,999 is 1.00 M and not 1000 k.
  const rounded = Number(value.toPrecision(3));
  for (const [power, letter] of powers) {
    if (Math.abs(rounded) >= power) return { digits: (rounded / power).toPrecision(3), letter };
  }
  return { digits: String(rounded), letter: "" };
}

/** To be followed by a unit: "1.23 T", "12 ". */
export function metric(value: number): string {
  const { digits, letter } = scaled(value);
  return `${digits} ${letter}`;
}
