/** What the caller of a run knows of answers to its question; methods ask through `Search`. */

/** A checker's word on a text. */
export interface Check {
  /** In [0, 1]; 1 is right. */
  readonly score: number;
  /** What is wrong, in words that may be shown to a model; empty if there is nothing to say. */
  readonly feedback: string;
}

export interface AnswerRules {
  /** The final answer in a text, null if there is none. Default: the text without white space at its ends. */
  readonly extract?: (text: string) => string | null | Promise<string | null>;
  /** Whether two answers mean the same. Default: whether they are the same text. */
  readonly same?: (first: string, second: string) => boolean | Promise<boolean>;
  /** Checks a text as an honest user could: by running it, or by the rules of a puzzle; never by the reference. */
  readonly check?: (text: string) => Check | Promise<Check>;
}

export const plainAnswers: Required<Pick<AnswerRules, "extract" | "same">> = {
  extract: (text) => text.trim() || null,
  same: (first, second) => first === second,
};
