/** Measured seconds of passes by their width: an exponential mean per width, straight lines between the known ones. */

/** Weight of a new measurement. */
const weight = 0.2;

export class PassTimes {
  readonly #means = new Map<number, number>();

  /** Further from the mean than this, a measurement is taken for a disturbance and counts as this much. */
  static readonly outlier = 3;

  observe(width: number, seconds: number): void {
    const mean = this.#means.get(width);
    const plausible = mean === undefined ? seconds : Math.min(seconds, PassTimes.outlier * mean);
    this.#means.set(width, mean === undefined ? seconds : mean + weight * (plausible - mean));
  }

  /** 0 before anything was measured. */
  get widest(): number {
    return Math.max(0, ...this.#means.keys());
  }

  /** Undefined before anything was measured; beyond the widest, at the slope of the last two. */
  at(width: number): number | undefined {
    const known = [...this.#means].sort(([a], [b]) => a - b);
    const exact = this.#means.get(width);
    if (exact !== undefined || known.length === 0) return exact;
    // One width alone says nothing of the slope: by the token is the careful guess above it, the same below.
    if (known.length === 1) return known[0]![1] * Math.max(1, width / known[0]![0]);
    const above = known.findIndex(([other]) => other > width);
    const index = above < 0 ? known.length - 1 : Math.max(1, above);
    const [high, low] = [known[index]!, known[index - 1]!];
    const slope = Math.max(0, (high[1] - low[1]) / (high[0] - low[0]));
    return Math.max(0, low[1] + slope * (width - low[0]));
  }
}
