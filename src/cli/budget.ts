/** `--budget target-tokens=500,flops=2e12,seconds=60` */
import { StepwrightError } from "../core/errors.js";
import { type Limits, limitNames } from "../core/ledger.js";
import { unknownName } from "../core/registry.js";

/** Counts of whole things; the others are measures. */
const counted: ReadonlySet<string> = new Set(["draft-tokens", "target-tokens", "reward-passes"]);

export function parseBudget(text: string): Limits {
  const limits: Record<string, number> = {};
  for (const part of text.split(",")) {
    const [name = "", value = "", ...rest] = part.split("=").map((word) => word.trim());
    if (!limitNames.some((known) => known === name)) throw unknownName("limit", name, limitNames);
    if (name in limits) throw invalid(`the limit ${name} is given twice`, "give each limit once");
    const number =
      /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value) && rest.length === 0 ? Number(value) : Number.NaN;
    if (!Number.isFinite(number))
      throw invalid(`the limit ${name} must be a number, not "${value}"`, `write ${name}=500`);
    if (counted.has(name) && !Number.isInteger(number)) {
      throw invalid(
        `the limit ${name} must be a whole number, not ${value}`,
        `write ${name}=${Math.ceil(number)}`,
      );
    }
    limits[name] = number;
  }
  return limits;
}

function invalid(message: string, remedy: string): StepwrightError {
  return new StepwrightError("invalid-option", message, { subject: "--budget", remedy });
}
