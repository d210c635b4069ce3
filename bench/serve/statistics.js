// Quantiles and one way to print a load test's verdict.

export function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** `figures`: what was measured, each with whether it passes; one without a limit is told only. */
export function verdict(name, figures) {
  const failed = figures.filter(({ passes }) => passes === false);
  console.log(`${name}: ${failed.length === 0 ? "pass" : "FAIL"}`);
  for (const { what, value, limit, passes } of figures) {
    const mark = passes === undefined ? " " : passes ? "+" : "-";
    console.log(`  ${mark} ${what}: ${value}${limit === undefined ? "" : ` (${limit})`}`);
  }
  return failed.length === 0;
}

export const milliseconds = (value) => `${value.toFixed(1)} ms`;
export const megabytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MB`;
