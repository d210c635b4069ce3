/** A word on a reward that was fitted to steps that end otherwise than those it is to score. */
import { isDeepStrictEqual } from "node:util";
import type { Reward } from "../core/reward.js";
import { parseSplitter, type Splitter } from "../core/step.js";
import type { CommandContext } from "./command.js";

export function warnOtherSteps(
  { say }: Pick<CommandContext, "say">,
  { name, fittedTo }: Pick<Reward, "name" | "fittedTo">,
  splitter: Splitter | undefined,
  remedy: (splitter: string) => string = (name) => `add --step ${name}`,
): void {
  if (fittedTo === undefined || isDeepStrictEqual(parseSplitter(fittedTo), splitter)) return;
  say(
    `${name} was trained on steps that end at: ${fittedTo}. These end otherwise, so its scores mean less; to go by it, ${remedy(fittedTo)}`,
  );
}
