/** Units at the end of an answer. */

export interface Measured {
  readonly body: string;
  /** In one spelling, with its power: "inch^2"; undefined if there is none. */
  readonly unit: string | undefined;
}

const spellings: Readonly<Record<string, string>> = {
  inches: "inch",
  in: "inch",
  feet: "foot",
  ft: "foot",
  centimeters: "cm",
  centimetres: "cm",
  meters: "m",
  metres: "m",
  meter: "m",
  metre: "m",
  kilometers: "km",
  kilometres: "km",
  millimeters: "mm",
  grams: "g",
  kilograms: "kg",
  liters: "l",
  litres: "l",
  L: "l",
  hours: "h",
  hour: "h",
  minutes: "min",
  minute: "min",
  seconds: "s",
  second: "s",
  sec: "s",
  degrees: "degree",
  degs: "degree",
  dollars: "dollar",
  miles: "mile",
  percent: "%",
};

/** Words of several letters that are units even when they touch what they measure: 36\sqrt{7}cm. */
const touching =
  /(cm|mm|km|kg|mg|ml|mL|min|hr|hrs|sec|mph|ft|inches|inch|feet|meters|degrees|dollars|units|miles|hours|minutes|seconds|percent)\s*(?:\^\s*\{?\s*(\d)\s*\}?)?$/;
const power = String.raw`\s*(?:\^\s*\{?\s*(-?\d+)\s*\}?)?`;
const inText = new RegExp(String.raw`\\text\s*\{([^{}]*)\}${power}\s*$`);
const word = new RegExp(
  String.raw`^(.*[\d)}%\s])\s*(?<![\\a-zA-Z])([A-Za-z]{2,}(?: [A-Za-z]{2,}){0,4})${power}$`,
  "s",
);

/** `anyUnit`: words behind a number are units, known or not. */
export function measured(text: string, anyUnit: boolean): Measured {
  const degree = text.replace(/\^\s*\{?\s*\\circ\s*\}?\s*[CF]?$/, "").trim();
  if (degree !== text && degree !== "") return { body: degree, unit: "degree" };
  if (text.endsWith("%")) return { body: text.slice(0, -1).trim(), unit: "%" };
  const dressed = inText.exec(text);
  if (dressed !== null && dressed.index > 0 && !isConnective(dressed[1]!))
    return split(text.slice(0, dressed.index), dressed[1]!, dressed[2]);
  const close = touching.exec(text);
  if (close !== null && close.index > 0 && !/[\\a-zA-Z]$/.test(text.slice(0, close.index)))
    return split(text.slice(0, close.index), close[1]!, close[2]);
  const single = anyUnit ? /^([-\d.,]+)\s*([A-Za-z])$/.exec(text) : null;
  if (single !== null) return split(single[1]!, single[2]!, undefined);
  const apart = anyUnit ? word.exec(text) : null;
  if (apart !== null && !/^[ap]\.?m\.?$/.test(apart[2]!) && /\d/.test(apart[1]!) && !isConnective(apart[2]!))
    return split(apart[1]!, apart[2]!, apart[3]);
  return { body: text, unit: undefined };
}

function isConnective(words: string): boolean {
  return /^\s*(?:or|and|if|where|mod|is|to|for)\b/.test(words) || /\bor\b|\band\b/.test(words);
}

function split(body: string, words: string, exponent: string | undefined): Measured {
  const square = /^\s*(?:square|sq\.?)\s+/.test(words);
  const cubic = /^\s*(?:cubic|cu\.?)\s+/.test(words);
  const bare = words.replace(/^\s*(?:square|sq\.?|cubic|cu\.?)\s+/, "").trim();
  const name = spellings[bare] ?? bare.replace(/(?<=[a-z]{2})s$/, "");
  const raised = exponent ?? (square ? "2" : cubic ? "3" : undefined);
  return { body: body.trim(), unit: raised === undefined ? name : `${name}^${raised}` };
}
