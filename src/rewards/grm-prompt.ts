/** What a generative judge is asked to write: principles, a critique, then one whole number for each response. */
import type { ChatMessage } from "../core/model.js";

const opening =
  "You grade responses to a problem. Work in three parts.\n\n" +
  "Principles: name two to four criteria by which a response to this problem should be graded, the most important " +
  "first, each with its weight in percent. Consider whether a response does what was asked, whether it is correct " +
  "and useful, how precise it is, and whether all of it belongs to the problem. Add criteria of your own where the " +
  "problem calls for them.\n\n" +
  "Analysis: judge each response by these criteria. Check facts and calculations yourself.\n\n" +
  "Scores: for each response one whole number in all, not one for each criterion, from 1 (useless) to 10 (perfect).";

export interface GrmCase {
  readonly question: string;
  /** What all responses go on from; empty where they are whole answers. */
  readonly before: string;
  readonly responses: readonly string[];
}

/** One user turn; what changes with every case comes last, so that what is before it stays read. */
export function grmMessages({ question, before, responses }: GrmCase): ChatMessage[] {
  const parts = [opening, `Problem:\n${question.trim()}`];
  if (before.trim() !== "") {
    parts.push(`All responses go on from this work, which is not to be graded:\n${before.trim()}`);
  }
  parts.push(...responses.map((text, index) => `Response ${index + 1}:\n${text.trim()}`));
  const count = responses.length === 1 ? "one response" : `${responses.length} responses`;
  const form = responses.map((_, index) => `score of response ${index + 1}`).join(", ");
  parts.push(
    `---\nGrade the ${count}: principles, analysis, and on the last line the scores in exactly this form:\n` +
      `\\boxed{[${form}]}`,
  );
  return [{ role: "user", content: parts.join("\n\n") }];
}

/** The scores that a judgement ends in, cut to 1 to 10; null unless there is exactly one for each response. */
export function parseScores(text: string, responses: number): number[] | null {
  // Small models leave out the box, but not the brackets.
  const lists = [...text.matchAll(/\\boxed\{\s*\[?([^\]}]*)\]?\s*\}|\[([\d\s,]+)\]/g)];
  const inside = (lists.at(-1)?.[1] ?? lists.at(-1)?.[2])?.trim();
  if (!inside) return null;
  const scores = inside.split(/[,;\s]+/).map((part) => (/^\d{1,4}$/.test(part) ? Number(part) : Number.NaN));
  if (scores.length !== responses || scores.some(Number.isNaN)) return null;
  return scores.map((score) => Math.min(10, Math.max(1, score)));
}
