/** The settings by which a command chooses its questions. */
import { z } from "zod";

/** `fewest`: what `--limit` may not go below. */
export function questionFields(fewest: number) {
  return {
    task: z
      .string()
      .optional()
      .describe("A task (see stepwright tasks list) or a JSON Lines file with question and answer.")
      .meta({ group: "Task", placeholder: "TASK" }),
    limit: z
      .int()
      .min(fewest)
      .optional()
      .describe("How many questions; default: all.")
      .meta({ group: "Task" }),
    offset: z
      .int()
      .min(0)
      .default(0)
      .describe("How many questions to pass over first.")
      .meta({ group: "Task" }),
    as: z
      .string()
      .optional()
      .describe("Read and grade a file as this task, such as minerva or aqua; default: free answers.")
      .meta({ group: "Task", placeholder: "TASK" }),
  };
}
