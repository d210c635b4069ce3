/** The laws of scripted models: what may come next, with exact probabilities. */
import { StepwrightError } from "../core/errors.js";
import type { SparseLaw } from "../core/sparse-law.js";
import { blankLine, type Splitter, stepEnds, type Token } from "../core/step.js";
import { questionOf } from "./scripted-chat.js";
import { endToken, type ScriptedTokenizer, TextReader } from "./scripted-tokens.js";

/** What a law is asked about: the question, and the answer so far. */
export interface Answer {
  /** The last user message. */
  readonly question: string;
  /** All the messages, as `messagesOf` reads them back. */
  readonly prompt: string;
  /** Everything after the prompt. */
  readonly text: string;
  /** The finished steps of it. */
  readonly steps: readonly string[];
  /** What has been written of the step in progress. */
  readonly begun: string;
  readonly tokens: readonly Token[];
}

/** One way to go on with the step: its whole text. With `end` the answer ends after it. */
export interface StepChoice {
  readonly text: string;
  readonly probability: number;
  readonly end?: boolean;
}

/** One next token, by its text; "" is the end of the answer. */
export interface TokenChoice {
  readonly text: string;
  readonly probability: number;
}

/** The law of whole steps, or of single tokens. Probabilities must add up to 1. */
export type Law =
  | {
      readonly steps: (question: string, steps: readonly string[], prompt: string) => readonly StepChoice[];
    }
  | { readonly tokens: (answer: Answer) => readonly TokenChoice[] };

/** The answer as one branch has it so far; grows token by token. */
export class AnswerState implements Answer {
  readonly question: string;
  readonly prompt: string;
  text = "";
  steps: string[] = [];
  begun = "";
  readonly tokens: Token[] = [];
  begunTokens: Token[] = [];
  ended = false;
  readonly #reader: TextReader;
  readonly #splitter: Splitter;

  constructor(
    prompt: string,
    tokenizer: ScriptedTokenizer,
    splitter: Splitter = blankLine,
    reader = new TextReader(tokenizer),
  ) {
    this.prompt = prompt;
    this.question = questionOf(prompt);
    this.#reader = reader;
    this.#splitter = splitter;
  }

  /** Takes a token in; returns the text that it completes. */
  push(token: Token): string {
    this.tokens.push(token);
    this.begunTokens.push(token);
    const ends = token === endToken;
    const text = ends ? this.#reader.rest() : this.#reader.read(token);
    this.text += text;
    this.begun += text;
    this.ended ||= ends;
    if (ends || stepEnds(this.#splitter, this.begun, this.begunTokens.length)) {
      this.steps.push(this.begun);
      this.begun = "";
      this.begunTokens = [];
    }
    return text;
  }

  copy(tokenizer: ScriptedTokenizer): AnswerState {
    const copy = new AnswerState(this.prompt, tokenizer, this.#splitter, this.#reader.copy());
    copy.text = this.text;
    copy.steps = [...this.steps];
    copy.begun = this.begun;
    copy.tokens.push(...this.tokens);
    copy.begunTokens = [...this.begunTokens];
    copy.ended = this.ended;
    return copy;
  }
}

const surelyEnd: SparseLaw = { tokens: [endToken], probabilities: [1] };

/** The exact next-token law of a scripted law at this state. */
export function nextTokenLaw(law: Law, answer: AnswerState, tokenizer: ScriptedTokenizer): SparseLaw {
  if (answer.ended) return surelyEnd;
  const mass = new Map<Token, number>();
  if ("tokens" in law) {
    const choices = law.tokens(answer);
    checkMass(choices);
    for (const { text, probability } of choices) add(mass, singleToken(text, tokenizer), probability);
  } else {
    const choices = law.steps(answer.question, answer.steps, answer.prompt);
    checkMass(choices);
    const begun = answer.begunTokens;
    for (const { text, probability, end = false } of choices) {
      const tokens = tokenizer.encode(end || text.endsWith("\n\n") ? text : `${text}\n\n`);
      if (end) tokens.push(endToken);
      const fits = tokens.length > begun.length && begun.every((token, index) => token === tokens[index]);
      if (fits) add(mass, tokens[begun.length]!, probability);
    }
    // Another model began this step with words that the law does not know: close it.
    if (mass.size === 0) add(mass, tokenizer.encode("\n")[0]!, 1);
  }
  const entries = [...mass].filter(([, p]) => p > 0).sort(([a], [b]) => a - b);
  const total = entries.reduce((sum, [, p]) => sum + p, 0);
  return { tokens: entries.map(([token]) => token), probabilities: entries.map(([, p]) => p / total) };
}

export function logprobOf(token: Token, { tokens, probabilities }: SparseLaw): number {
  const index = tokens.indexOf(token);
  return index < 0 ? Number.NEGATIVE_INFINITY : Math.log(probabilities[index]!);
}

/** The log-probability of every token of the vocabulary. */
export function wholeRow(law: SparseLaw, vocabulary: number): Float32Array {
  const row = new Float32Array(vocabulary).fill(Number.NEGATIVE_INFINITY);
  for (const [index, token] of law.tokens.entries()) row[token] = Math.log(law.probabilities[index]!);
  return row;
}

function add(mass: Map<Token, number>, token: Token, probability: number): void {
  mass.set(token, (mass.get(token) ?? 0) + probability);
}

function checkMass(choices: readonly { readonly probability: number }[]): void {
  const sum = choices.reduce((total, { probability }) => total + probability, 0);
  if (choices.every(({ probability }) => probability >= 0) && Math.abs(sum - 1) < 1e-9) return;
  throw new StepwrightError("invalid-option", `a scripted law adds up to ${sum}, not to 1`, {
    subject: "law",
  });
}

function singleToken(text: string, tokenizer: ScriptedTokenizer): Token {
  if (text === "") return endToken;
  const tokens = tokenizer.encode(text);
  if (tokens.length === 1) return tokens[0]!;
  throw new StepwrightError("invalid-option", `"${text}" is not one token of the scripted model`, {
    subject: "law",
    remedy: "add it to the model's pieces",
  });
}
