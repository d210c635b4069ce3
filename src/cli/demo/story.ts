/**
 * What the demo's scripted models write: a small arithmetic story. The draft slips more often than the target,
 * most of all where it takes away and where it multiplies last; the reward checks the sums.
 */

export const question =
  "A baker fills 7 trays with 12 rolls each. 15 rolls burn. The rest go into bags of 3, and each bag sells for 4 coins. How many coins does the baker take in?";

/** One way to go on, and how likely it is. */
export interface Choice {
  readonly text: string;
  readonly probability: number;
  readonly end?: boolean;
}

interface Move {
  /** The sum on paper and its right result. */
  sum(value: number): readonly [paper: string, result: number];
  words(sum: string): string;
  /** How the slip differs from the right result. */
  readonly slip: number;
  /** How likely each writer is to slip. */
  readonly slips: Readonly<Record<"draft" | "target", number>>;
}

const moves: readonly Move[] = [
  {
    sum: () => ["7 × 12", 84],
    words: (sum) => `7 trays with 12 rolls each: ${sum} rolls come out of the oven.`,
    slip: -10,
    slips: { draft: 0.1, target: 0.01 },
  },
  {
    sum: (value) => [`${value} − 15`, value - 15],
    words: (sum) => `The burnt rolls are taken away: ${sum} rolls are left to sell.`,
    slip: 2,
    slips: { draft: 0.7, target: 0.03 },
  },
  {
    sum: (value) => [`${value} ÷ 3`, Math.floor(value / 3)],
    words: (sum) => `Three rolls go into each bag: ${sum} full bags.`,
    slip: 1,
    slips: { draft: 0.2, target: 0.02 },
  },
  {
    sum: (value) => [`${value} × 4`, value * 4],
    words: (sum) => `Each bag sells for 4 coins: ${sum} coins.`,
    slip: -10,
    slips: { draft: 0.6, target: 0.03 },
  },
];

/** The result of the last sum, right or wrong: the story goes on from what stands on the paper. */
function lastResult(steps: readonly string[]): number {
  return Number(
    steps
      .join("")
      .match(/= (-?\d+)/g)
      ?.at(-1)
      ?.slice(2) ?? 0,
  );
}

/** The ways in which a writer may go on after these steps. */
export function continuations(writer: "draft" | "target", steps: readonly string[]): Choice[] {
  const move = moves[steps.length];
  const value = lastResult(steps);
  if (!move) return [{ text: `So the baker takes in \\boxed{${value}} coins.`, probability: 1, end: true }];
  const [paper, result] = move.sum(value);
  const slip = move.slips[writer];
  return [
    { text: `${move.words(`${paper} = ${result}`)}\n\n`, probability: 1 - slip },
    { text: `${move.words(`${paper} = ${result + move.slip}`)}\n\n`, probability: slip },
  ];
}

/** In [0, 1]: high where the step's sum is right. It looks at the last step only, as a process reward does. */
export function rewardOf(steps: readonly string[]): number {
  const sum = /(\d+) ([×−÷]) (\d+) = (-?\d+)/.exec(steps.at(-1) ?? "");
  if (!sum) return 0.95;
  const [left, right, written] = [Number(sum[1]), Number(sum[3]), Number(sum[4])];
  const results: Readonly<Record<string, number>> = {
    "×": left * right,
    "−": left - right,
    "÷": left / right,
  };
  const error = Math.abs(results[sum[2]!]! - written);
  return error === 0 ? 0.93 : Math.max(0.05, 0.4 - 0.04 * error);
}
