/** JSON from strangers: how deep it goes before it is parsed, and where it breaks when it does not parse. */

const [quote, backslash, openBracket, closeBracket, openBrace, closeBrace] = [34, 92, 91, 93, 123, 125];

/** The position at which the nesting gets deeper than this; undefined if it never does. Linear, and without recursion. */
export function tooDeepAt(text: string, deepest: number): number | undefined {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) at = stringEnd(text, at);
    else if (code === openBracket || code === openBrace) {
      if (++depth > deepest) return at;
    } else if (code === closeBracket || code === closeBrace) depth--;
  }
  return undefined;
}

/** Where JSON text stops being JSON, for text that `JSON.parse` refused. */
export function brokenAt(text: string): number {
  const told = engineSays(text);
  if (told !== undefined) return told;
  // The engine names no position in short texts: a text made longer by white space gets one.
  const padding = " ".repeat(4096);
  const padded = engineSays(padding + text);
  return padded === undefined ? text.length : Math.max(0, padded - padding.length);
}

function engineSays(text: string): number | undefined {
  try {
    JSON.parse(text);
  } catch (error) {
    const position = / at position (\d+)/.exec((error as Error).message);
    return position ? Number(position[1]) : undefined;
  }
  return undefined;
}

/** The position of the closing quote; the text's length where there is none. */
function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === quote) return at;
    at += code === backslash ? 2 : 1;
  }
  return at;
}
