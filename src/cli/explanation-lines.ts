/** An answer step by step, each with its reward as a bar, and what pulled it. */
import { aggregate, aggregations } from "../core/reward.js";
import type { FeaturePull } from "../rewards/index.js";
import type { ExplainedStep } from "./explanation.js";
import { rewardText } from "./numbers.js";
import type { Style } from "./style.js";
import { harmless, wrap } from "./terminal-text.js";

const cells = 10;
/** Number 3, mark 2, reward 5, two spaces and the bar, then " │ ". */
const gutter = 3 + 2 + 5 + 2 + cells + 3;
const pullsShown = 3;

export interface Explanation {
  readonly steps: readonly ExplainedStep[];
  /** Below it a step would be rewritten; null where nobody said. */
  readonly threshold: number | null;
}

/** The step of least reward, the first of equals. */
export function weakestOf(steps: readonly ExplainedStep[]): number {
  return steps.reduce((least, { score }, index) => (score < steps[least]!.score ? index : least), 0);
}

export function explanationLines(explanation: Explanation, style: Style, columns: number): string[] {
  const { steps, threshold } = explanation;
  const weakest = weakestOf(steps);
  const lines = steps.flatMap((step, index) => {
    const below = threshold !== null && step.score < threshold;
    const colour = threshold === null ? style.cyan : below ? style.red : style.green;
    const head = `${String(index + 1).padStart(3)} ${below ? "!" : " "} ${rewardText(step.score)}  ${bar(step.score)}`;
    const text = harmless(step.text)
      .replace(/^\s*\n/, "")
      .trimEnd();
    const shown = wrap(text, columns - gutter).map((line, at) => {
      const left = at === 0 ? head : "".padEnd(gutter - 3);
      return `${colour(left)} ${colour("│")} ${line}`;
    });
    const notes = [
      ...(index === weakest && steps.length > 1 ? [style.bold("↑ the weakest step")] : []),
      ...pullLines(step.pulls ?? [], columns - gutter).map(style.dim),
    ];
    return [...shown, ...notes.map((note) => `${"".padEnd(gutter - 3)} ${colour("│")} ${note}`)];
  });
  const numbers = aggregations.map(
    (kind) =>
      `${kind} ${rewardText(
        aggregate(
          kind,
          steps.map(({ score }) => score),
        ),
      )}`,
  );
  return [...lines, "", `The answer as one number: ${numbers.join(", ")}.`];
}

export function thresholdSentence({ steps, threshold }: Explanation, isAdvised: boolean): string | undefined {
  if (threshold === null) return undefined;
  const below = steps.filter(({ score }) => score < threshold).length;
  const lie = `${below} of ${steps.length} ${steps.length === 1 ? "step" : "steps"} ${below === 1 ? "lies" : "lie"}`;
  const marked = below > 0 ? `, marked !: rsd would let the target write ${below === 1 ? "it" : "them"}` : "";
  return `${lie} below ${isAdvised ? "its own" : "the"} threshold, ${rewardText(threshold)}${marked}.`;
}

/** Eighths of a cell. */
const parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

function bar(score: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, score)) * cells * 8);
  return ("█".repeat(eighths >> 3) + parts[eighths % 8]!).padEnd(cells, "·");
}

/** In lines of at most so many columns, a feature and its number never parted. */
function pullLines(pulls: readonly FeaturePull[], columns: number): string[] {
  const lines: string[] = [];
  for (const { feature, pull } of pulls.slice(0, pullsShown)) {
    const told = `${feature} ${pull < 0 ? "−" : "+"}${Math.abs(pull).toFixed(2)}`;
    const joined = lines.length > 0 ? `${lines.at(-1)}   ${told}` : told;
    if (lines.length > 0 && joined.length <= columns) lines[lines.length - 1] = joined;
    else lines.push(told);
  }
  return lines;
}
