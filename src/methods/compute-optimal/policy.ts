/**
 * `probes>=0.9 / best-of-n?samples=8>=0.5 / beam?width=4`: what to do from which estimate of success on, easiest
 * questions first; the last bin takes all that is left.
 */
import { StepwrightError } from "../../core/errors.js";

export interface Strategy {
  /** A method's name, or `probes`: answer with what the probes said. */
  readonly name: string;
  /** As written; empty for defaults. */
  readonly options: Readonly<Record<string, string>>;
}

export interface Bin {
  /** In [0, 1]; the estimate from which on the bin holds. The last bin's is 0. */
  readonly from: number;
  readonly strategy: Strategy;
}

export type Policy = readonly Bin[];

/** Throws `invalid-option`. */
export function parsePolicy(text: string): Policy {
  const parts = text.split("/").map((part) => part.trim());
  const bins = parts.map((part, index) => parseBin(part, index === parts.length - 1));
  for (const [index, { from }] of bins.entries()) {
    if (index > 0 && from >= bins[index - 1]!.from) {
      throw invalid(`"${text}" must go from easy questions to hard ones, each bound below the one before`);
    }
  }
  return bins;
}

function parseBin(part: string, isLast: boolean): Bin {
  const [strategy = "", bound, ...rest] = part.split(">=");
  if (rest.length > 0 || isLast === (bound !== undefined)) {
    throw invalid(
      `"${part}" ${isLast ? "is the last bin and takes no bound" : "needs a bound, such as >=0.5"}`,
    );
  }
  const from = bound === undefined ? 0 : Number(bound.trim() || Number.NaN);
  if (!(from >= 0 && from <= 1)) throw invalid(`the bound "${bound}" is not a number from 0 to 1`);
  return { from, strategy: parseStrategy(strategy.trim()) };
}

function parseStrategy(text: string): Strategy {
  const [name = "", query = "", ...rest] = text.split("?");
  const options: Record<string, string> = {};
  for (const pair of query === "" ? [] : query.split("&")) {
    const equals = pair.indexOf("=");
    const key = pair.slice(0, Math.max(0, equals)).trim();
    if (key === "" || Object.hasOwn(options, key))
      throw invalid(`"${pair}" in "${text}" is not option=value`);
    options[key] = pair.slice(equals + 1).trim();
  }
  if (!/^[a-z][a-z0-9-]*$/.test(name) || rest.length > 0) throw invalid(`"${text}" is no strategy`);
  return { name, options };
}

export function printPolicy(policy: Policy): string {
  return policy
    .map(({ from, strategy }, index) => {
      const bound = index === policy.length - 1 ? "" : `>=${from}`;
      return `${printStrategy(strategy)}${bound}`;
    })
    .join(" / ");
}

export function printStrategy({ name, options }: Strategy): string {
  const query = Object.entries(options).map(([key, value]) => `${key}=${value}`);
  return query.length === 0 ? name : `${name}?${query.join("&")}`;
}

/** The strategy for a question of this estimated success, in [0, 1]. */
export function strategyFor(policy: Policy, estimate: number): Strategy {
  return (policy.find(({ from }) => estimate >= from) ?? policy.at(-1)!).strategy;
}

function invalid(problem: string): StepwrightError {
  return new StepwrightError("invalid-option", `policy: ${problem}`, {
    subject: "policy",
    remedy: 'write "probes>=0.9 / best-of-n>=0.5 / beam": strategies from easy questions to hard ones',
  });
}
