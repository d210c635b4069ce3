/** The body of a plain completion: a text or token ids that the model goes on from, without a chat template. */
import { z } from "zod";
import { ApiError } from "../api-error.js";
import type { JsonObject } from "../body.js";
import type { HttpLimits } from "../limits.js";
import { askFields } from "./ask.js";
import { parseFields } from "./issue.js";
import type { Ask } from "./order.js";
import { plainText } from "./text.js";
import { ignoredFields, refuseUnsupported } from "./unsupported.js";

const text = plainText.refine((text) => text !== "", "is empty");
const ids = z.array(z.int().min(0)).min(1);

function completionSchema(limits: HttpLimits) {
  return z.object({
    ...askFields(limits),
    prompt: z.union([text, ids, z.array(text).length(1), z.array(ids).length(1)]),
    logprobs: z.int().min(0).max(0, "only the chosen tokens' log-probabilities are told (0)").nullish(),
  });
}

/** Throws 400 with the field's name. */
export function completionAsk(body: JsonObject, limits: HttpLimits): Ask {
  refuseUnsupported(body);
  if (Array.isArray(body.prompt) && body.prompt.length > 1 && typeof body.prompt[0] !== "number") {
    throw new ApiError(400, "invalid_value", "prompt: one prompt per request", {
      param: "prompt",
      remedy: "send a request for each prompt; they are written side by side",
    });
  }
  const schema = completionSchema(limits);
  const fields = parseFields(schema, body);
  const prompt = typeof fields.prompt === "string" ? fields.prompt : unwrapped(fields.prompt);
  return {
    fields,
    maxTokens: fields.max_tokens ?? undefined,
    maxTokensParam: "max_tokens",
    prompt: typeof prompt === "string" ? prompt : { tokens: prompt },
    question: typeof prompt === "string" ? prompt : undefined,
    system: null,
    logprobs: fields.logprobs === 0,
    ignored: ignoredFields(body, Object.keys(schema.shape)),
  };
}

function unwrapped(prompt: number[] | string[] | number[][]): string | number[] {
  const [first] = prompt;
  return typeof first === "number" ? (prompt as number[]) : first!;
}
