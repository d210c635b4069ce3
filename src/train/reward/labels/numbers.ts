/** An answer goes wrong where it first states a number that nothing accounts for. */
import { z } from "zod";
import { defineLabelSource, labeller, noLabelUsage } from "./label-source.js";
import { impliedNumbers, statedNumbers } from "./stated-numbers.js";

export default defineLabelSource({
  name: "numbers",
  essence:
    "a wrong answer's first wrong step states a number found neither in the question nor in its worked solution or answer; free",
  source: "ours; what follows the first error has no label, as in Lightman et al., arXiv 2305.20050",
  exactness: 2,
  needs: ["numbers"],
  schema: z.strictObject({}),
  open: async () =>
    labeller(async ({ steps, right }, { question, reference, steps: solution = [] }) => {
      const known = knownNumbers([question, reference, ...solution].flatMap(impliedNumbers));
      const strange = ({ text }: { readonly text: string }) =>
        statedNumbers(text).some((number) => !known.has(rounded(number)));
      const found = right ? Number.POSITIVE_INFINITY : steps.findIndex(strange);
      // A wrong answer made of known numbers alone is at least wrong in its end.
      const firstWrong = found < 0 ? steps.length - 1 : found;
      const values = steps.map((_, place) => (place < firstWrong ? 1 : place === firstWrong ? 0 : null));
      return { values, usage: noLabelUsage };
    }),
});

/** These, as a percentage and as a share too, and what every calculation may bring in. */
function knownNumbers(numbers: readonly number[]): ReadonlySet<number> {
  return new Set([0, 1, 2, 100, ...numbers.flatMap((one) => [one, one * 100, one / 100])].map(rounded));
}

/** To four digits after the point: 0.1 + 0.2 is 0.3. */
function rounded(number: number): number {
  return Math.round(number * 1e4) / 1e4;
}
