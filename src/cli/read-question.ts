/** The problem of a command: what it was given, or what standard input holds. */
import { StepwrightError, throwIfAborted } from "../core/errors.js";
import type { CommandContext } from "./command.js";

/** Throws `invalid-option` where there is none. */
export async function readQuestion(
  problem: string | undefined,
  { host, signal }: CommandContext,
): Promise<string> {
  if (problem !== undefined && problem !== "-") return problem;
  if (problem === undefined && host.inputIsTerminal) {
    throw new StepwrightError("invalid-option", "there is no problem to solve", {
      subject: "PROBLEM",
      remedy: 'write it in quotes: "What is 17 * 23?"',
    });
  }
  const text = await host.readInput(signal);
  throwIfAborted(signal);
  return text.trim();
}
