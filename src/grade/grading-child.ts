/** Entry of a process that grades: one request at a time. */
import { answerRequest, type GradeRequest } from "./grading.js";

process.on("message", (request: GradeRequest) => {
  answerRequest(request, (part) => process.send?.(part));
});
process.on("disconnect", () => process.exit(0));
// A Ctrl-C in the terminal reaches the whole group; the program decides when grading ends.
process.on("SIGINT", () => {});
process.send?.("ready");
