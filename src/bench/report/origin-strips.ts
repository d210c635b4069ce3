/** Who wrote an answer: a strip per run, a segment per step, and above it the drafts that were thrown away. */
import type { BenchResult, SeenStep } from "../result.js";
import { element, figure, harmless, line, title } from "./svg.js";

/** `scale` is pixels per token. */
export function originStrip({ steps, text }: BenchResult, scale: number, width: number): string {
  let x = 0;
  let character = 0;
  const parts: string[] = [];
  for (const step of steps) {
    const wide = step.tokens * scale;
    const words = step.length === undefined ? "" : text.slice(character, character + step.length);
    character += step.length ?? 0;
    step.rejected.forEach((rejected, index) => {
      const shape = {
        x,
        y: 4,
        width: Math.max(1, rejected.tokens * scale - 1),
        height: 5,
        class: `origin ${originClass(rejected)} rejected`,
      };
      if (index === 0) parts.push(element("rect", shape, title(`thrown away: ${facts(rejected)}`)));
    });
    const shape = {
      x,
      y: 11,
      width: Math.max(1, wide - 1),
      height: 16,
      class: `origin ${originClass(step)}`,
    };
    parts.push(element("rect", shape, title(`${facts(step)}\n${words.trim()}`)));
    // A wrong step is struck through: colour alone says who, not how good.
    if (step.right === false) parts.push(line(x + 1, 19, x + Math.max(2, wide - 2), 19, "strike"));
    x += wide;
  }
  return figure(width, 30, "Who wrote the answer's steps", parts.join(""));
}

function originClass({ origin }: SeenStep): string {
  return origin === "draft" || origin === "target" ? origin : "other";
}

function facts({ origin, tokens, reward, right }: SeenStep): string {
  const verdict = right === undefined ? "" : right ? ", right" : ", wrong";
  return `${origin}, ${tokens} tokens${reward === null ? "" : `, reward ${reward.toFixed(2)}`}${verdict}`;
}

/** The answer's text, a span per step, with the same colours. */
export function originText({ steps, text }: BenchResult): string {
  let character = 0;
  const spans = steps.map((step) => {
    const own = text.slice(character, character + (step.length ?? 0));
    character += step.length ?? 0;
    return `<span class="by ${originClass(step)}">${harmless(own)}</span>`;
  });
  return spans.join("") + harmless(text.slice(character));
}
