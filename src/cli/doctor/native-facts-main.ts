/** Entry of a process of its own: a library that crashes while it is loaded must not take `doctor` along. */
import { StepwrightError } from "../../core/errors.js";
import { describeNative } from "../../native/describe.js";
import type { NativeFacts } from "./native-facts.js";

function facts(): NativeFacts {
  try {
    return { description: describeNative() };
  } catch (error) {
    return { error: StepwrightError.from(error).toJSON() };
  }
}

process.send?.(facts(), () => process.disconnect());
