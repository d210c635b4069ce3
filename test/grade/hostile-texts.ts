/** Texts that would keep a careless grader busy: long, deep, or made to make patterns go back and forth. */

const repeat = (piece: string, length: number) => piece.repeat(Math.ceil(length / piece.length));
const boxed = (answer: string) => `\\boxed{${answer}}`;
const nested = (open: string, inside: string, close: string, length: number) =>
  repeat(open, length) + inside + repeat(close, (length * close.length) / open.length);

/** Each about `length` characters. */
export function hostileTexts(length: number): Readonly<Record<string, string>> {
  const pieces = {
    digits: "9",
    sum: "1+",
    minus: "-",
    factorials: "!",
    powers: "2^",
    "open braces": "{",
    "open calls": "f(",
    commas: "1,",
    fractions: "\\frac",
    "closed texts": "\\text{a}",
    "open texts": "\\text{",
    units: "cm ",
    "dotted units": "a.m ",
    equals: "x=",
    "less or equal": "x\\le ",
    unions: "(1,2)\\cup ",
    "plus or minus": "\\pm 1",
    "mixed numbers": "1 1/",
    words: "ab ",
    letters: "a",
    or: "1 or ",
    primes: "'",
    bars: "|",
    overlines: "\\overline{1}",
    superscripts: "²",
    backslashes: "\\",
    groups: "1{,}000",
    dots: ".",
    tabs: "\t",
  };
  const texts: Record<string, string> = {
    "nested braces": boxed(nested("{", "1", "}", length / 2)),
    "nested brackets": boxed(nested("(", "1", ")", length / 2)),
    "nested fractions": boxed(nested("\\frac{1}{", "1", "}", length)),
    "nested powers": boxed(nested("2^{", "2", "}", length)),
    "nested roots": boxed(nested("\\sqrt{", "2", "}", length)),
    "nested calls": boxed(nested("f(", "1", ")", length)),
    "nested overs": boxed(nested("{1\\over ", "1", "}", length)),
    "long matrix": boxed(`\\begin{pmatrix}${repeat("1 & 2 \\\\ ", length)}\\end{pmatrix}`),
    "tower of powers": boxed("9^{9^{9^{9}}}"),
    "great factorial": boxed("99999999999!"),
    "long series": boxed("\\sum_{k=1}^{99999999} k"),
  };
  for (const [name, piece] of Object.entries(pieces)) {
    texts[name] = boxed(`${repeat(piece, length)}1`);
    texts[`after the answer is: ${name}`] = `The answer is 1${repeat(piece, length)}`;
  }
  for (const phrase of [
    "\\boxed{",
    "\\boxed{1}",
    "boxed ",
    "the answer is ",
    "answer is A ",
    "Option A ",
    "</think>",
    "\n",
    "\n \n",
    "$",
    "1 ",
    "choice is ",
  ])
    texts[`many ${JSON.stringify(phrase)}`] = repeat(phrase, length);
  return texts;
}

/** Nothing is wrong with it but that its value takes years. */
export const endlessAnswer = "\\sum_{k=1}^{2000}\\sum_{n=1}^{2000}\\sum_{p=1}^{2000}\\sum_{q=1}^{2000}k";
