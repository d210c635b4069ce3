/** The many ways to write the same sign become one, so that what reads an answer knows only that one. */
import { insideBraces } from "./braces.js";

const characters: Readonly<Record<string, string>> = {
  "×": "\\times ",
  "∗": "*",
  "·": "\\cdot ",
  "⋅": "\\cdot ",
  "÷": "\\div ",
  "−": "-",
  "–": "-",
  "±": "\\pm ",
  "∞": "\\infty ",
  "≤": "\\le ",
  "⩽": "\\le ",
  "≥": "\\ge ",
  "⩾": "\\ge ",
  "≠": "\\ne ",
  "≈": "\\approx ",
  "∪": "\\cup ",
  "∩": "\\cap ",
  "∈": "\\in ",
  "∅": "\\emptyset ",
  "°": "^\\circ ",
  "√": "\\sqrt ",
  "½": "\\frac{1}{2}",
  "⅓": "\\frac{1}{3}",
  "⅔": "\\frac{2}{3}",
  "¼": "\\frac{1}{4}",
  "¾": "\\frac{3}{4}",
  π: "\\pi ",
  θ: "\\theta ",
  α: "\\alpha ",
  β: "\\beta ",
  γ: "\\gamma ",
  λ: "\\lambda ",
  ω: "\\omega ",
  "，": ",",
  "；": ";",
  "：": ":",
  "（": "(",
  "）": ")",
  "％": "%",
  "\u00a0": " ",
  "~": " ",
  "€": "",
  "£": "",
  "¥": "",
  $: "",
};

const raised = "⁰¹²³⁴⁵⁶⁷⁸⁹⁻";

/** Commands that only dress what they hold. */
const dressing =
  "boldsymbol|mathbf|mathit|mathsf|bm|textbf|textit|emph|underline|boxed|fbox|displaystyle|textstyle|limits|nolimits|big|Big|bigg|Bigg|bigl|bigr|left|right|middle".split(
    "|",
  );

const commands: Readonly<Record<string, string>> = {
  dfrac: "frac",
  tfrac: "frac",
  cfrac: "frac",
  leq: "le",
  leqslant: "le",
  geq: "ge",
  geqslant: "ge",
  neq: "ne",
  lbrace: "{",
  rbrace: "}",
  rm: "",
  degree: "",
  mid: "mid",
  implies: "implies",
  land: "text{ and }",
  lor: "text{ or }",
  mathrm: "text",
  mbox: "text",
  textrm: "text",
  operatorname: "text",
  varnothing: "emptyset",
};

const wordFunctions = "sqrt|sin|cos|tan|log|ln|exp|pi|infinity|infty|inf|oo";

export function plainNotation(answer: string): string {
  let text = answer.replace(/(,?)\s*\\!\s*/g, "$1").replace(/\\\\(?![a-zA-Z])/g, "\\newrow ");
  text = text.replaceAll("\\\\", "\\").replace(/\\[$%#&]/g, (mark) => (mark === "\\$" ? "" : mark.slice(1)));
  text = text.replace(/\\(?:[()[\]!]|,(?!\d{3}(?!\d)))/g, " ").replace(/\\[,;: ]/g, " ");
  text = text.replace(/[^\x20-\x7e\n]|[~$]/g, (character) => characters[character] ?? character);
  text = text.replace(new RegExp(`[${raised}]+`, "g"), raisedDigits);
  text = text
    .replace(/\\degree(?![a-zA-Z])/g, "^\\circ ")
    .replace(/\\(?:quad|qquad|thinspace)(?![a-zA-Z])/g, " ");
  text = text.replace(/\\([a-zA-Z]+)/g, (whole, name: string) => {
    if (dressing.includes(name)) return " ";
    const other = commands[name];
    return other === undefined ? whole : other === "" ? "" : `\\${other}`;
  });
  return rates(overFractions(mixedNumbers(numbers(wordsAsCommands(text))))).trim();
}

function raisedDigits(run: string): string {
  const digits = [...run].map((character) => "0123456789-"[raised.indexOf(character)]).join("");
  return `^{${digits}}`;
}

/** sqrt, pi and the like, written as words and not inside `\text`. */
function wordsAsCommands(text: string): string {
  return text.replace(new RegExp(`(?<![\\\\a-zA-Z])(${wordFunctions})(?![a-zA-Z])`, "g"), (word) =>
    /^(?:infinity|inf|oo|infty)$/.test(word) ? "\\infty " : `\\${word} `,
  );
}

function numbers(text: string): string {
  return (
    text
      // 1.5e-3, 1.5E+3
      .replace(
        /(?<![a-zA-Z\\.\d])(\d+(?:\.\d*)?|\.\d+)[eE]([+-]?\d+)(?![\d.a-zA-Z])/g,
        (_, digits: string, power: string) => {
          return `${digits}\\times 10^{${Number(power)}}`;
        },
      )
      // 0.1\overline{6} and 85.\overline{714285} as fractions
      .replace(/(?<!\d)(\d*)\.(\d*)\\overline\{(\d+)\}/g, (_, whole: string, fixed: string, period: string) =>
        repeating(whole, fixed, period),
      )
      .replace(/\*\*/g, "^")
      // 7,000 and 7\,000 and 7{,}000
      .replace(/(?<=\d)\{,\}(?=\d{3})/g, ",")
      // -3./2
      .replace(/(?<=\d)\.(?![\d])/g, "")
      .replace(/(?<!\d)\.(?=\d)/g, "0.")
  );
}

function repeating(whole: string, fixed: string, period: string): string {
  const all = `${whole}${fixed}${period}`;
  if (all.length > 15) return `${whole}.${fixed}${period}${period}`;
  const upper = Number(all) - Number(`${whole}${fixed}` || "0");
  return `\\frac{${upper}}{${"9".repeat(period.length)}${"0".repeat(fixed.length)}}`;
}

/** "137 1/2" is a number and a half. */
function mixedNumbers(text: string): string {
  return text.replace(/(?<![\d./^])(\d+) +(\d+) *\/ *(\d+)(?![\d.])/g, "$1\\frac{$2}{$3}");
}

/** {a \over b}. */
function overFractions(text: string): string {
  const at = text.indexOf("\\over");
  if (at < 0 || /[a-zA-Z]/.test(text[at + 5] ?? "")) return text;
  const [start, end] = insideBraces(text, at);
  const [upper, lower] = [text.slice(start, at), text.slice(at + 5, end)];
  return `${text.slice(0, start)}\\frac{${upper}}{${lower}}${text.slice(end)}`;
}

/** Derivatives by time in both notations: dv/dt and a dotted v are one symbol. */
function rates(text: string): string {
  return text
    .replace(
      /\\frac\s*\{\s*d\s*(\\?[a-zA-Z]+)\s*\}\s*\{\s*d\s*([a-zA-Z])\s*\}/g,
      (_, of: string, by: string) => rate(of, by),
    )
    .replace(/\\dot\s*\{?\s*(\\?[a-zA-Z]+)\s*\}?/g, (_, of: string) => rate(of, "t"))
    .replace(/\\ddot\s*\{?\s*(\\?[a-zA-Z]+)\s*\}?/g, (_, of: string) => rate(rate(of, "t").trim(), "t"));
}

const rate = (of: string, by: string) => `\\rateof${of.replaceAll("\\", "")}by${by} `;
