/**
 * The report's looks. Colours are Okabe and Ito's, which people of every colour vision tell apart, darkened on paper
 * and lightened on black; in grey, shapes, hatching and lightness carry what colour does.
 */

const paper = `
--page:#fbfaf8;--card:#fff;--ink:#1c1b19;--soft:#6b6862;--rule:#e4e0d8;--grid:#eeebe4;--accent:#0b5c9a;
--c0:#0b5c9a;--c1:#c4480b;--c2:#0a7f5f;--c3:#a0467f;--c4:#a86f00;--c5:#2f8fbf;--c6:#6b6862;--c7:#7a5cc0;
--draft:#8ecae6;--target:#0b3c5d;--reward:#e0a030;--other:#9a9a9a;--good:#0a7f5f;--bad:#b3261e;`;
const black = `
--page:#15161a;--card:#1d1f24;--ink:#eceae4;--soft:#a3a099;--rule:#34363d;--grid:#2a2c32;--accent:#6cb6f0;
--c0:#6cb6f0;--c1:#f0884a;--c2:#4cc9a0;--c3:#e08fc0;--c4:#e8b84a;--c5:#8fd3f4;--c6:#b5b2ab;--c7:#b39ef0;
--draft:#3f7f9c;--target:#cfe8f7;--reward:#e8b84a;--other:#7a7a7a;--good:#4cc9a0;--bad:#ff8a80;`;

const series = Array.from(
  { length: 8 },
  (_, index) => `.c${index}{fill:var(--c${index})}.s${index}{stroke:var(--c${index})}`,
).join("");

/** What figures need, inside the report and in files of their own. */
export const figureStyle = `
svg{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
text{fill:var(--ink)}.tick{fill:var(--soft);font-size:11px;font-variant-numeric:tabular-nums}.axis-title{fill:var(--soft);font-size:12px}
.label{font-size:11.5px;paint-order:stroke;stroke:var(--card);stroke-width:4px;stroke-linejoin:round}.grid{stroke:var(--grid)}.axis{stroke:var(--soft)}.whisker{stroke:var(--ink);stroke-opacity:.45;stroke-width:1.5}
.mark{stroke:var(--card);stroke-width:1.2}.hollow{fill:var(--card);stroke:var(--soft);stroke-width:2}
.front{fill:none;stroke:var(--ink);stroke-opacity:.35;stroke-width:1.5;stroke-dasharray:2 4;stroke-linecap:round}
.curve{fill:none;stroke-width:2;stroke-linejoin:round}.dashed{stroke:var(--soft);stroke-dasharray:6 4}.curve.dashed[class*=" s"]{stroke-opacity:.8}
.diagonal{stroke:var(--soft);stroke-dasharray:2 4}.histogram{fill:var(--soft);fill-opacity:.22}
.role{stroke:var(--card);stroke-width:1}.role.draft,.origin.draft{fill:var(--draft)}.role.target,.origin.target{fill:var(--target)}
.role.reward{fill:var(--reward)}.role.read{fill-opacity:.5}.role.reward.read{fill-opacity:1}.origin.other{fill:var(--other)}
.rejected{fill-opacity:.7}.strike{stroke:var(--bad);stroke-width:2.5}${series}`;

/** Both themes for a document, by what its reader prefers. */
export const themeStyle = `:root{color-scheme:light dark;${paper}}@media(prefers-color-scheme:dark){:root{${black}}}`;

export const pageStyle = `
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1060px;margin:0 auto;padding:48px 24px 96px}
h1{font-size:30px;line-height:1.2;letter-spacing:-.015em;margin:0 0 6px}h2{font-size:19px;letter-spacing:-.01em;margin:52px 0 4px}
h2+p{margin-top:2px}p{max-width:68ch;margin:6px 0 14px}.soft,figcaption,.caption{color:var(--soft)}.soft{font-size:14px}
code,.mono{font:13px/1.5 ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(210px,1fr));gap:14px;margin:26px 0 8px}
.card{background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:16px 18px}
.card b{display:block;font-size:26px;line-height:1.2;letter-spacing:-.02em;font-variant-numeric:tabular-nums}.card span{display:block;font-size:13.5px;color:var(--soft)}
.warning{border-left:4px solid var(--reward);background:var(--card);padding:10px 16px;border-radius:0 8px 8px 0;margin:18px 0;font-size:14.5px}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--rule);border-radius:12px;margin:14px 0}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
th{font-weight:600;color:var(--soft);font-size:12.5px;white-space:nowrap}th,td{padding:8px 12px;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}
tr:last-child td{border-bottom:0}th:first-child,td:first-child{text-align:left;position:sticky;left:0;background:var(--card);white-space:normal;min-width:130px}
td.words{text-align:left}td svg{display:block}.best{font-weight:650}
figure{margin:14px 0;background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:16px}figcaption{font-size:13.5px;margin-top:8px}
figure svg{display:block;width:100%;height:auto;max-width:100%}figure svg.narrow,.narrow{display:none}
figure.half{max-width:520px}
details{border:1px solid var(--rule);border-radius:10px;background:var(--card);margin:10px 0;padding:0 16px}summary{cursor:pointer;padding:11px 0;font-size:14.5px}
.strip{display:grid;grid-template-columns:minmax(90px,210px) 1fr 20px;gap:4px 12px;align-items:center;font-size:13px;margin:3px 0}.strip svg{max-width:100%;height:30px}
.strip .verdict{font-weight:700}.right{color:var(--good)}.wrong{color:var(--bad)}
.answer{white-space:pre-wrap;font-size:14px;line-height:1.6;border-top:1px solid var(--rule);padding:12px 0;overflow-wrap:anywhere}
.by{border-bottom:3px solid}.by.draft{border-color:var(--draft)}.by.target{border-color:var(--target)}.by.other{border-color:var(--other)}
.key{display:inline-block;width:12px;height:12px;border-radius:3px;vertical-align:-1px;margin:0 5px 0 12px}.key.draft{background:var(--draft)}.key.target{background:var(--target)}.key.other{background:var(--other)}
@media(max-width:640px){main{padding:28px 14px 64px}h1{font-size:24px}figure{padding:10px}
.wide,td.forest,th.forest{display:none!important}th:first-child,td:first-child{min-width:104px}figure svg.narrow,.narrow{display:block}.strip{grid-template-columns:1fr 20px}.strip>:first-child{grid-column:1/-1;margin-top:6px}}
@media print{body{background:#fff}.card,figure,.scroll{break-inside:avoid}}`;

/** A figure as a file of its own: it brings its looks along and follows its reader's theme. */
export function standalone(svg: string): string {
  const style = `<style>svg{${paper}background:var(--card)}@media(prefers-color-scheme:dark){svg{${black}}}${figureStyle}</style>`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${svg.replace(">", `>${style}`)}\n`;
}
