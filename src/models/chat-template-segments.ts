/**
 * Keeps the special tokens that a template writes apart from texts in message contents that only look like them.
 * Before rendering, such texts are broken by a seam; after it, the seams show which of them came from contents.
 */
import { randomInt } from "node:crypto";

/** Text of a prompt; `special` text may name special tokens, the other never does. */
export interface Segment {
  readonly text: string;
  readonly special: boolean;
}

/**
 * A seam no content can contain by guess: private-use characters, which no template trims, splits at, or changes
 * the case of. Characters of the `used` text are avoided, so that remains of a seam can be recognised.
 */
export function newSeam(used: string): string {
  const all = Array.from({ length: 6400 }, (_, index) => String.fromCharCode(0xe000 + index));
  const present = new Set(used);
  const free = all.filter((character) => !present.has(character));
  const from = free.length < 1000 ? all : free;
  return Array.from({ length: 6 }, () => from[randomInt(from.length)]).join("");
}

/** True if a content could take part in a special token: one could begin in it, or end at its beginning. */
export function isSuspect(content: string, controls: readonly string[]): boolean {
  return controls.some((control) => content.includes(control[0]!) || completesControl(content, control));
}

/** A seam after every character that begins a special token, so that none can come whole out of this content. */
export function breakEverywhere(content: string, controls: readonly string[], seam: string): string {
  const firsts = new Set(controls.map((control) => control[0]!));
  let broken = controls.some((control) => completesControl(content, control)) ? seam : "";
  for (const character of content) broken += firsts.has(character[0]!) ? `${character}${seam}` : character;
  return broken;
}

/** A seam only inside special tokens' whole texts and at edges that could complete one: the content's own tests on `<` still hold. */
export function breakControls(content: string, controls: readonly string[], seam: string): string {
  const cuts = new Set<number>();
  for (const control of controls) {
    for (let at = content.indexOf(control); at >= 0; at = content.indexOf(control, at + 1)) cuts.add(at + 1);
    if (completesControl(content, control)) cuts.add(0);
    for (let length = 1; length < control.length; length++) {
      if (content.endsWith(control.slice(0, length))) cuts.add(content.length);
    }
  }
  let broken = "";
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    broken += content.slice(from, cut) + seam;
    from = cut;
  }
  return broken + content.slice(from);
}

export function withoutSeams(text: string, seam: string): string {
  return text.replaceAll(seam, "");
}

/** True if a template took a seam apart or wrote it in another form: its output cannot be trusted then. */
export function hasRemains(text: string, seam: string): boolean {
  const rest = withoutSeams(text, seam).toLowerCase();
  return [...seam].some((character) => {
    const code = character.charCodeAt(0).toString(16);
    return rest.includes(character) || rest.includes(`\\u${code}`);
  });
}

/** How often each special token stands unbroken in a text. */
export function countControls(text: string, controls: readonly string[]): number[] {
  return controls.map((control) => text.split(control).length - 1);
}

/** Cuts rendered text into segments: special tokens' texts that hold a seam become plain text, all seams vanish. */
export function segmentsOf(rendered: string, controls: readonly string[], seam: string): Segment[] {
  const seams: number[] = [];
  let text = "";
  for (const [index, piece] of rendered.split(seam).entries()) {
    if (index > 0) seams.push(text.length);
    text += piece;
  }
  const foreign = new Uint8Array(text.length);
  const genuine = new Uint8Array(text.length);
  for (const control of controls) {
    for (let at = text.indexOf(control); at >= 0; at = text.indexOf(control, at + 1)) {
      const end = at + control.length;
      const marks = seams.some((seam) => seam > at && seam < end) ? foreign : genuine;
      marks.fill(1, at, end);
    }
  }
  const segments: Segment[] = [];
  for (let start = 0; start < text.length; ) {
    const plain = foreign[start] === 1 && genuine[start] === 0;
    let end = start + 1;
    while (end < text.length && (foreign[end] === 1 && genuine[end] === 0) === plain) end += 1;
    segments.push({ text: text.slice(start, end), special: !plain });
    start = end;
  }
  return segments;
}

/** True if the content begins with a proper tail of the special token, which a template's text could have begun. */
function completesControl(content: string, control: string): boolean {
  for (let at = 1; at < control.length; at++) if (content.startsWith(control.slice(at))) return true;
  return false;
}
