/** Entry of the process that renders chat templates: one answer per request, in order. */
import { renderTemplate, TemplateLimitError, type TemplateRequest } from "./chat-template-render.js";

export type TemplateAnswer =
  | { readonly text: string }
  | { readonly fault: "limit" | "invalid"; readonly message: string };

function answer(request: TemplateRequest): TemplateAnswer {
  try {
    return { text: renderTemplate(request) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // The engine's own limits: depth of calls, length of texts and arrays.
    const limit = error instanceof TemplateLimitError || error instanceof RangeError;
    return { fault: limit ? "limit" : "invalid", message: message.slice(0, 1000) };
  }
}

process.on("message", (request: TemplateRequest) => {
  process.send?.(answer(request));
});
process.on("disconnect", () => process.exit(0));
// A Ctrl-C in the terminal reaches the whole group; the program decides what becomes of the run.
process.on("SIGINT", () => {});
process.send?.("ready");
