import { StepwrightError } from "../core/errors.js";

/** The first operand; throws if it is missing. `what` names it in words: "a trace". */
export function requiredOperand(operands: readonly string[], name: string, what: string): string {
  const [first] = operands;
  if (first !== undefined) return first;
  throw new StepwrightError("invalid-option", `${name} is missing`, {
    subject: name,
    remedy: `name ${what}; see --help`,
  });
}
