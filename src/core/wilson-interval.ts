/** The 97.5 % point of the normal law: intervals are of 95 %. */
const normalPoint = 1.959963984540054;

/**
 * Wilson's score interval of a share: `successes` of `trials`, which need not be whole numbers.
 * Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
 */
export function wilsonInterval(successes: number, trials: number): [low: number, high: number] {
  if (trials <= 0) return [0, 1];
  const share = successes / trials;
  const square = normalPoint ** 2;
  const centre = (share + square / (2 * trials)) / (1 + square / trials);
  const half =
    (normalPoint / (1 + square / trials)) *
    Math.sqrt((share * (1 - share)) / trials + square / (4 * trials ** 2));
  // At the ends the formula is exact, the arithmetic is not.
  return [
    successes <= 0 ? 0 : Math.max(0, centre - half),
    successes >= trials ? 1 : Math.min(1, centre + half),
  ];
}
