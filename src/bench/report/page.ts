/** What reports are made of: one HTML file without scripts, network or fonts of its own. */
import type { TextTable } from "../side-tables.js";
import type { Figure } from "./figures.js";
import { harmless } from "./svg.js";
import { figureStyle, pageStyle, themeStyle } from "./theme.js";

const wide = 720;
const narrow = 360;

/** `body` is markup already: texts in it must have been escaped. */
export function page(title: string, body: readonly string[]): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${harmless(title)}</title><style>${themeStyle}${figureStyle}${pageStyle}</style></head>
<body><main>${body.join("\n")}</main></body></html>
`;
}

export function figureSection({ heading, caption, draw, isHalf }: Omit<Figure, "name">): string {
  return `<h2>${harmless(heading)}</h2><figure${isHalf ? ' class="half"' : ""}>${classed(draw(wide), "wide")}${classed(draw(narrow), "narrow")}<figcaption>${harmless(caption)}</figcaption></figure>`;
}

function classed(svg: string, name: string): string {
  return svg.replace("<svg ", `<svg class="${name}" `);
}

export function tableSection(table: TextTable | undefined, words: string): string {
  if (!table) return "";
  const cells = (name: string, row: readonly string[]) =>
    row.map((cell) => `<${name}>${harmless(cell)}</${name}>`).join("");
  const lines = table.rows.map((row) => `<tr>${cells("td", row)}</tr>`).join("");
  return `<h2>${harmless(table.caption)}</h2><p class="soft">${harmless(words)}</p><div class="scroll"><table><thead><tr>${cells("th", table.titles)}</tr></thead><tbody>${lines}</tbody></table></div>`;
}
