/** The shapes of answers on the wire: chat completions and plain ones, whole and in chunks. */
import type { Finish } from "../../core/search.js";
import type { TokenFigure } from "./token-figures.js";

export interface Wire {
  /** Keys that every chunk and every whole answer begins with. */
  head(streamed: boolean): { readonly object: string };
  /** What opens a choice in a stream, if anything does. */
  opening(index: number): object | undefined;
  delta(index: number, text: string, figures: readonly TokenFigure[] | undefined): object;
  closing(index: number, finish: FinishReason): object;
  whole(
    index: number,
    text: string,
    finish: FinishReason,
    figures: readonly TokenFigure[] | undefined,
  ): object;
}

export type FinishReason = "stop" | "length";

/** A budget is a limit like another; a run in circles has reached the loop guard's. */
export function finishReason(finish: Finish): FinishReason {
  return finish === "stop" ? "stop" : "length";
}

export const chatWire: Wire = {
  head: (streamed) => ({ object: streamed ? "chat.completion.chunk" : "chat.completion" }),
  opening: (index) => choice(index, { delta: { role: "assistant", content: "" } }),
  delta: (index, text, figures) =>
    choice(index, { delta: text === "" ? {} : { content: text } }, chatFigures(figures)),
  closing: (index, finish) => choice(index, { delta: {} }, null, finish),
  whole: (index, content, finish, figures) =>
    choice(index, { message: { role: "assistant", content, refusal: null } }, chatFigures(figures), finish),
};

export const completionWire: Wire = {
  head: () => ({ object: "text_completion" }),
  opening: () => undefined,
  delta: (index, text, figures) => choice(index, { text }, textFigures(figures)),
  closing: (index, finish) => choice(index, { text: "" }, null, finish),
  whole: (index, text, finish, figures) => choice(index, { text }, textFigures(figures), finish),
};

function choice(
  index: number,
  content: object,
  logprobs: object | null = null,
  finish_reason: FinishReason | null = null,
): object {
  return { index, ...content, logprobs, finish_reason };
}

function chatFigures(figures: readonly TokenFigure[] | undefined): object | null {
  return figures ? { content: figures, refusal: null } : null;
}

function textFigures(figures: readonly TokenFigure[] | undefined): object | null {
  if (!figures) return null;
  let at = 0;
  return {
    tokens: figures.map(({ token }) => token),
    token_logprobs: figures.map(({ logprob }) => logprob),
    top_logprobs: null,
    text_offset: figures.map(({ token }) => {
      const offset = at;
      at += token.length;
      return offset;
    }),
  };
}
