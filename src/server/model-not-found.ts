import { ApiError } from "./api-error.js";

/** Names are keys of a table: one that is not in it opens nothing. */
export function modelNotFound(name: string): ApiError {
  const shown = name.replace(/\P{ASCII}|[^\w./:@-]/gu, "?").slice(0, 100);
  return new ApiError(404, "model_not_found", `the model "${shown}" does not exist`, {
    param: "model",
    remedy: "GET /v1/models lists the models",
  });
}
