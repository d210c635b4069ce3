/** A step is what one model writes before someone looks at it. */

export type Token = number;

/** Text together with the ids it came from, so that models with one vocabulary hand over ids, others text. */
export interface Passage {
  readonly text: string;
  readonly tokens: readonly Token[];
  /** `Model.vocabulary` of the model whose ids `tokens` are. */
  readonly vocabulary: string;
}

/**
 * Why a generation ended: `delimiter` (where the splitter ends a step), `end` (an end-of-text token), `cap` (the
 * caller's token limit), `context` (no room left in the model's context), `cut` (its signal fired). Only `end` is
 * the end of an answer; a step ended by one of the last three is truncated, never mistaken for it.
 */
export type StopReason = "delimiter" | "end" | "cap" | "context" | "cut";

/**
 * The writer's or a reader's final-norm hidden states over a step, each as long as the model is wide. A state stands where
 * the law of a token was read, before that token was chosen.
 */
export interface StepStates {
  /** Before the least probable token. */
  readonly least: Float32Array;
  /** The mean over all tokens. */
  readonly mean: Float32Array;
  /** Before the last token: all of the step but what ends it has been read. */
  readonly end: Float32Array;
}

export interface Step extends Passage {
  /** The role that wrote it: `draft`, `target`, or a method's own word. */
  readonly origin: string;
  readonly stop: StopReason;
  /**
   * Natural-log probability of each token under its writer at temperature 1, before any truncation; 0 in a forced text.
   * Empty where the writer, a remote one, tells none; then `entropies` is empty too.
   */
  readonly logprobs: readonly number[];
  /** Entropy in nats of the writer's next-token law (temperature 1) at each token; 0 for forced tokens. */
  readonly entropies: readonly number[];
  /** Of its writer, where the run's reward looks at them. Never in a trace: a step of a recording has none. */
  readonly states?: StepStates;
}

/** Where a step ends. Plain data, so that it can cross to the engine's process. */
export type Splitter =
  | { readonly kind: "delimiter"; readonly delimiter: string }
  | { readonly kind: "sentence" }
  | { readonly kind: "tokens"; readonly count: number }
  /** After the token whose text ends in one of these characters. */
  | { readonly kind: "marks"; readonly marks: string }
  /** Before a token whose law has at least this entropy, in nats; the first token is written in any case. */
  | { readonly kind: "entropy"; readonly limit: number }
  | { readonly kind: "none" }
  /** As another splitter, and after the token that completes one of these texts, which may have begun in `before`. */
  | {
      readonly kind: "stops";
      readonly splitter: Splitter;
      readonly stops: readonly string[];
      readonly before: string;
    }
  /** As another splitter, in a step of which this much is written already. */
  | {
      readonly kind: "resumed";
      readonly splitter: Splitter;
      readonly text: string;
      readonly tokens: number;
    };

export const blankLine = { kind: "delimiter", delimiter: "\n\n" } as const satisfies Splitter;

/** So many characters of blank text end a step: a model that writes only line breaks must not run to its cap. */
const blankLimit = 32;

/**
 * True if the text written so far is a whole step. Called after every token; the token that completes the
 * delimiter ends the step and stays in it ("x.\n\n" whatever the tokenizer's pieces are). Leading blank lines
 * belong to the step that follows them.
 */
export function stepEnds(splitter: Splitter, text: string, tokenCount: number): boolean {
  switch (splitter.kind) {
    case "none":
    case "entropy":
      return false;
    case "marks":
      return text !== "" && splitter.marks.includes(text.at(-1)!);
    case "tokens":
      return tokenCount >= splitter.count;
    case "delimiter": {
      const start = text.search(/\S/);
      if (start < 0) return text.length >= blankLimit;
      return text.indexOf(splitter.delimiter, start) >= 0;
    }
    case "stops": {
      const whole = splitter.before + text;
      if (splitter.stops.some((stop) => whole.includes(stop))) return true;
      return stepEnds(splitter.splitter, text, tokenCount);
    }
    case "resumed":
      return stepEnds(splitter.splitter, splitter.text + text, splitter.tokens + tokenCount);
    case "sentence":
      // A terminator counts once white space follows it: "3.14" and "e.g" are not ends.
      return /\S[.!?]["')\]]*\s$/.test(text) || (/\S/.test(text) && /\n\s*$/.test(text));
  }
}

/** True if the step ends before the token that was about to be written, because its law is too uncertain. */
export function pausesBefore(splitter: Splitter, entropy: number, tokensBefore: number): boolean {
  if (splitter.kind === "stops") return pausesBefore(splitter.splitter, entropy, tokensBefore);
  if (splitter.kind === "resumed")
    return pausesBefore(splitter.splitter, entropy, splitter.tokens + tokensBefore);
  return splitter.kind === "entropy" && tokensBefore > 0 && entropy >= splitter.limit;
}

/** Parses `blank-line`, `line`, `sentence`, `tokens:N`, `none`, or `text:DELIMITER`; undefined if it is none of them. */
export function parseSplitter(text: string): Splitter | undefined {
  if (text === "blank-line") return blankLine;
  if (text === "line") return { kind: "delimiter", delimiter: "\n" };
  if (text === "sentence" || text === "none") return { kind: text };
  const tokens = /^tokens:([1-9]\d{0,5})$/.exec(text);
  if (tokens) return { kind: "tokens", count: Number(tokens[1]) };
  if (text.startsWith("text:") && text.length > 5) return { kind: "delimiter", delimiter: text.slice(5) };
  return undefined;
}
