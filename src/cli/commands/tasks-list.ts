import { z } from "zod";
import { findDataset } from "../../models/hub-dataset.js";
import { type HubSettings, hubSettings } from "../../models/hub-settings.js";
import { tasks } from "../../tasks/index.js";
import { isGenerated, type Task } from "../../tasks/task.js";
import { defineCommand } from "../command.js";
import { jsonField } from "../fields.js";
import { count } from "../numbers.js";
import { tableLines } from "../table.js";

export default defineCommand({
  operands: "",
  operandLimit: 0,
  description:
    "Lists the tasks: what they ask, how many questions they have, where these come from, under which licence, and whether they are on this machine. Beside them any JSON Lines file with question and answer is a task.",
  examples: ["stepwright tasks list", "stepwright tasks list --json"],
  schema: z.object({ json: jsonField }),
  async run({ host, print, printJson, style }, { json }) {
    const hub = hubSettings(host.environment);
    const described = await Promise.all((await tasks.all()).map((task) => describeTask(task, hub)));
    if (json) {
      printJson(described);
      return 0;
    }
    const titles = ["task", "questions", "here", "licence", "source"];
    const columns = titles.map(
      (title) => ({ title, align: title === "questions" ? "right" : "left" }) as const,
    );
    const rows = described.map(({ name, size, path, licence, source }) => [
      name,
      count(size),
      source !== null && path === null ? "no" : "yes",
      licence,
      source?.repository ?? "made from an index",
    ]);
    const [title, ...lines] = tableLines(columns, rows);
    for (const line of [style.bold(title!), ...lines]) print(line);
    return 0;
  },
});

async function describeTask(task: Task, hub: HubSettings) {
  const { name, essence, licence, size, grading } = task;
  const facts = { name, essence, licence, size, grading };
  if (isGenerated(task)) return { ...facts, source: null, levels: task.levels?.length ?? null, path: null };
  return { ...facts, source: task.source, levels: null, path: (await findDataset(task.source, hub)) ?? null };
}
