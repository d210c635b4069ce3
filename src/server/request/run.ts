/** The body of a run that goes on unwatched: a chat completion's, or a bare question as `solve` takes it. */
import { mathsSystem } from "../../core/run.js";
import { ApiError } from "../api-error.js";
import type { JsonObject } from "../body.js";
import type { HttpLimits } from "../limits.js";
import { chatAsk } from "./chat.js";
import type { Ask } from "./order.js";

/** A question comes with `system`, which is `solve`'s by default and null for none. Throws 400 with the field's name. */
export function runAsk(body: JsonObject, limits: HttpLimits): Ask {
  if (body.question === undefined) return chatAsk(body, limits);
  const { question, system = mathsSystem, ...rest } = body;
  if (body.messages !== undefined) {
    throw new ApiError(400, "invalid_value", "question and messages exclude each other", {
      param: "question",
    });
  }
  if (typeof question !== "string" || (system !== null && typeof system !== "string")) {
    const param = typeof question === "string" ? "system" : "question";
    throw new ApiError(400, "invalid_value", `${param}: a text is expected`, { param });
  }
  const asked = { role: "user", content: question };
  return chatAsk(
    { ...rest, messages: system === null ? [asked] : [{ role: "system", content: system }, asked] },
    limits,
  );
}
