import { z } from "zod";
import type { Method } from "../../core/method.js";
import { methods } from "../../methods/index.js";
import { defineCommand } from "../command.js";
import { jsonField } from "../fields.js";
import { expectation, flagsOf } from "../flags.js";
import type { Style } from "../style.js";
import { tableLines } from "../table.js";

export default defineCommand({
  operands: "[METHOD]",
  operandLimit: 1,
  description:
    "Lists the methods: what each does, which models it needs, and, for one METHOD, its options. With --json: name, essence, kind, needs, source and the options as JSON Schema.",
  examples: ["stepwright methods", "stepwright methods rsd", "stepwright methods --json"],
  schema: z.object({ json: jsonField }),
  async run({ print, printJson, style }, { json }, [name]) {
    const listed = name === undefined ? await methods.all() : [await methods.get(name)];
    if (json) {
      const described = listed.map(describeMethod);
      printJson(name === undefined ? described : described[0]);
    } else if (name === undefined) {
      const rows = listed.map(({ name, kind, needs, essence }) => [name, kind, needsText(needs), essence]);
      const [title, ...lines] = tableLines(
        ["method", "kind", "needs", "essence"].map((title) => ({ title })),
        rows,
      );
      for (const line of [style.bold(title!), ...lines]) print(line);
    } else {
      for (const line of methodLines(listed[0]!, style)) print(line);
    }
    return 0;
  },
});

/** A method as data: for programs, the docs and the studio. */
export function describeMethod({ name, essence, kind, needs, source, schema }: Method) {
  return { name, essence, kind, needs, source, options: z.toJSONSchema(schema, { io: "input" }) };
}

export function needsText(needs: Method["needs"]): string {
  return Object.entries(needs)
    .map(([role, capabilities]) =>
      Array.isArray(capabilities) ? capabilitiesText(role, capabilities) : role,
    )
    .join(", ");
}

/** Text is what every model gives; only more than that is worth a word. */
function capabilitiesText(role: string, capabilities: readonly string[]): string {
  const special = capabilities.filter((capability) => capability !== "text");
  return special.length > 0 ? `${role} (${special.join(", ")})` : role;
}

function methodLines(method: Method, style: Style): string[] {
  const rows = flagsOf(method.schema).map((flag) => [
    `  --${flag.name}`,
    expectation(flag),
    flag.initial === undefined ? "" : `default ${String(flag.initial)}`,
    flag.description,
  ]);
  return [
    `${style.bold(method.name)}: ${method.essence}`,
    `Needs: ${needsText(method.needs) || "nothing"}. Source: ${method.source}`,
    ...(rows.length > 0
      ? ["", ...tableLines([{ title: "Options:" }, { title: "" }, { title: "" }, { title: "" }], rows)]
      : []),
  ];
}
