/** Numbers in English words: "two hundred and eleven" is 211. */

const small =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(
    " ",
  );
const tens = "twenty thirty forty fifty sixty seventy eighty ninety".split(" ");
const scales = [
  ["billion", 1e9],
  ["million", 1e6],
  ["thousand", 1e3],
] as const;

const values = new Map<string, number>([
  ...small.map((word, value) => [word, value] as const),
  ...tens.map((word, index) => [word, 20 + 10 * index] as const),
  ["hundred", 100],
  ...scales,
  ["point", Number.NaN],
]);

/** The number that a text names, all its other words ignored; undefined if it names none or is not well formed. */
export function numberFromWords(text: string): number | undefined {
  const plain = text.replaceAll("-", " ").toLowerCase();
  if (/^[0-9]+$/.test(plain)) return Number(plain);
  const words = plain.split(/\s+/).filter((word) => values.has(word));
  if (words.length === 0) return undefined;
  for (const once of ["thousand", "million", "billion", "point"])
    if (words.filter((word) => word === once).length > 1) return undefined;
  const point = words.indexOf("point");
  const whole = wholeNumber(point < 0 ? words : words.slice(0, point));
  if (whole === undefined || point < 0) return whole;
  const decimals = words.slice(point + 1).map((word) => values.get(word)!);
  return decimals.length === 0 || decimals.some((digit) => !(digit <= 9))
    ? whole
    : whole + Number(`0.${decimals.join("")}`);
}

function wholeNumber(words: readonly string[]): number | undefined {
  if (words.length === 1) return values.get(words[0]!);
  const order = scales.map(([word]) => words.indexOf(word)).filter((at) => at >= 0);
  if (order.some((at, index) => index > 0 && at < order[index - 1]!)) return undefined;
  let total = 0;
  let rest = words;
  for (const [word, scale] of scales) {
    const at = rest.indexOf(word);
    if (at < 0) continue;
    const count = belowThousand(rest.slice(0, at));
    if (count === undefined) return undefined;
    total += count * scale;
    rest = rest.slice(at + 1);
  }
  if (rest.length === 0) return words.length === 0 ? 0 : total;
  const remainder = belowThousand(rest);
  return remainder === undefined ? undefined : total + remainder;
}

/** "two hundred thirty five": up to four words. */
function belowThousand(words: readonly string[]): number | undefined {
  const [a, b, c = 0, d = 0] = words.map((word) => values.get(word)!);
  if (a === undefined) return undefined;
  if (b === undefined) return a;
  if (words.length === 2) return a === 100 || b === 100 ? a * b : a + b;
  if (words.length > 4) return a;
  return a * b + c + d;
}
