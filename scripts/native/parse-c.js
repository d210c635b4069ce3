// Reads the small part of C that the llama.cpp headers use: constants, enums, typedefs, structs, prototypes.

const plain = new Map(
  Object.entries({
    void: "void",
    bool: "bool",
    char: "char",
    int: "int",
    float: "float",
    double: "double",
    size_t: "size_t",
    int8_t: "int8_t",
    uint8_t: "uint8_t",
    int16_t: "int16_t",
    uint16_t: "uint16_t",
    int32_t: "int32_t",
    uint32_t: "uint32_t",
    int64_t: "int64_t",
    uint64_t: "uint64_t",
  }),
);

export function parseHeaders(texts) {
  const constants = new Map();
  const enums = new Map();
  const structs = new Map();
  const functions = new Map();
  const typedefs = new Map();
  const lookUp = (name) => constants.get(name);

  for (const text of texts) {
    const code = text.replace(/\/\*[\s\S]*?\*\//g, " ").replace(/\/\/[^\n]*/g, "");
    for (const [, name, value] of code.matchAll(/^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+([^\n\\]+)$/gm)) {
      const number = tryEvaluate(value.trim(), lookUp);
      if (number !== undefined) constants.set(name, number);
    }
    const body = code.replace(/\\\n/g, " ").replace(/^[ \t]*#[^\n]*$/gm, "");

    for (const [, name, members] of body.matchAll(/\benum\s+(\w+)\s*\{([^}]*)\}/g)) {
      const values = new Map();
      let next = 0;
      for (const member of members
        .split(",")
        .map((part) => part.trim())
        .filter(Boolean)) {
        const [, key, value] = /^(\w+)(?:\s*=\s*([\s\S]+))?$/.exec(member);
        const number = value === undefined ? next : evaluate(value, lookUp);
        values.set(key, number);
        constants.set(key, number);
        next = number + 1;
      }
      enums.set(name, values);
    }
    for (const [, target, name] of body.matchAll(/\btypedef\s+([^;{}()]+?)\b(\w+)\s*;/g))
      typedefs.set(name, target.trim());
    for (const [, name] of body.matchAll(/\btypedef\s+[^;{}()]+\(\s*\*\s*(\w+)\s*\)\s*\(/g))
      typedefs.set(name, "void *");

    const type = (words) => koffiType(words, typedefs);
    for (const [name, members] of structBodies(body)) {
      const fields = structFields(members, type, lookUp);
      if (fields) structs.set(name, fields);
    }
    const prototype = /\b(?:GGML_API|GGML_BACKEND_API|LLAMA_API)\s+([^;{}()]*?)\b(\w+)\s*\(([^;{}]*)\)\s*;/g;
    for (const [, result, name, list] of body.matchAll(prototype)) {
      const inside = list.trim();
      if (inside.includes("...") || inside.includes("(")) continue;
      const values = inside === "" || inside === "void" ? [] : inside.split(",");
      functions.set(name, [
        type(result),
        values.map((value) => type(value.replace(/\b(\w+)\s*$/, keepType))),
      ]);
    }
  }
  return { constants, enums, structs, functions };
}

/** Drops a parameter's name, unless the word is the type itself. */
function keepType(word, name) {
  return plain.has(name) ? word : "";
}

/** koffi's word for a C type: strings as `str`, every other pointer as an address, enums as the 32-bit integers they are. */
function koffiType(words, typedefs) {
  const text = words.replace(/\b(struct|enum|const)\b/g, (word) => (word === "enum" ? "enum" : "")).trim();
  if (/^char\s*\*$/.test(text)) return words.includes("const") ? "str" : "void *";
  if (text.includes("*") || text.includes("[")) return "void *";
  if (text.startsWith("enum")) return "int32_t";
  const name = text.trim();
  const known = plain.get(name);
  if (known) return known;
  const target = typedefs.get(name);
  if (target && target.replace(/\b(struct|enum)\b/g, "").trim() !== name) return koffiType(target, typedefs);
  return name;
}

function* structBodies(body) {
  for (const match of body.matchAll(/\bstruct\s+(\w+)\s*\{/g)) {
    let depth = 1;
    let end = match.index + match[0].length;
    for (; depth > 0 && end < body.length; end++) depth += { "{": 1, "}": -1 }[body[end]] ?? 0;
    yield [match[1], body.slice(match.index + match[0].length, end - 1)];
  }
}

/** Undefined for a struct with unions or nested bodies: we use none of those. */
function structFields(members, type, lookUp) {
  if (members.includes("{")) return undefined;
  const fields = [];
  for (const member of members
    .split(";")
    .map((part) => part.trim())
    .filter(Boolean)) {
    const callback = /\(\s*\*\s*(\w+)\s*\)/.exec(member);
    if (callback) {
      fields.push([callback[1], "void *"]);
      continue;
    }
    const [, words, name, length] = /^([\s\S]*?)\b(\w+)\s*(?:\[([^\]]+)\])?$/.exec(member);
    const koffi = type(words);
    fields.push(length === undefined ? [name, pointerField(koffi)] : [name, koffi, evaluate(length, lookUp)]);
  }
  return fields;
}

/** A string inside a struct stays an address: koffi would copy it and own the copy. */
function pointerField(type) {
  return type === "str" ? "void *" : type;
}

/** The initialisers of a default function, in the order of the fields. */
export function parseDefaults(source, name) {
  const start = source.search(new RegExp(`\\b${name}\\(\\)\\s*\\{`));
  if (start < 0) throw new Error(`${name} is not where it was`);
  const body = /\{([^{}]*)\}/.exec(source.slice(source.indexOf("result", start)))[1];
  return body
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/\/\/[^\n]*/g, "")
    .split(",")
    .map((value) => value.trim())
    .filter(Boolean);
}

function tryEvaluate(expression, lookUp) {
  try {
    return evaluate(expression, lookUp);
  } catch {
    return undefined;
  }
}

/** Evaluates a constant expression of C: literals, names, sizeof of an integer type, and + - * / << | with brackets. */
export function evaluate(expression, lookUp) {
  const tokens = expression.match(/0x[0-9a-f]+|\d+\.\d*|\d+|\w+|<<|>>|[-+*/|()]/gi) ?? [];
  let at = 0;
  const levels = [["|"], ["<<", ">>"], ["+", "-"], ["*", "/"]];
  const operations = {
    "|": (left, right) => left | right,
    "<<": (left, right) => left << right,
    ">>": (left, right) => left >> right,
    "+": (left, right) => left + right,
    "-": (left, right) => left - right,
    "*": (left, right) => left * right,
    "/": (left, right) => Math.trunc(left / right),
  };
  const binary = (level) => {
    if (level === levels.length) return unary();
    let value = binary(level + 1);
    while (levels[level].includes(tokens[at])) value = operations[tokens[at++]](value, binary(level + 1));
    return value;
  };
  const unary = () => {
    const token = tokens[at++];
    if (token === "-") return -unary();
    if (token === "(") {
      const value = binary(0);
      if (tokens[at++] !== ")") throw new Error(`unbalanced: ${expression}`);
      return value;
    }
    if (token === "sizeof") {
      at++;
      const bits = /^u?int(\d+)_t$/.exec(tokens[at++])?.[1];
      if (tokens[at++] !== ")" || !bits) throw new Error(`cannot size: ${expression}`);
      return Number(bits) / 8;
    }
    if (token === "true" || token === "false") return token === "true";
    if (token === "nullptr" || token === "NULL") return null;
    if (/^\d/.test(token ?? "")) {
      // The suffixes u, l and f come as a word of their own after a decimal point only.
      if (/\.$|\.\d+$/.test(token) && tokens[at] === "f") at++;
      return Number(token);
    }
    const value = lookUp(token ?? "");
    if (value === undefined) throw new Error(`unknown name in: ${expression}`);
    return value;
  };
  const value = binary(0);
  if (at !== tokens.length) throw new Error(`cannot evaluate: ${expression}`);
  return value;
}
