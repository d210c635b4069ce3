/** SVG and HTML as text. Whatever comes from models, files or names goes through `harmless`. */

const marks: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Harmless in text and in quoted attributes; characters that XML does not allow are shown as a box. */
export function harmless(text: string): string {
  return Buffer.from(text)
    .toString()
    .replace(/[^\P{Cc}\t\n\r]|\p{Noncharacter_Code_Point}/gu, "\u25a1")
    .replace(/[&<>"']/g, (mark) => marks[mark]!);
}

type Attributes = Readonly<Record<string, string | number>>;

/** `content` is markup already: texts in it must have been escaped. */
export function element(name: string, attributes: Attributes, content = ""): string {
  const written = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${typeof value === "number" ? round(value) : harmless(value)}"`,
  );
  return content === "" && !pairs.has(name)
    ? `<${name}${written.join("")}/>`
    : `<${name}${written.join("")}>${content}</${name}>`;
}

/** Elements that HTML does not let close themselves. */
const pairs = new Set(["div", "span", "td", "th", "section", "p", "figure"]);

export function text(x: number, y: number, content: string, attributes: Attributes = {}): string {
  return element("text", { x, y, ...attributes }, harmless(content));
}

export function line(x1: number, y1: number, x2: number, y2: number, name: string): string {
  return element("line", { x1, y1, x2, y2, class: name });
}

export function title(content: string): string {
  return `<title>${harmless(content)}</title>`;
}

/** To a hundredth of a pixel: files stay small and equal from machine to machine. */
function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** A figure of this many pixels, which scales with its place; `label` is read to those who do not see it. */
export function figure(width: number, height: number, label: string, content: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${harmless(label)}">${content}</svg>`;
}
